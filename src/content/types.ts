import type { Report, WriteOptions } from '../engine/index.ts'

/** A value that has canonical bytes. Byte arrays read back are copies at every access. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }
/** A plain object of values: the unit of the content store. */
export type Message = { readonly [key: string]: Value }

/** SHA-256 of the canonical bytes as 43 base64url characters. */
export type ContentId = string

/** One content of the store. A message that was put as bytes counts as bytes until it is put as a message. */
export interface ContentItem {
  readonly id: ContentId
  readonly type: 'message' | 'bytes'
}

export interface ContentStore {
  /** What `put` would answer; pure. TypeError for a value with no canonical form. */
  id(value: Message | Uint8Array): ContentId
  /**
   * Stores a message under the hash of its canonical bytes, or bytes under the hash of the bytes themselves.
   * Nested values of 4 KiB and more are stored once under their own id. Putting the same content again is a no-op.
   */
  put(value: Message | Uint8Array, options?: WriteOptions): Promise<ContentId>
  /** The frozen message (nested links loaded), or the bytes for content put as bytes. */
  get(id: ContentId): Promise<Message | Uint8Array | undefined>
  getSync(id: ContentId): Message | Uint8Array | undefined
  /** The canonical bytes (of a message: with links in place of large nested values). */
  bytes(id: ContentId): Promise<Uint8Array | undefined>
  has(id: ContentId): Promise<boolean>
  /** Protects content that nothing links to from `gc`. HOLDFAST_MISSING_CONTENT if it is not there. */
  pin(id: ContentId): Promise<void>
  unpin(id: ContentId): Promise<void>
  /** Whether it is pinned itself; what a pinned message links to is safe from `gc` without being pinned. */
  isPinned(id: ContentId): Promise<boolean>
  /** All content as of this call, or all that is pinned, ordered by the bytes of the ids. */
  list(options?: { readonly pinned?: boolean }): AsyncIterable<ContentItem>
}

/** `'a/b'`, `['a', 'b']` and `['a', ['b']]` name the same thing; numbers are decimal names. */
export type Path = string | readonly (string | number | Path)[]

export interface PathStore {
  /** Writes bytes at a path, creating the groups above it. Writing onto a link replaces the link, never its target. */
  write(path: Path, bytes: Uint8Array, options?: WriteOptions): Promise<void>
  /** Follows links, also in the middle of the path. Undefined when absent, dangling, or a group. HOLDFAST_LINK_LOOP on a loop. */
  read(path: Path): Promise<Uint8Array | undefined>
  /** Makes `path` point to `existing`, which need not exist yet. Linking a path to itself is a no-op. */
  link(existing: Path, path: Path, options?: WriteOptions): Promise<void>
  group(path: Path, options?: WriteOptions): Promise<void>
  type(path: Path): Promise<'simple' | 'composite' | undefined>
  /** Immediate children of a group, numbers first and in numeric order, then names by their UTF-8 bytes. */
  list(path: Path): Promise<string[]>
  /** The final target of a path; the path itself, normalised, when nothing links. */
  resolve(path: Path): Promise<string>
  /** Removes a value, link or whole group; a link's target stays. No error if absent. */
  remove(path: Path, options?: WriteOptions): Promise<void>
  /** Removes every path. Content and assignments stay. */
  reset(): Promise<void>
}

export interface GcOptions {
  /** Report what would go, remove nothing. */
  readonly dryRun?: boolean
}

export interface GcReport extends Report {
  readonly examined: number
  readonly removed: number
  readonly bytes: number
}
