/**
 * The cache structures beside a bare Map and lmdb with its cache, in one run: everything at `buffered`, so everything is
 * logged. Ratios to the Map of the same round count; absolute figures depend on the machine.
 *
 * Run: npm run build, then node --expose-gc bench/cache.mjs [count] [rounds] [row …]
 * Every row gets a store of its own in a fresh directory. Writes are awaited every 256th call, which is when
 * backpressure can act; reads are synchronous where the structure has such reads. Times are of the loop alone; the column
 * `+sync` adds what it takes until everything is on stable storage.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { capture, open } from '../dist/index.js'

const [countText, roundsText, ...wanted] = process.argv.slice(2)
const count = Number(countText ?? 100_000)
const rounds = Number(roundsText ?? 5)
const keys = Array.from({ length: count }, (_, i) => `user:${(Math.imul(i, 0x9e3779b1) >>> 0).toString(36)}:${i}`)
const awaitEvery = 256

const lmdb = await import('lmdb').catch(() => undefined)

/** Each: a name, what has to be there, and the loop that is measured. */
const rows = [
  { name: 'Map.set', prepare: async () => new Map(), run: fillMap },
  { name: 'Map.get', prepare: async () => fillMap(new Map()), run: readMap },
  ...lmdbRows(),
  store(
    'kv.set distinct',
    (s) => s.kv('users'),
    each((kv, i) => kv.set(keys[i], i)),
  ),
  store(
    'kv.set overwrite',
    filledKv,
    each((kv, i) => kv.set(keys[i], -i)),
  ),
  store(
    'kv.set 100-byte objects',
    (s) => s.kv('users'),
    each((kv, i) => kv.set(keys[i], objectOf(i))),
  ),
  store('kv.getSync hit', filledKv, (kv) => sum((i) => kv.getSync(keys[i]))),
  store('kv.get hit, awaited', filledKv, async (kv) => {
    let total = 0
    for (let i = 0; i < count; i++) total += await kv.get(keys[i])
    return total
  }),
  store(
    'kv.increment one key',
    (s) => s.kv('users'),
    each((kv) => kv.increment('hits')),
  ),
  store(
    'kv.setMany 10,000',
    (s) => s.kv('users'),
    async (kv) => {
      for (let i = 0; i < count; i += 10_000) await kv.setMany(keys.slice(i, i + 10_000).map((key, j) => [key, i + j]))
    },
  ),
  store(
    'table.put',
    (s) => s.table('users'),
    each((table, i) => table.put([keys[i], i])),
  ),
  store('table.getSync', filledTable, (table) => sum((i) => table.getSync([keys[i]])[0][1])),
  store('table.match fixed key', filledTable, async (table) => {
    let total = 0
    for (let i = 0; i < count; i++) total += (await table.match([keys[i], capture(1)]))[0][0]
    return total
  }),
  store(
    'queue.add',
    (s) => s.queue('jobs'),
    each((queue, i) => queue.add(i)),
  ),
  store(
    'queue.take',
    filledQueue,
    each((queue) => queue.take()),
  ),
  store(
    'stack.push',
    (s) => s.stack('jobs'),
    each((stack, i) => stack.push(i)),
  ),
  store(
    'stack.pop',
    filledStack,
    each((stack) => stack.pop()),
  ),
  store(
    'records.add',
    (s) => s.records('user'),
    each((records, i) => records.add({ id: keys[i], n: i })),
  ),
  store('records.get, awaited', filledRecords, async (records) => {
    let total = 0
    for (let i = 0; i < count; i++) total += (await records.get(keys[i])).n
    return total
  }),
]

function objectOf(i) {
  return { id: i, name: `User number ${i}`, mail: `user${i}@example.org`, tags: ['a', 'b'], active: true, score: i / 7 }
}

function fillMap(map) {
  for (let i = 0; i < count; i++) map.set(keys[i], i)
  return map
}

function readMap(map) {
  return sum((i) => map.get(keys[i]))
}

function sum(read) {
  let total = 0
  for (let i = 0; i < count; i++) total += read(i)
  return total
}

function each(write) {
  return async (structure) => {
    for (let i = 0; i < count; i++) {
      const promise = write(structure, i)
      if (i % awaitEvery === 0) await promise
    }
  }
}

function store(name, make, run) {
  return {
    name,
    prepare: async () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'))
      const opened = await open(directory, { durability: 'buffered', memoryBytes: 2 ** 31 })
      const structure = await make(opened)
      return { directory, opened, structure }
    },
    run: ({ structure }) => run(structure),
    settle: ({ opened }) => opened.sync(),
    dispose: async ({ directory, opened }) => {
      await opened.close()
      rmSync(directory, { recursive: true })
    },
  }
}

async function filledKv(s) {
  const kv = s.kv('users')
  await each((_, i) => kv.set(keys[i], i))()
  return kv
}

async function filledTable(s) {
  const table = s.table('users')
  await each((_, i) => table.put([keys[i], i]))()
  return table
}

async function filledQueue(s) {
  const queue = s.queue('jobs')
  await each((_, i) => queue.add(i))()
  return queue
}

async function filledStack(s) {
  const stack = s.stack('jobs')
  await each((_, i) => stack.push(i))()
  return stack
}

async function filledRecords(s) {
  const records = s.records('user')
  await each((_, i) => records.add({ id: keys[i], n: i }))()
  return records
}

function lmdbRows() {
  if (lmdb === undefined) return []
  const prepare = async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'))
    return { directory, db: lmdb.open({ path: directory, cache: true, noMemInit: true }) }
  }
  const dispose = async ({ directory, db }) => {
    await db.close()
    rmSync(directory, { recursive: true })
  }
  const fill = async (state) => {
    for (let i = 0; i < count; i++) {
      // Awaiting it would mean waiting for a commit: it is told apart by `+sync` instead.
      void state.db.put(keys[i], i)
    }
    return state
  }
  return [
    { name: 'lmdb cache: put', prepare, run: fill, settle: ({ db }) => db.flushed, dispose },
    {
      name: 'lmdb cache: get',
      prepare: async () => {
        const state = await fill(await prepare())
        await state.db.committed
        return state
      },
      run: ({ db }) => sum((i) => db.get(keys[i])),
      dispose,
    },
  ]
}

const chosen = rows.filter(
  ({ name }) => wanted.length === 0 || name.startsWith('Map') || wanted.some((w) => name.includes(w)),
)
const times = new Map(chosen.map(({ name }) => [name, { loop: [], settled: [], ratio: [] }]))
const seconds = (from) => (performance.now() - from) / 1000
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1]

for (let round = 0; round < rounds + 1; round++) {
  const reference = { set: 0, get: 0 }
  for (const row of chosen) {
    const state = await row.prepare()
    globalThis.gc?.()
    const from = performance.now()
    await row.run(state)
    const loop = seconds(from)
    await row.settle?.(state)
    const settled = seconds(from)
    await row.dispose?.(state)
    if (row.name === 'Map.set') reference.set = loop
    if (row.name === 'Map.get') reference.get = loop
    if (round === 0) continue
    const reads = /get|match/.test(row.name)
    const entry = times.get(row.name)
    entry.loop.push(loop)
    entry.settled.push(settled)
    entry.ratio.push((reads ? reference.get : reference.set) / loop)
  }
}

console.log(`${count.toLocaleString('en')} distinct keys, medians of ${rounds} rounds, Node ${process.version}`)
console.log('row'.padEnd(26), 'k ops/s'.padStart(9), '+sync'.padStart(9), 'of Map'.padStart(8))
for (const [name, { loop, settled, ratio }] of times) {
  const rate = (list) => (count / median(list) / 1000).toFixed(0).padStart(9)
  console.log(name.padEnd(26), rate(loop), rate(settled), median(ratio).toFixed(2).padStart(8))
}
