import type { ContentStore, GcOptions, GcReport, PathStore } from './content/index.ts'
import type {
  CheckpointReport,
  OpenOptions,
  RecoveryReport,
  Stats,
  StoreStatus,
  VerifyOptions,
  VerifyReport,
  WriteOptions,
} from './engine/index.ts'
import type { AssignmentStore } from './schedule/index.ts'

/** An open store. One per directory and machine at a time. */
export interface Store extends AsyncDisposable {
  readonly location: string
  readonly status: StoreStatus
  /** Sequence of the newest record applied; 0 when nothing was ever written. */
  readonly lastSequence: number
  /** Every record up to here is on stable storage. */
  readonly durableSequence: number
  /** What `open()` found. */
  readonly recovery: RecoveryReport
  readonly content: ContentStore
  readonly paths: PathStore
  readonly assignments: AssignmentStore
  /**
   * Runs `fn` synchronously; all its writes are one record: all or none after a crash. A throw undoes them. The
   * promises they return settle with the transaction and need no handler of their own.
   */
  transact<R>(fn: () => R, options?: WriteOptions): Promise<R>
  /** Committed changes in sequence order, from `from` (default: the next) while the log still holds it. */
  watch(options?: { from?: number; signal?: AbortSignal }): AsyncIterable<Change>
  /** Every earlier write is durable when it resolves. */
  sync(): Promise<void>
  /** Moves everything written so far to the backend and removes log segments no longer needed. */
  checkpoint(): Promise<CheckpointReport>
  /** Reads everything back: log, checksums, content hashes, links, indexes, counts. Changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /** Removes content that nothing links to or pins. */
  gc(options?: GcOptions): Promise<GcReport>
  stats(): Stats
  /** Checkpoints, then releases everything. Idempotent; works on a poisoned store, which is not checkpointed. */
  close(): Promise<void>
}

/** One committed record, in the terms of the public structures. */
export interface Change {
  readonly sequence: number
  readonly writes: readonly ChangedItem[]
}

export type ChangedItem =
  | { readonly type: 'content'; readonly id: string }
  | { readonly type: 'assignment'; readonly process: string; readonly slot: number; readonly id: string | undefined }
  | { readonly type: 'path'; readonly path: string; readonly removed: boolean }
  | { readonly type: 'location'; readonly address: string; readonly id: string | undefined }
  | { readonly type: 'pin'; readonly id: string; readonly removed: boolean }

export declare function open(location: string, options?: OpenOptions): Promise<Store>
