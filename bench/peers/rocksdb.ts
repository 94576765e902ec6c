import { mkdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { contentKey, decode, encode, indexKey, indexRange, slotOfKey, type WorkMessage } from '../workload.ts'
import { coalesce, load, type Peer, type PeerStore } from './peer.ts'

type Done<T> = (error: Error | null, value: T) => void
interface Iterator {
  next(done: (error: Error | null, key?: string, value?: string) => void): void
  end(done: Done<void>): void
}
interface Rocks {
  open(options: object, done: Done<void>): void
  close(done: Done<void>): void
  batch(operations: object[], options: object, done: Done<void>): void
  get(key: string, options: object, done: Done<Buffer>): void
  getMany(keys: string[], options: object, done: Done<Buffer[]>): void
  iterator(options: object): Iterator
}
interface Module {
  readonly default: (directory: string) => Rocks
}

async function rows(db: Rocks, options: object): Promise<[string, string][]> {
  const iterator = db.iterator({ ...options, keyAsBuffer: false, valueAsBuffer: false })
  const found: [string, string][] = []
  for (;;) {
    const entry = await new Promise<[string, string] | undefined>((resolve, reject) => {
      iterator.next((error, key, value) => {
        if (error) reject(error)
        else resolve(key === undefined || value === undefined ? undefined : [key, value])
      })
    })
    if (!entry) break
    found.push(entry)
  }
  await promisify(iterator.end.bind(iterator))()
  return found
}

async function open(directory: string, sync: boolean): Promise<PeerStore> {
  const { default: rocks } = await load<Module>('rocksdb')
  mkdirSync(directory, { recursive: true })
  const db = rocks(directory)
  await promisify(db.open.bind(db))({})
  const batch = promisify(db.batch.bind(db))
  const get = promisify(db.get.bind(db))
  const getMany = promisify(db.getMany.bind(db))
  const writeMany = (list: readonly WorkMessage[]) => {
    const operations: object[] = []
    for (const work of list) {
      const { bytes, id, key } = encode(work)
      operations.push({ type: 'put', key: contentKey(id), value: bytes }, { type: 'put', key, value: id })
    }
    return batch(operations, { sync })
  }
  return {
    write: (work) => writeMany([work]),
    writeMany,
    get: async (process, slot) => {
      const id = await get(indexKey(process, slot), {})
      return decode(await get(contentKey(id.toString('latin1')), {}))
    },
    range: async (process, from, count) => {
      const entries = await rows(db, { ...indexRange(process, from), limit: count })
      const values = await getMany(
        entries.map(([, id]) => contentKey(id)),
        {},
      )
      return values.map(decode)
    },
    latest: async (process) => {
      const [entry] = await rows(db, { ...indexRange(process), reverse: true, limit: 1 })
      return slotOfKey(entry?.[0] ?? '')
    },
    close: () => promisify(db.close.bind(db))(),
  }
}

function rocksdb(name: string, grouped: boolean): Peer {
  return {
    name,
    module: 'rocksdb',
    dataOf: 'rocksdb5',
    async open(directory, { mode }) {
      const store = await open(directory, mode === 'durable')
      return grouped ? coalesce(store) : store
    },
  }
}

export const rocksdbPeers: readonly Peer[] = [rocksdb('rocksdb5', false), rocksdb('rocksdb5-gc', true)]
