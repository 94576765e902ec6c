/**
 * What a crash can leave of a volume. A real file system gives some of these states only; that holdfast survives all of
 * them is the point. For LevelDB's sake three habits of the file systems it is made for (ext4, xfs, btrfs) are relied on:
 * a rename is atomic; and in LevelDB's own directory changes of names become durable in the order they were made, and a
 * new file that was synced has its name.
 */
import { Prng } from '../../src/base/index.ts'
import {
  applyNames,
  type DataChange,
  type DirectoryNode,
  FileBytes,
  type FileNode,
  type NameChange,
  nodesBelow,
  type Tree,
  type VolumeNode,
} from './volume.ts'

export const cuts = [
  // The process is killed: the page cache stays.
  'kill',
  // Everything reached the disk in the order it was done, up to some moment.
  'ordered',
  // Only what was synced.
  'strict',
  // All names, of the data what was synced.
  'names first',
  // All names and sizes; where bytes are missing there are zeros.
  'sizes first',
  // All data, of the names what was synced.
  'data first',
  // Like a kill, but of the last write some sectors only.
  'torn',
  // Every unsynced write on its own in whole, in part or not at all; of the names in each directory those up to some
  // moment, in the directories of holdfast itself each on its own.
  'subset',
] as const
export type Cut = (typeof cuts)[number]

/** Cuts of which a seed chooses one of many. */
export const seededCuts: ReadonlySet<Cut> = new Set<Cut>(['ordered', 'torn', 'subset'])

interface Survival {
  names(path: string, changes: readonly NameChange[]): readonly NameChange[]
  data(file: FileNode): readonly DataChange[]
}

const nothing = (): readonly never[] => []
const everything = <T>(_: unknown, changes: readonly T[]): readonly T[] => changes

/** The tree after a crash now; undefined when this cut leaves the same as another one would. */
export function crash(volume: DirectoryNode, cut: Cut, seed: number): Tree | undefined {
  const survival = survivalOf(volume, cut, new Prng(seed))
  return survival && treeOf(volume, '', survival)
}

export function isDurable(volume: DirectoryNode): boolean {
  return unsyncedOf(volume).next().done === true
}

function survivalOf(volume: DirectoryNode, cut: Cut, random: Prng): Survival | undefined {
  switch (cut) {
    case 'kill':
      return { names: everything, data: (file) => file.unsynced }
    case 'ordered':
      return ordered(volume, random)
    case 'strict':
      return { names: nothing, data: nothing }
    case 'names first':
      return { names: everything, data: nothing }
    case 'sizes first':
      return { names: everything, data: (file) => file.unsynced.map(zeroed(file.synced.size)) }
    case 'data first':
      return { names: nothing, data: (file) => file.unsynced }
    case 'torn':
      return torn(volume, random)
    default:
      return subset(random)
  }
}

function subset(random: Prng): Survival {
  return {
    names: (path, changes) => {
      if (path.endsWith('/level')) return changes.slice(0, random.below(changes.length + 1))
      return changes.filter(() => random.below(2) === 0)
    },
    data: (file) => file.unsynced.flatMap((change) => inPart(change, random)),
  }
}

function ordered(volume: DirectoryNode, random: Prng): Survival | undefined {
  const moments = new Set([...unsyncedOf(volume)].map(({ at }) => at))
  if (moments.size < 2) return undefined
  const until = [...moments].sort((a, b) => a - b)[random.below(moments.size - 1)] as number
  return {
    names: (_, changes) => changes.filter(({ at }) => at <= until),
    data: (file) => file.unsynced.filter(({ at }) => at <= until),
  }
}

function torn(volume: DirectoryNode, random: Prng): Survival | undefined {
  let last: DataChange | undefined
  for (const [, node] of nodesBelow(volume)) {
    const change = node.kind === 'file' ? node.unsynced.at(-1) : undefined
    if (change !== undefined && change.at > (last?.at ?? -1)) last = change
  }
  if (last === undefined || !('bytes' in last)) return undefined
  const victim = last
  const parts = sectors(victim, random.below(2) === 0 ? 512 : 4096)
  if (parts.length < 2) return undefined
  const cut = 1 + random.below(parts.length - 1)
  // Mostly the beginning; a disk may also write the end first.
  const survivors = random.below(4) === 0 ? parts.slice(cut) : parts.slice(0, cut)
  return {
    names: everything,
    data: (file) => file.unsynced.flatMap((change) => (change === victim ? survivors : [change])),
  }
}

function inPart(change: DataChange, random: Prng): readonly DataChange[] {
  const fate = random.below(3)
  if (fate === 0) return []
  if (fate === 1 || !('bytes' in change)) return [change]
  return sectors(change, 512).filter(() => random.below(2) === 0)
}

/** A write cut at the multiples of `size` in its file. */
function sectors(write: { at: number; offset: number; bytes: Uint8Array }, size: number): DataChange[] {
  const parts: DataChange[] = []
  for (let from = 0; from < write.bytes.length; ) {
    const to = Math.min(write.bytes.length, from + size - ((write.offset + from) % size))
    parts.push({ at: write.at, offset: write.offset + from, bytes: write.bytes.subarray(from, to) })
    from = to
  }
  return parts
}

function zeroed(syncedSize: number): (change: DataChange) => DataChange {
  return (change) => {
    if (!('bytes' in change)) return change
    const end = change.offset + change.bytes.length
    const from = Math.min(Math.max(change.offset, syncedSize), end)
    return { at: change.at, offset: from, bytes: new Uint8Array(end - from) }
  }
}

function* unsyncedOf(volume: DirectoryNode): Generator<{ readonly at: number }> {
  yield* volume.unsynced
  for (const [, node] of nodesBelow(volume)) yield* node.unsynced
}

function treeOf(directory: DirectoryNode, path: string, survival: Survival): Tree {
  const names = new Map<string, VolumeNode>(directory.synced)
  const journalled = path.endsWith('/level') ? journalledNames(directory.unsynced) : []
  for (const change of new Set([...journalled, ...survival.names(path, directory.unsynced)])) applyNames(names, change)
  const tree: Tree = new Map()
  for (const [name, node] of names) {
    if (node.kind === 'directory') {
      tree.set(name, treeOf(node, `${path}/${name}`, survival))
      continue
    }
    const survivors = survival.data(node)
    if (survivors.length === 0) {
      tree.set(name, node.durableBytes())
      continue
    }
    const bytes = new FileBytes(node.synced.view())
    for (const change of survivors) bytes.apply(change)
    tree.set(name, bytes.view())
  }
  return tree
}

/** The changes of names that the sync of a new file takes along: its own, and those before it. */
function journalledNames(changes: readonly NameChange[]): readonly NameChange[] {
  const last = changes.findLastIndex(({ at, names }) =>
    names.some(([, node]) => node?.kind === 'file' && node.syncedAt > at),
  )
  return changes.slice(0, last + 1)
}
