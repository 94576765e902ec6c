import { contentKey, decode, encode, indexKey, type WorkMessage } from '../workload.ts'
import { load, type Peer, type PeerStore } from './peer.ts'

// Ceilings, not rivals: nothing here survives the process.

interface Cache<V> {
  get(key: string): V | undefined
  set(key: string, value: V): unknown
}

function store<V>(
  index: Cache<string>,
  content: Cache<V>,
  keep: (work: WorkMessage, bytes: Buffer) => V,
  show: (kept: V) => WorkMessage,
): PeerStore {
  const heads = new Map<string, number>()
  const write = (work: WorkMessage) => {
    const { bytes, id, key } = encode(work)
    index.set(key, id)
    content.set(contentKey(id), keep(work, bytes))
    heads.set(work.process, Math.max(work.slot, heads.get(work.process) ?? 0))
  }
  const get = (process: string, slot: number) => {
    const kept = content.get(contentKey(index.get(indexKey(process, slot)) ?? ''))
    return kept === undefined ? undefined : show(kept)
  }
  return {
    write,
    writeMany: (list) => list.forEach(write),
    get,
    range: (process, from, count) =>
      Array.from({ length: count }, (_, offset) => get(process, from + offset)).filter((work) => work !== undefined),
    latest: (process) => heads.get(process) ?? -1,
    close: () => undefined,
  }
}

const objects = (content: Cache<WorkMessage>) =>
  store<WorkMessage>(
    new Map<string, string>(),
    content,
    (work) => work,
    (work) => work,
  )

export const inMemoryPeers: readonly Peer[] = [
  { name: 'map', module: 'node:fs', memoryOnly: true, open: async () => objects(new Map()) },
  {
    name: 'map-encoded',
    module: 'node:fs',
    memoryOnly: true,
    open: async () => store<Buffer>(new Map(), new Map(), (_, bytes) => bytes, decode),
  },
  {
    name: 'lru-cache',
    module: 'lru-cache',
    memoryOnly: true,
    async open() {
      type Module = { readonly LRUCache: new (options: object) => Cache<WorkMessage> }
      const { LRUCache } = await load<Module>('lru-cache')
      return objects(new LRUCache({ max: 500_000 }))
    },
  },
]
