/**
 * The ordered key-value store under the memory tier. Keys are "byte strings": JavaScript strings whose every
 * character is U+0000..U+00FF and stands for one byte; their order is byte order, which is also `<` on strings.
 * Values are opaque bytes: the engine checks them itself (envelopes), a backend need not.
 *
 * A backend instance is handed to `open()` unopened and belongs to that store until it is closed.
 */
export interface Backend {
  /** For messages: what it is and where. */
  readonly description: string
  /** Files and directories a person would look at; empty for memory. */
  readonly location: string | undefined
  /**
   * Opens or creates. `create: false` must fail with HOLDFAST_CORRUPT (never recreate) when the data are missing or
   * damaged; HOLDFAST_LOCKED when another process holds it. Safe to call again after `close()`.
   */
  open(options: { create: boolean }): Promise<void>
  /** Removes all data of an unopened backend: only for a store whose creation never finished. */
  destroy(): Promise<void>
  /** Blocking read. The result is the caller's own. */
  getSync(key: string): Uint8Array | undefined
  get(key: string): Promise<Uint8Array | undefined>
  getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>
  /** Which keys exist. */
  hasMany(keys: readonly string[]): Promise<boolean[]>
  /**
   * Applies all operations or none. The caller keeps ONE batch in flight at a time. With `sync`, this batch and every
   * earlier one are durable when it resolves. After a rejection the backend refuses every batch until it is
   * closed and opened again, while reads go on; the rejected batch may or may not be there, never in part.
   * Keys are not empty.
   */
  batch(operations: readonly BackendOperation[], options: { sync: boolean }): Promise<void>
  /** A consistent view as of this call; the range is [gte, lt). */
  iterate(range: BackendRange): BackendIterator
  /** Reclaims space; may take long. */
  compact(): Promise<void>
  /** Bytes on disk, or in memory for the memory backend. */
  size(): Promise<number>
  close(): Promise<void>
}

/** `value` undefined deletes. */
export interface BackendOperation {
  readonly key: string
  readonly value: Uint8Array | undefined
}

export interface BackendRange {
  readonly gte: string
  readonly lt: string
  readonly reverse?: boolean
  /** Stop after so many entries; -1 or absent is no limit. */
  readonly limit?: number
  /** Leave values out (they come as empty arrays). */
  readonly keysOnly?: boolean
}

export interface BackendIterator {
  /** Up to `size` further entries, fewer only when the range ends; empty at the end. */
  next(size: number): Promise<BackendEntry[]>
  close(): Promise<void>
}

export interface BackendEntry {
  readonly key: string
  readonly value: Uint8Array
}
