export type { Backend, BackendEntry, BackendIterator, BackendOperation, BackendRange } from './backend.ts'
