import { bytesRead } from '../process-facts.ts'
import type { PeerStore } from '../peers/index.ts'
import { locate, messages, processes, randomFrom, shortProcess, tallProcess, type WorkMessage } from '../workload.ts'
import { type Context, type Figures, type Measure, rate } from './measure.ts'

const rangeSize = 1000
const tallest = processes[0] ?? ''

function readerOf(store: PeerStore, pick: () => number): () => WorkMessage {
  return () => {
    const { process, slot } = locate(pick())
    const work = store.get(process, slot) as WorkMessage
    if (work?.slot !== slot || work.process !== process)
      throw new Error(`read of ${process}/${slot} gave ${work?.slot}`)
    return work
  }
}

function timed(read: () => unknown, samples: number): number[] {
  return Array.from({ length: samples }, () => {
    const before = performance.now()
    read()
    return performance.now() - before
  })
}

/** Rate over blocks without a clock call each, then latencies of single reads. */
function sustainedReads(read: () => unknown, seconds: number): Figures {
  const start = performance.now()
  const end = start + seconds * 1000
  let operations = 0
  while (performance.now() < end) {
    for (let i = 0; i < 64; i++) read()
    operations += 64
  }
  const elapsed = performance.now() - start
  return rate(operations, elapsed, timed(read, 5000))
}

async function hotSet({ job, store }: Context): Promise<Figures> {
  const random = randomFrom(1000 + job.run)
  const set = Array.from({ length: 1000 }, () => Math.floor(random() * job.count))
  const read = readerOf(store, () => set[Math.floor(random() * set.length)] ?? 0)
  for (let i = 0; i < 20_000; i++) read()
  return { ...sustainedReads(read, job.seconds), ...store.facts?.() }
}

async function uniform({ job, store }: Context): Promise<Figures> {
  const random = randomFrom(1000 + job.run)
  const read = readerOf(store, () => Math.floor(random() * job.count))
  for (let i = 0; i < 100_000; i++) read()
  return sustainedReads(read, job.seconds)
}

async function coldReads({ job, store }: Context): Promise<Figures> {
  const random = randomFrom(1000 + job.run)
  const read = readerOf(store, () => Math.floor(random() * job.count))
  const start = performance.now()
  const latencies = timed(read, 1000)
  return rate(latencies.length, performance.now() - start, latencies)
}

async function oneRange(store: PeerStore, process: string, from: number): Promise<number> {
  const before = performance.now()
  const found = await store.range(process, from, rangeSize)
  const elapsed = performance.now() - before
  if (found.length !== rangeSize || found.at(-1)?.slot !== from + rangeSize - 1) {
    throw new Error(`range of ${process} from ${from} gave ${found.length} slots`)
  }
  return elapsed
}

async function ranges({ job, store }: Context, slots: number): Promise<Figures> {
  const random = randomFrom(1000 + job.run)
  const from = () => Math.floor(random() * (slots - rangeSize))
  const latencies: number[] = []
  const end = performance.now() + job.seconds * 1000
  while (performance.now() < end || latencies.length < 3) latencies.push(await oneRange(store, tallest, from()))
  return { ...inMs(latencies), ...store.facts?.() }
}

function inMs(latencies: readonly number[]): Figures {
  const { p50us = 0, p99us = 0 } = rate(latencies.length, 1, latencies)
  return { value: p50us / 1000, p50us, p99us, operations: latencies.length }
}

const window = 10_000

async function rangeOfWritten(context: Context): Promise<Figures> {
  for (let from = 0; from < 2 * window; from += 1000) await context.store.writeMany(messages(from, 1000))
  for (let i = 0; i < 10; i++) await oneRange(context.store, tallest, i * 900)
  return ranges(context, window)
}

async function rangeOfRead(context: Context): Promise<Figures> {
  const slots = Math.min(window, Math.floor(context.job.count / 2))
  for (let pass = 0; pass < 2; pass++) {
    for (let from = 0; from + rangeSize <= slots; from += rangeSize) await oneRange(context.store, tallest, from)
  }
  return ranges(context, slots)
}

async function latestAgain({ job, store }: Context): Promise<Figures> {
  const head = Math.floor((job.count - 1) / 2)
  for (let i = 0; i < 200; i++) await expectLatest(store, tallest, head)
  return inUs(await repeatedly(() => store.latest(tallest), job.seconds / 3))
}

async function latestOfEach({ store }: Context): Promise<Figures> {
  const latencies: number[] = []
  for (const process of processes) {
    const before = performance.now()
    await store.latest(process)
    latencies.push(performance.now() - before)
  }
  return inUs(latencies)
}

async function expectLatest(store: PeerStore, process: string, head: number): Promise<number> {
  const before = performance.now()
  const slot = await store.latest(process)
  const elapsed = performance.now() - before
  if (slot !== head) throw new Error(`latest of ${process} gave ${slot}, not ${head}`)
  return elapsed
}

async function repeatedly(call: () => unknown, seconds: number): Promise<number[]> {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const before = performance.now()
    await call()
    latencies.push(performance.now() - before)
  }
  return latencies
}

function inUs(latencies: readonly number[]): Figures {
  const { p50us = 0, p99us = 0 } = rate(latencies.length, 1, latencies)
  return { value: p50us, p50us, p99us, operations: latencies.length }
}

async function withBytes(measured: () => Promise<Figures>): Promise<Figures> {
  const before = bytesRead()
  const figures = await measured()
  const after = bytesRead()
  return { ...figures, calledBytes: after.called - before.called, deviceBytes: after.device - before.device }
}

// One call after the open, then the same call again and again: the first shows what has to be fetched.
function latestOf(tall: boolean, again: boolean) {
  return async ({ job, store }: Context): Promise<Figures> => {
    const process = tall ? tallProcess : shortProcess.process
    const head = (tall ? job.tall : shortProcess.slots) - 1
    const misses = Number(store.facts?.()['misses'] ?? 0)
    const first = await withBytes(async () => inUs([await expectLatest(store, process, head)]))
    const entriesRead = Number(store.facts?.()['misses'] ?? 0) - misses
    if (!again) return { ...first, entriesRead }
    return inUs(await repeatedly(() => store.latest(process), 0.5))
  }
}

function middleRange(tall: boolean, again: boolean) {
  return async ({ job, store }: Context): Promise<Figures> => {
    const process = tall ? tallProcess : shortProcess.process
    const from = tall ? Math.floor((job.tall - rangeSize) / 2) : 0
    const misses = Number(store.facts?.()['misses'] ?? 0)
    const first = await withBytes(async () => inMs([await oneRange(store, process, from)]))
    const entriesRead = Number(store.facts?.()['misses'] ?? 0) - misses
    if (!again) return { ...first, entriesRead }
    return inMs(await repeatedly(() => store.range(process, from, rangeSize), 0.5))
  }
}

const lazy = { mode: 'lazy' } as const
const workload = { group: 'reads', data: { kind: 'workload' }, open: lazy } as const
const fast = { ...workload, unit: 'reads/s', better: 'higher' } as const
const short = { ...workload, better: 'lower' } as const
const readers = ['level', 'level-tuned', 'lmdb', 'lmdb-cache', 'sqlite', 'nxt-rocksdb-tuned']
const rangers = ['holdfast', 'holdfast-page', 'level', 'lmdb', 'lmdb-cache', 'sqlite', 'nxt-rocksdb-tuned']
const finders = ['holdfast', 'level', 'lmdb', 'sqlite', 'nxt-rocksdb']

const plainReads: readonly Measure[] = [
  {
    ...fast,
    name: 'hot',
    title: 'Synchronous reads of a hot set of 1,000',
    peers: ['holdfast', ...readers, 'map', 'map-encoded', 'lru-cache'],
    run: hotSet,
  },
  { ...fast, name: 'read', title: 'Synchronous reads of any message', peers: ['holdfast', ...readers], run: uniform },
  {
    ...fast,
    name: 'cold',
    title: 'First 1,000 reads in a fresh process, page cache dropped',
    cold: true,
    peers: ['holdfast', 'level', 'lmdb', 'lmdb-noreadahead', 'sqlite', 'nxt-rocksdb'],
    run: coldReads,
  },
]

const rangeReads: readonly Measure[] = [
  {
    ...short,
    unit: 'ms',
    name: 'range-mem',
    title: 'Range of 1,000 slots just written',
    data: { kind: 'none' },
    peers: [...rangers, 'map'],
    run: rangeOfWritten,
  },
  {
    ...short,
    unit: 'ms',
    name: 'range-warm',
    title: 'Range of 1,000 slots read before',
    peers: rangers,
    run: rangeOfRead,
  },
  {
    ...short,
    unit: 'ms',
    name: 'range-disk',
    title: 'Range of 1,000 slots from anywhere, holdfast with a memory tier of 16 MiB',
    open: { ...lazy, memoryBytes: 16 << 20 },
    peers: rangers,
    run: (context) => ranges(context, Math.floor(context.job.count / 2)),
  },
]

const latestReads: readonly Measure[] = [
  {
    ...short,
    unit: 'us',
    name: 'latest',
    title: 'Latest slot of one process, again',
    peers: finders,
    run: latestAgain,
  },
  {
    ...short,
    unit: 'us',
    name: 'latest-open',
    title: 'Latest slot of 100 processes, once each after opening',
    peers: finders,
    run: latestOfEach,
  },
]

function bySize(cold: boolean, tall: boolean): Measure[] {
  const slots = tall ? '1m' : '1k'
  const ending = cold ? '-cold' : ''
  const when = cold ? 'first call, page cache dropped' : 'again'
  const common = { ...short, data: { kind: 'tall' }, cold, peers: ['holdfast', 'level', 'lmdb', 'sqlite'] } as const
  return [
    {
      ...common,
      unit: 'us',
      name: `latest-${slots}${ending}`,
      title: `Latest slot of a process of ${tall ? 'many (default 1,000,000)' : '1,000'} slots, ${when}`,
      run: latestOf(tall, !cold),
    },
    {
      ...common,
      unit: 'ms',
      name: `range-${slots}${ending}`,
      title: `1,000 slots ${tall ? 'from the middle of many (default 1,000,000)' : 'of 1,000'}, ${when}`,
      run: middleRange(tall, !cold),
    },
  ]
}

const sizes = [false, true].flatMap((cold) => [false, true].flatMap((tall) => bySize(cold, tall)))

export const readMeasures: readonly Measure[] = [...plainReads, ...rangeReads, ...latestReads, ...sizes]
