import { contentKey, decode, encode, indexKey, indexRange, slotOfKey, type WorkMessage } from '../workload.ts'
import { coalesce, load, type Peer, type PeerStore } from './peer.ts'

interface Batch {
  _put(key: string, value: string | Buffer, options: object): void
  _writeSync(options: object): void
  _closeSync(): void
}
interface Iterator {
  next(): Promise<[string, string] | undefined>
  nextv(count: number): Promise<[string, string][]>
  close(): Promise<void>
}
interface Rocks {
  open(options: object): Promise<void>
  close(): Promise<void>
  _chainedBatch(): Batch
  _getManySync(keys: string[], options: object): Buffer[]
  iterator(options: object): Iterator
}
interface Module {
  readonly default: { readonly RocksLevel: new (directory: string, options: object) => Rocks }
}

// This binding writes synchronously whatever one calls; its underscored calls spare it the wrapping.
async function open(directory: string, sync: boolean, settings: object): Promise<PeerStore> {
  const { RocksLevel } = (await load<Module>('@nxtedition/rocksdb')).default
  const options = { keyEncoding: 'utf8', valueEncoding: 'buffer', createIfMissing: true, ...settings }
  const db = new RocksLevel(directory, options)
  await db.open(options)
  const buffers = { valueEncoding: 'buffer' }
  const fetch = (keys: string[]) => db._getManySync(keys, buffers)
  const writeMany = (list: readonly WorkMessage[]) => {
    const batch = db._chainedBatch()
    for (const work of list) {
      const { bytes, id, key } = encode(work)
      batch._put(contentKey(id), bytes, {})
      batch._put(key, id, {})
    }
    batch._writeSync({ sync })
    batch._closeSync()
  }
  const rows = (process: string, extra: object, from = 0) =>
    db.iterator({ ...indexRange(process, from), valueEncoding: 'utf8', ...extra })
  return {
    write: (work) => writeMany([work]),
    writeMany,
    get: (process, slot) => {
      const id = fetch([indexKey(process, slot)])[0]?.toString('latin1') ?? ''
      const [bytes] = fetch([contentKey(id)])
      return bytes && decode(bytes)
    },
    range: async (process, from, count) => {
      const iterator = rows(process, { limit: count }, from)
      const entries = await iterator.nextv(count)
      await iterator.close()
      return fetch(entries.map(([, id]) => contentKey(id))).map(decode)
    },
    latest: async (process) => {
      const iterator = rows(process, { reverse: true, limit: 1 })
      const entry = await iterator.next()
      await iterator.close()
      return slotOfKey(entry?.[0] ?? '')
    },
    close: () => db.close(),
  }
}

const tuned = { cacheSize: 512 << 20, memtableMemoryBudget: 256 << 20, walCompression: false }

function rocksLevel(name: string, settings: object, grouped: boolean, dataOf: string): Peer {
  return {
    name,
    module: '@nxtedition/rocksdb',
    dataOf,
    async open(directory, { mode }) {
      const store = await open(directory, mode === 'durable', settings)
      return grouped ? coalesce(store, true) : store
    },
  }
}

export const rocksLevelPeers: readonly Peer[] = [
  rocksLevel('nxt-rocksdb', {}, false, 'nxt-rocksdb'),
  rocksLevel('nxt-rocksdb-gc', {}, true, 'nxt-rocksdb'),
  rocksLevel('nxt-rocksdb-tuned', tuned, false, 'nxt-rocksdb-tuned'),
  rocksLevel('nxt-rocksdb-tuned-gc', tuned, true, 'nxt-rocksdb-tuned'),
]
