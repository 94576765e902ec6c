import type { OpenOptions, Slot, Store } from '../../src/index.ts'
import { builtPackage } from '../places.ts'
import type { WorkMessage } from '../workload.ts'
import { load, type OpenFor, type Peer, type PeerStore } from './peer.ts'

interface Package {
  open(location: string, options?: OpenOptions): Promise<Store>
}

/** No checkpoint comes due below this; the memory tier has to hold all of it. */
const heldBytes = 2 * 2 ** 30

function openOptions(how: OpenFor): OpenOptions {
  return {
    // `lazy` is what the peers do without a sync: handed to the operating system, not forced to the disk.
    durability: how.mode === 'durable' ? 'sync' : 'os',
    ...(how.memoryBytes === undefined ? {} : { memoryBytes: how.memoryBytes }),
    ...(how.holdCheckpoints ? { memoryBytes: 4 * heldBytes, checkpointBytes: heldBytes } : {}),
  }
}

const asWork = (slot: Slot) => slot.assignment as unknown as WorkMessage
type Write = Parameters<Store['assignments']['write']>[0]
const asAssignment = (work: WorkMessage) => work as unknown as Write

async function iterated(store: Store, process: string, from: number, limit: number): Promise<WorkMessage[]> {
  const found: WorkMessage[] = []
  for await (const slot of store.assignments.range(process, { from, limit })) found.push(asWork(slot))
  return found
}

async function* scanned(store: Store, process: string): AsyncIterable<WorkMessage> {
  for await (const slot of store.assignments.range(process)) yield asWork(slot)
}

async function paged(store: Store, process: string, from: number, limit: number): Promise<WorkMessage[]> {
  const page = await store.assignments.page(process, { from, limit })
  return page.slots.map(asWork)
}

function facts(store: Store): Record<string, number | string | boolean> {
  const { recovery } = store
  const stats = store.stats()
  return {
    checkpoints: stats.checkpoints,
    checkpointRunning: stats.checkpointRunning,
    dirtyBytes: stats.dirtyBytes,
    cleanBytes: stats.cleanBytes,
    walBytes: stats.walBytes,
    groups: stats.groups,
    syncs: stats.syncs,
    hits: stats.hits,
    misses: stats.misses,
    clean: recovery.clean,
    recordsReplayed: recovery.recordsReplayed,
    bytesReplayed: recovery.bytesReplayed,
    recoveryMs: recovery.durationMs,
  }
}

async function open(directory: string, how: OpenFor, range: typeof iterated): Promise<PeerStore> {
  const built = await load<Package>(builtPackage)
  const store = await built.open(directory, openOptions(how))
  const { assignments } = store
  return {
    write: (work) => assignments.write(asAssignment(work)),
    writeMany: (list) => assignments.writeMany(list.map(asAssignment)),
    get: (process, slot) => assignments.readSync(process, slot) as WorkMessage | undefined,
    range: (process, from, count) => range(store, process, from, count),
    latest: async (process) => (await assignments.latest(process))?.slot ?? -1,
    scan: (process) => scanned(store, process),
    facts: () => facts(store),
    close: () => store.close(),
  }
}

function holdfast(name: string, range: typeof iterated): Peer {
  return {
    name,
    module: builtPackage,
    dataOf: 'holdfast',
    ours: true,
    open: (directory, how) => open(directory, how, range),
  }
}

export const holdfastPeers: readonly Peer[] = [holdfast('holdfast', iterated), holdfast('holdfast-page', paged)]
