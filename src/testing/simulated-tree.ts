import { SimulatedFile } from './simulated-file.ts'
import { systemError } from './system-error.ts'

/** One directory: the names a reader sees and the names on stable storage. */
export interface SimulatedDirectory {
  readonly kind: 'directory'
  readonly inode: number
  readonly visible: Map<string, number>
  readonly durable: Map<string, number>
}

export type SimulatedNode = SimulatedFile | SimulatedDirectory

/** `name` in the directory with this inode now means `inode`, or nothing. */
export interface EntryEffect {
  readonly directory: number
  readonly name: string
  readonly inode: number | undefined
}

/** Effects that survive together or not at all: a rename is one change, so a crash shows the old or the new name. */
export type EntryChange = readonly EntryEffect[]

const rootInode = 1

/** The names and files of a simulated disk, without handles, locks or counting. Paths are absolute and normalised. */
export class SimulatedTree {
  readonly nodes = new Map<number, SimulatedNode>()
  #unsynced: EntryChange[] = []
  #nextInode = rootInode + 1

  constructor() {
    this.nodes.set(rootInode, emptyDirectory(rootInode))
  }

  find(path: string, call: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.nodes.get(rootInode)
    for (const name of namesOf(path)) {
      if (node === undefined) return undefined
      if (node.kind === 'file') throw systemError('ENOTDIR', call, path)
      node = this.#child(node, name)
    }
    return node
  }

  directory(path: string, call: string): SimulatedDirectory {
    const node = this.find(path, call)
    if (node === undefined) throw systemError('ENOENT', call, path)
    if (node.kind === 'file') throw systemError('ENOTDIR', call, path)
    return node
  }

  /** The directory that holds `path`, and its name there. */
  place(path: string, call: string): { directory: SimulatedDirectory; name: string } {
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw systemError('EINVAL', call, path)
    return { directory: this.directory(`/${names.join('/')}`, call), name }
  }

  addFile(path: string, call: string): SimulatedFile {
    const { directory, name } = this.place(path, call)
    const file = new SimulatedFile(this.#nextInode++)
    this.nodes.set(file.inode, file)
    this.change([{ directory: directory.inode, name, inode: file.inode }])
    return file
  }

  addDirectories(path: string, call: string): void {
    let parent = this.directory('/', call)
    const names = namesOf(path)
    for (const [index, name] of names.entries()) {
      const found = this.#child(parent, name)
      if (found?.kind === 'file') throw systemError(index === names.length - 1 ? 'EEXIST' : 'ENOTDIR', call, path)
      if (found !== undefined) {
        parent = found
        continue
      }
      const made = emptyDirectory(this.#nextInode++)
      this.nodes.set(made.inode, made)
      this.change([{ directory: parent.inode, name, inode: made.inode }])
      parent = made
    }
  }

  /** Removes a name and everything below it, deepest first, as separate changes. */
  removeTree(directory: SimulatedDirectory, name: string): void {
    const node = this.#child(directory, name)
    if (node?.kind === 'directory') for (const below of node.visible.keys()) this.removeTree(node, below)
    if (node !== undefined) this.change([{ directory: directory.inode, name, inode: undefined }])
  }

  change(change: EntryChange): void {
    for (const effect of change) applyEffect(this.#names(effect.directory, 'visible'), effect)
    this.#unsynced.push(change)
  }

  /**
   * Makes the names of one directory durable. A rename between two directories cannot be half durable, so it takes
   * along what happened before it in the other one.
   */
  syncDirectory(directory: SimulatedDirectory): void {
    const touched = new Set([directory.inode])
    const durable: EntryChange[] = []
    const rest: EntryChange[] = []
    for (const change of this.#unsynced.toReversed()) {
      if (change.some((effect) => touched.has(effect.directory))) {
        durable.push(change)
        for (const effect of change) touched.add(effect.directory)
      } else rest.push(change)
    }
    this.#unsynced = rest.reverse()
    for (const change of durable.reverse()) {
      for (const effect of change) applyEffect(this.#names(effect.directory, 'durable'), effect)
    }
  }

  /** Makes every name durable, without a trace of how it came to be; for damage done by tests. */
  settleNames(): void {
    this.#unsynced = []
    for (const node of this.nodes.values()) {
      if (node.kind === 'file') continue
      node.durable.clear()
      for (const [name, inode] of node.visible) node.durable.set(name, inode)
    }
  }

  /** The same tree for another disk, with everything that is still to lose. */
  copy(): SimulatedTree {
    const copy = this.#emptyCopy()
    copy.#unsynced = [...this.#unsynced]
    for (const node of this.nodes.values()) {
      copy.nodes.set(
        node.inode,
        node.kind === 'file'
          ? node.copy()
          : { ...node, visible: new Map(node.visible), durable: new Map(node.durable) },
      )
    }
    return copy
  }

  /** What a power cut leaves: the durable names, the changes of names that `keeps` lets live, files as `file` says. */
  afterPowerCut(keeps: () => boolean, file: (before: SimulatedFile) => SimulatedFile): SimulatedTree {
    const names = new Map<number, Map<string, number>>()
    for (const node of this.nodes.values()) if (node.kind === 'directory') names.set(node.inode, new Map(node.durable))
    for (const change of this.#unsynced) {
      if (!keeps()) continue
      for (const effect of change) applyEffect(names.get(effect.directory), effect)
    }
    const after = this.#emptyCopy()
    const visit = (inode: number): void => {
      const before = this.nodes.get(inode)
      if (before === undefined) return
      if (before.kind === 'file') {
        after.nodes.set(inode, file(before))
        return
      }
      const entries = names.get(inode) ?? new Map<string, number>()
      after.nodes.set(inode, { kind: 'directory', inode, visible: new Map(), durable: new Map() })
      for (const [name, child] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
        // A file may be left with two names; a directory never is.
        const seen = after.nodes.has(child)
        if (seen && before.kind === 'directory' && this.nodes.get(child)?.kind === 'directory') continue
        if (!seen) visit(child)
        const made = after.nodes.get(inode)
        if (made?.kind !== 'directory') continue
        made.visible.set(name, child)
        made.durable.set(name, child)
      }
    }
    visit(rootInode)
    return after
  }

  /** Every file that has a name, by path, sorted. */
  files(): Map<string, SimulatedFile> {
    const found = new Map<string, SimulatedFile>()
    const visit = (directory: SimulatedDirectory, prefix: string): void => {
      for (const name of [...directory.visible.keys()].sort()) {
        const node = this.#child(directory, name)
        if (node?.kind === 'file') found.set(`${prefix}/${name}`, node)
        else if (node !== undefined) visit(node, `${prefix}/${name}`)
      }
    }
    visit(this.directory('/', 'files'), '')
    return found
  }

  /** Bytes taken by files that have a name or an open handle. */
  usedBytes(): number {
    const counted = new Set(this.files().values())
    for (const node of this.nodes.values()) if (node.kind === 'file' && node.handles > 0) counted.add(node)
    let total = 0
    for (const file of counted) total += file.size
    return total
  }

  #child(directory: SimulatedDirectory, name: string): SimulatedNode | undefined {
    const inode = directory.visible.get(name)
    return inode === undefined ? undefined : this.nodes.get(inode)
  }

  #names(inode: number, side: 'visible' | 'durable'): Map<string, number> | undefined {
    const node = this.nodes.get(inode)
    return node?.kind === 'directory' ? node[side] : undefined
  }

  #emptyCopy(): SimulatedTree {
    const copy = new SimulatedTree()
    copy.#nextInode = this.#nextInode
    return copy
  }
}

function emptyDirectory(inode: number): SimulatedDirectory {
  return { kind: 'directory', inode, visible: new Map(), durable: new Map() }
}

function applyEffect(names: Map<string, number> | undefined, effect: EntryEffect): void {
  if (effect.inode === undefined) names?.delete(effect.name)
  else names?.set(effect.name, effect.inode)
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}
