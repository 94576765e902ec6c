/** memory: hash-addressed partitions of dirty and clean entries, generations for checkpoints, eviction. No I/O. */
export {
  BASE_ABSENT,
  BASE_UNKNOWN,
  DETACHED,
  ENTRY_OVERHEAD,
  Entry,
  entryCost,
  TOMBSTONE,
  UNDECODED,
} from './entry.ts'
export type { Generation } from './generation.ts'
export { Home } from './home.ts'
export { MemoryTier, type MemoryTierOptions, type MemoryTierStats } from './memory-tier.ts'
