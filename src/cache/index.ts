/** cache: key-value namespaces, tables, queues, stacks and records over the engine. */
export { Caches } from './caches.ts'
export { checkCaches } from './check-caches.ts'
export { type CacheChange, describeCacheMutation } from './entry-changes.ts'
export { any, type Capture, capture } from './pattern.ts'
export { Structures } from './structures.ts'
export type * from './types.ts'
