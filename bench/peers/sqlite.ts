import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { decode, encode, type WorkMessage } from '../workload.ts'
import { coalesce, load, type Peer, type PeerStore } from './peer.ts'

interface Statement {
  run(...values: unknown[]): void
  pluck(): Statement
  get<T>(...values: unknown[]): T
  all<T>(...values: unknown[]): T[]
}
interface Database {
  pragma(text: string): void
  exec(text: string): void
  prepare(text: string): Statement
  transaction<A extends unknown[]>(fn: (...args: A) => void): (...args: A) => void
  close(): void
}
interface Module {
  readonly default: new (file: string) => Database
}

const schema = `
  CREATE TABLE IF NOT EXISTS content(id TEXT PRIMARY KEY, bytes BLOB);
  CREATE TABLE IF NOT EXISTS slots(process TEXT, slot INTEGER, id TEXT, PRIMARY KEY(process, slot)) WITHOUT ROWID`
const join = 'SELECT bytes FROM slots JOIN content USING(id) WHERE process = ?'

async function open(directory: string, durable: boolean, tuned: boolean): Promise<PeerStore> {
  const { default: Connection } = await load<Module>('better-sqlite3')
  mkdirSync(directory, { recursive: true })
  const db = new Connection(path.join(directory, 'store.sqlite'))
  if (tuned) db.pragma('page_size = 8192')
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
  if (tuned) {
    db.pragma('cache_size = -524288')
    db.pragma('mmap_size = 2147483648')
    db.pragma('wal_autocheckpoint = 16000')
  }
  db.exec(schema)
  const putContent = db.prepare('INSERT OR IGNORE INTO content VALUES(?, ?)')
  const putSlot = db.prepare('INSERT OR REPLACE INTO slots VALUES(?, ?, ?)')
  const one = db.prepare(`${join} AND slot = ?`).pluck()
  const many = db.prepare(`${join} AND slot >= ? ORDER BY slot LIMIT ?`).pluck()
  const head = db.prepare('SELECT max(slot) FROM slots WHERE process = ?').pluck()
  const put = (work: WorkMessage) => {
    const { bytes, id } = encode(work)
    putContent.run(id, bytes)
    putSlot.run(work.process, work.slot, id)
  }
  const putAll = (list: readonly WorkMessage[]) => {
    for (const work of list) put(work)
  }
  return {
    write: db.transaction(put),
    writeMany: db.transaction(putAll),
    get: (process, slot) => decode(one.get<Buffer>(process, slot)),
    range: (process, from, count) => many.all<Buffer>(process, from, count).map(decode),
    latest: (process) => head.get<number>(process),
    close: () => db.close(),
  }
}

function sqlite(name: string, tuned: boolean, grouped: boolean): Peer {
  return {
    name,
    module: 'better-sqlite3',
    dataOf: tuned ? 'sqlite-tuned' : 'sqlite',
    async open(directory, { mode }) {
      const store = await open(directory, mode === 'durable', tuned)
      return grouped ? coalesce(store, true) : store
    },
  }
}

export const sqlitePeers: readonly Peer[] = [
  sqlite('sqlite', false, false),
  sqlite('sqlite-gc', false, true),
  sqlite('sqlite-tuned', true, false),
]
