import { encode, indexKey, indexRange, slotOfKey, type WorkMessage } from '../workload.ts'
import { load, type Peer, type PeerStore } from './peer.ts'

interface Database<V> {
  put(key: string, value: unknown): Promise<boolean>
  get(key: string): V | undefined
  getRange(options: object): Iterable<{ readonly value: V }>
  getKeys(options: object): Iterable<string>
}
interface Environment {
  readonly flushed: Promise<void>
  openDB<V>(options: object): Database<V>
  close(): Promise<void>
}
interface Module {
  open(options: object): Environment
  asBinary(bytes: Uint8Array): unknown
}

async function open(path: string, durable: boolean, cache: boolean, settings: object): Promise<PeerStore> {
  const module = await load<Module>('lmdb')
  const env = module.open({ path, encoding: 'string', maxDbs: 4, noSync: !durable, ...settings })
  const content = env.openDB<WorkMessage>({ name: 'content', encoding: 'msgpack', useRecords: false, cache })
  const index = env.openDB<string>({ name: 'index', encoding: 'string' })
  // Both puts fall into one event turn, and so into one transaction.
  const put = (work: WorkMessage) => {
    const { bytes, id, key } = encode(work)
    void content.put(id, module.asBinary(bytes))
    return index.put(key, id)
  }
  const acknowledged = async (committed: Promise<unknown> | undefined) => {
    await committed
    if (durable) await env.flushed
  }
  return {
    write: (work) => acknowledged(put(work)),
    writeMany: (list) => acknowledged(list.map(put).at(-1)),
    get: (process, slot) => content.get(index.get(indexKey(process, slot)) ?? ''),
    range: (process, from, count) => {
      const { gte, lt } = indexRange(process, from)
      const found: WorkMessage[] = []
      for (const { value } of index.getRange({ start: gte, end: lt, limit: count })) {
        const work = content.get(value)
        if (work) found.push(work)
      }
      return found
    },
    latest: (process) => {
      const { gte, lt } = indexRange(process)
      for (const key of index.getKeys({ start: lt, end: gte, reverse: true, limit: 1 })) return slotOfKey(key)
      return -1
    },
    close: () => env.close(),
  }
}

function lmdb(name: string, cache: boolean, settings: object = {}): Peer {
  return {
    name,
    module: 'lmdb',
    dataOf: 'lmdb',
    open: (directory, { mode }) => open(directory, mode === 'durable', cache, settings),
  }
}

export const lmdbPeers: readonly Peer[] = [
  lmdb('lmdb', false),
  lmdb('lmdb-cache', true),
  lmdb('lmdb-noreadahead', false, { noReadAhead: true }),
]
