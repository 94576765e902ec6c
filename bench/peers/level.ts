import { contentKey, decode, encode, indexKey, indexRange, slotOfKey, type WorkMessage } from '../workload.ts'
import { coalesce, load, type Peer, type PeerStore } from './peer.ts'

interface Iterator {
  next(): Promise<[string, string] | undefined>
  nextv(count: number): Promise<[string, string][]>
  close(): Promise<void>
}
interface Level {
  open(): Promise<void>
  close(): Promise<void>
  batch(operations: object[], options: object): Promise<void>
  getSync<T>(key: string, options?: object): T
  iterator(options: object): Iterator
}
interface Module {
  readonly ClassicLevel: new (directory: string, options: object) => Level
}

const utf8 = { valueEncoding: 'utf8' }

async function open(directory: string, sync: boolean, settings: object): Promise<PeerStore> {
  const { ClassicLevel } = await load<Module>('classic-level')
  const db = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'buffer', ...settings })
  await db.open()
  const content = (id: string) => decode(db.getSync<Buffer>(contentKey(id)))
  const writeMany = (list: readonly WorkMessage[]) => {
    const operations: object[] = []
    for (const work of list) {
      const { bytes, id, key } = encode(work)
      operations.push({ type: 'put', key: contentKey(id), value: bytes }, { type: 'put', key, value: id, ...utf8 })
    }
    return db.batch(operations, { sync })
  }
  return {
    write: (work) => writeMany([work]),
    writeMany,
    get: (process, slot) => content(db.getSync<string>(indexKey(process, slot), utf8)),
    range: async (process, from, count) => {
      const rows = db.iterator({ ...indexRange(process, from), limit: count, highWaterMarkBytes: 1 << 20, ...utf8 })
      const entries = await rows.nextv(count)
      await rows.close()
      return entries.map(([, id]) => content(id))
    },
    latest: async (process) => {
      const rows = db.iterator({ ...indexRange(process), reverse: true, limit: 1, ...utf8 })
      const entry = await rows.next()
      await rows.close()
      return slotOfKey(entry?.[0] ?? '')
    },
    close: () => db.close(),
  }
}

const tuned = { cacheSize: 512 << 20, writeBufferSize: 64 << 20, maxFileSize: 16 << 20, compression: false }

function level(name: string, settings: object, grouped: boolean, dataOf: string): Peer {
  return {
    name,
    module: 'classic-level',
    dataOf,
    async open(directory, { mode }) {
      const store = await open(directory, mode === 'durable', settings)
      return grouped ? coalesce(store) : store
    },
  }
}

export const levelPeers: readonly Peer[] = [
  level('level', {}, false, 'level'),
  level('level-gc', {}, true, 'level'),
  level('level-tuned', tuned, false, 'level-tuned'),
  level('level-tuned-gc', tuned, true, 'level-tuned'),
]
