/** kv: the ordered key-value store under the memory tier, with LevelDB or in memory. */
export type { Backend, BackendEntry, BackendIterator, BackendOperation, BackendRange } from './backend.ts'
export { LevelBackend, type LevelBackendOptions } from './level-backend.ts'
export { type CrashMode, MemoryBackend, type MemoryBackendOptions } from './memory-backend.ts'
export { type LevelTuning, levelTuning } from './level-tuning.ts'
