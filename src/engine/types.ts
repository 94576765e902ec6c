import type { Clock } from '../base/index.ts'
import type { FileSystem } from '../fs/index.ts'
import type { Backend } from '../kv/index.ts'

/**
 * When a write is acknowledged, and so what a crash can take back:
 * `sync` after fdatasync of its group (nothing); `os` after write(2) (a power cut may lose the unsynced tail);
 * `buffered` at once, written and synced within `bufferedIntervalMs` or 1 MiB (a kill may lose that interval);
 * `volatile` at once and never logged (lost at close). What survives is always a prefix in sequence order.
 */
export type Durability = 'sync' | 'os' | 'buffered' | 'volatile'

export interface WriteOptions {
  readonly durability?: Durability
}

export interface OpenOptions {
  /** Create the store if the directory is missing or empty. Default true. */
  readonly createIfMissing?: boolean
  /** Fail with HOLDFAST_EXISTS if there is a store already. Default false. */
  readonly errorIfExists?: boolean
  /** Open without changing a byte on disk: for a store nobody has open, or a backup. Default false. */
  readonly readOnly?: boolean
  /** Durability of writes that do not say. Default `'sync'`. */
  readonly durability?: Exclude<Durability, 'volatile'>
  /** Longest time a `buffered` write stays unsynced, milliseconds. Default 200. */
  readonly bufferedIntervalMs?: number
  /** Parts of the memory tier; may differ at every open. Default 8. */
  readonly partitions?: number
  /** Budget of the memory tier, bytes. Default 256 MiB. */
  readonly memoryBytes?: number
  /** Nominal size of a log segment, bytes. Default 64 MiB. */
  readonly segmentBytes?: number
  /** Dirty bytes that start a background checkpoint. Default 64 MiB, at most a quarter of `memoryBytes`. */
  readonly checkpointBytes?: number
  /** Ordered key-value store underneath. Default LevelDB in `<location>/level`. */
  readonly backend?: Backend
  /** Default: the machine's file system. */
  readonly fileSystem?: FileSystem
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

/** What `open()` found and did. */
export interface RecoveryReport {
  /** True when the last owner closed the store: nothing had to be replayed. */
  readonly clean: boolean
  readonly created: boolean
  readonly epoch: number
  /** Sequence of the checkpoint that replay started after. */
  readonly checkpointSequence: number
  readonly lastSequence: number
  readonly recordsReplayed: number
  readonly bytesReplayed: number
  readonly segmentsRead: number
  /** Bytes of an unacknowledged torn tail that were left behind (saved beside the segment as `.broken`). */
  readonly tornBytes: number
  readonly tornSegment: string | undefined
  readonly durationMs: number
}

export interface Problem {
  /** Stable, kebab-case: `value-checksum`, `content-hash`, `dangling-link`, `entry-count`, … */
  readonly code: string
  /** The file, key, path, slot or sequence concerned. */
  readonly where: string
  readonly message: string
}

export interface Report {
  readonly ok: boolean
  readonly problems: readonly Problem[]
}

export interface CheckpointReport {
  /** Number of the checkpoint; 0 when nothing has ever been checkpointed. */
  readonly number: number
  /** Everything up to this sequence is in the backend. */
  readonly sequence: number
  readonly entries: number
  readonly bytes: number
  readonly segmentsRemoved: number
  readonly durationMs: number
}

export interface VerifyOptions {
  /** Stop collecting after so many problems. Default 100; counting goes on. */
  readonly problemsMax?: number
  readonly onProgress?: (entriesChecked: number) => void
}

export interface VerifyReport extends Report {
  readonly problemCount: number
  readonly segments: number
  readonly records: number
  readonly entries: number
  readonly contents: number
  readonly links: number
  readonly processes: number
  readonly slots: number
  readonly bytes: number
  readonly durationMs: number
}

export interface Stats {
  readonly status: StoreStatus
  readonly epoch: number
  readonly lastSequence: number
  readonly durableSequence: number
  readonly checkpointSequence: number
  readonly checkpoints: number
  readonly checkpointRunning: boolean
  /** Memory tier: entries and bytes that must stay until checkpointed, and that may be evicted. */
  readonly dirtyEntries: number
  readonly dirtyBytes: number
  readonly cleanEntries: number
  readonly cleanBytes: number
  readonly memoryBytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
  /** Entries in the backend, as counted by the checkpoints. */
  readonly storedEntries: number
  readonly segments: number
  readonly walBytes: number
  readonly recordsWritten: number
  readonly groups: number
  readonly syncs: number
  readonly writersWaiting: number
}

export type StoreStatus = 'open' | 'poisoned' | 'closed'
