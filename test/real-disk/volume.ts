/**
 * Files and directories that know which of their changes are durable: a file's bytes after a sync of the file, a
 * directory's names after a sync of the directory, and nothing else. Trees are what a crash leaves of a volume.
 */
export type Tree = Map<string, Tree | Buffer>

/** A change in one file. `at`: when it had happened, in the order of the run. */
export type DataChange = { readonly at: number } & (
  | { readonly offset: number; readonly bytes: Uint8Array }
  | { readonly length: number }
)

/** Names of one directory that changed in one step; a rename changes two. `undefined`: no such name any more. */
export interface NameChange {
  readonly at: number
  readonly names: readonly (readonly [string, VolumeNode | undefined])[]
}

export type VolumeNode = FileNode | DirectoryNode

/** The bytes of a file; grows as needed. */
export class FileBytes {
  #bytes: Buffer
  #size: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = Buffer.from(bytes)
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  /** A view: to be read at once. */
  view(from = 0, to = this.#size): Buffer {
    return this.#bytes.subarray(Math.min(from, this.#size), Math.min(to, this.#size))
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#reserve(offset + bytes.length)
    this.#bytes.set(bytes, offset)
    this.#size = Math.max(this.#size, offset + bytes.length)
  }

  truncate(length: number): void {
    this.#reserve(length)
    if (length < this.#size) this.#bytes.fill(0, length, this.#size)
    this.#size = length
  }

  apply(change: DataChange): void {
    if ('bytes' in change) this.write(change.offset, change.bytes)
    else this.truncate(change.length)
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return
    const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2, 1024))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
  }
}

export class FileNode {
  readonly kind = 'file'
  readonly now: FileBytes
  readonly synced: FileBytes
  unsynced: DataChange[] = []
  /** When its last successful sync began. */
  syncedAt = -1
  #durable: Buffer | undefined

  constructor(bytes?: Uint8Array) {
    this.now = new FileBytes(bytes)
    this.synced = new FileBytes(bytes)
  }

  change(change: DataChange): void {
    this.now.apply(change)
    this.unsynced.push(change)
  }

  /** Makes durable what had happened before `began`. */
  sync(began: number): void {
    this.syncedAt = Math.max(this.syncedAt, began)
    const covered = this.unsynced.filter(({ at }) => at < began)
    for (const change of covered) this.synced.apply(change)
    this.unsynced = this.unsynced.slice(covered.length)
    if (covered.length > 0) this.#durable = undefined
  }

  /** A copy of what is durable; the same object until that changes. */
  durableBytes(): Buffer {
    this.#durable ??= Buffer.from(this.synced.view())
    return this.#durable
  }
}

export class DirectoryNode {
  readonly kind = 'directory'
  readonly now = new Map<string, VolumeNode>()
  readonly synced = new Map<string, VolumeNode>()
  unsynced: NameChange[] = []

  change(change: NameChange): void {
    applyNames(this.now, change)
    this.unsynced.push(change)
  }

  sync(began: number): void {
    const covered = this.unsynced.filter(({ at }) => at < began)
    for (const change of covered) applyNames(this.synced, change)
    this.unsynced = this.unsynced.slice(covered.length)
  }
}

export function applyNames(names: Map<string, VolumeNode>, change: NameChange): void {
  for (const [name, node] of change.names) {
    if (node === undefined) names.delete(name)
    else names.set(name, node)
  }
}

/** A volume on which everything in the tree is durable. */
export function volumeOf(tree: Tree): DirectoryNode {
  const directory = new DirectoryNode()
  for (const [name, entry] of tree) {
    const node = entry instanceof Map ? volumeOf(entry) : new FileNode(entry)
    directory.now.set(name, node)
    directory.synced.set(name, node)
  }
  return directory
}

/** Everything below a directory that is reachable now or durably, with its path. */
export function* nodesBelow(directory: DirectoryNode, path = ''): Generator<[string, VolumeNode]> {
  const seen = new Set<VolumeNode>()
  const named = [...directory.now, ...directory.synced, ...directory.unsynced.flatMap(({ names }) => names)]
  for (const [name, node] of named) {
    if (node === undefined || seen.has(node)) continue
    seen.add(node)
    yield [`${path}/${name}`, node]
    if (node.kind === 'directory') yield* nodesBelow(node, `${path}/${name}`)
  }
}
