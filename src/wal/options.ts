import type { Clock } from '../base/index.ts'
import type { FileSystem } from '../fs/index.ts'
import type { Scheduler } from './scheduler.ts'

/** Which log: where it lies and which store it belongs to. */
export interface WalLocation {
  readonly fileSystem: FileSystem
  /** The directory of the segments, `<store>/wal`. */
  readonly directory: string
  /** 16 bytes; part of every checksum, so that segments of another store never validate. */
  readonly storeId: Uint8Array
}

export interface WalOptions extends WalLocation {
  /** Nominal size of a segment; a larger record makes its segment grow. */
  readonly segmentBytes: number
  /** Number of this opening of the store: higher than that of every earlier one. */
  readonly epoch: number
  readonly clock: Clock
  /** Longest time a record that asked for less than `sync` stays unsynced, milliseconds. */
  readonly bufferedIntervalMs: number
  /** Zero-filled segments are made ahead of need. Default true. */
  readonly preallocate?: boolean
  /** Called right before records are acknowledged; a throw fails the log. */
  readonly fence?: () => void
  /** Called once, when the log has failed, after every waiter was rejected. */
  readonly onFailure?: (error: Error) => void
  /** Called after `durableSequence` has advanced and those who waited for it were told. */
  readonly onAcknowledged?: (durableSequence: number) => void
  readonly scheduler?: Scheduler
}

export interface SegmentInfo {
  readonly file: string
  readonly number: number
  readonly epoch: number
  readonly firstSequence: number
  /** Undefined while the segment holds no record. */
  readonly lastSequence: number | undefined
  /** Valid bytes, header included. */
  readonly bytes: number
  /** Whether records are being appended to it. */
  readonly active: boolean
}
