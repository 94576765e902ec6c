import type { FileHandle, FileSystem } from '../fs/index.ts'
import type { FailedSync } from './simulated-file.ts'

export type Operation = keyof FileSystem | Exclude<keyof FileHandle, 'path'>

/** The operations that write, read or sync file bytes, whichever way. */
export const anyWrite: readonly Operation[] = ['write', 'writeSync']
export const anyRead: readonly Operation[] = ['read', 'readSync']
export const anySync: readonly Operation[] = ['datasync', 'datasyncSync', 'sync']

export interface CallMatch {
  readonly operation: Operation | readonly Operation[]
  /** Only calls whose path contains this, or matches it; for a rename, the old or the new path. */
  readonly path?: string | RegExp
  /** The first matching call to hit, counted from 1; 1 by default. */
  readonly call?: number
}

export interface Fault extends CallMatch {
  /** Hit every matching call from then on, instead of one. */
  readonly repeat?: boolean
  /** The system error to fail with. Default: EIO, or none when `shortWrite` is given. */
  readonly code?: string
  /** Let this many bytes of the write through first; without `code` the call reports just them, without an error. */
  readonly shortWrite?: number
  /** `after`: the call does its work and only then reports failure. Default: `before`. */
  readonly fails?: 'before' | 'after'
  /**
   * What a failed sync of a file on a simulated disk does with the unsynced bytes: `drop` (default) loses them for
   * good, although readers still see them and the next sync succeeds; `some` keeps a part; `keep` all of them.
   */
  readonly unsynced?: FailedSync
}

/** What to do to one call. */
export interface Verdict {
  readonly error: Error | undefined
  readonly shortWrite: number | undefined
  readonly after: boolean
  readonly unsynced: FailedSync
}
