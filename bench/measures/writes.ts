import { message, messages } from '../workload.ts'
import { type Context, type Figures, type Measure, rate } from './measure.ts'

const batchSize = 1000

async function oneWriter({ job, store }: Context): Promise<Figures> {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + job.seconds * 1000
  let now = start
  for (let index = 0; index < job.count && now < end; index++) {
    const before = performance.now()
    await store.write(message(index))
    now = performance.now()
    latencies.push(now - before)
    // Peers with blocking writes never let the event loop turn; a server would.
    if (index % 256 === 255) await new Promise((resolve) => setImmediate(resolve))
  }
  return rate(latencies.length, now - start, latencies)
}

/** 64 writers, each awaiting its own write before the next; until the time or the messages run out. */
export async function manyWriters({ job, store }: Context): Promise<Figures> {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + job.seconds * 1000
  let next = 0
  const writer = async () => {
    while (next < job.count && performance.now() < end) {
      const before = performance.now()
      await store.write(message(next++))
      latencies.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: 64 }, writer))
  return { ...rate(latencies.length, performance.now() - start, latencies), ...store.facts?.() }
}

/** Batches of 1,000, one awaited after the other; building and encoding the messages is part of the time. */
export async function batches({ job, store }: Context): Promise<Figures> {
  const latencies: number[] = []
  const start = performance.now()
  const end = start + job.seconds * 1000
  let written = 0
  let now = start
  while (written < job.count && now < end) {
    const before = now
    const size = Math.min(batchSize, job.count - written)
    await store.writeMany(messages(written, size))
    written += size
    now = performance.now()
    latencies.push(now - before)
  }
  return { ...rate(written, now - start, latencies), ...store.facts?.() }
}

export const sustained = 400_000
const durable = { mode: 'durable' } as const
const common = { group: 'writes', unit: 'msg/s', better: 'higher', data: { kind: 'none' }, open: durable } as const
const rivals64 = ['level', 'level-gc', 'level-tuned-gc', 'sqlite-gc', 'nxt-rocksdb-gc', 'rocksdb5-gc', 'lmdb']
const rivalsBatch = ['level', 'level-tuned', 'sqlite', 'sqlite-tuned', 'nxt-rocksdb', 'nxt-rocksdb-tuned', 'rocksdb5']

export const writeMeasures: readonly Measure[] = [
  {
    ...common,
    name: 'w1',
    title: 'One awaited durable writer',
    peers: ['holdfast', 'level', 'level-tuned', 'sqlite', 'nxt-rocksdb', 'rocksdb5', 'lmdb'],
    run: oneWriter,
  },
  {
    ...common,
    name: 'w64',
    title: '64 durable writers, background checkpoints running (`-gc`: group commit added by the application)',
    peers: ['holdfast', ...rivals64],
    run: manyWriters,
  },
  {
    ...common,
    name: 'w64-nockpt',
    title: '64 durable writers, checkpoints held back for the run',
    open: { ...durable, holdCheckpoints: true },
    peers: ['holdfast', 'nxt-rocksdb-gc', 'rocksdb5-gc'],
    run: manyWriters,
  },
  {
    ...common,
    name: 'w64-400k',
    title: '64 durable writers, 400,000 messages',
    count: sustained,
    peers: ['holdfast', 'level-tuned-gc', 'sqlite-gc', 'nxt-rocksdb-tuned-gc', 'rocksdb5-gc'],
    run: manyWriters,
  },
  {
    ...common,
    name: 'wb',
    title: 'Durable batches of 1,000',
    peers: ['holdfast', ...rivalsBatch, 'lmdb'],
    run: batches,
  },
  {
    ...common,
    name: 'wb400k',
    title: 'Durable batches of 1,000, 400,000 messages',
    count: sustained,
    peers: ['holdfast', 'level-tuned', 'sqlite-tuned', 'nxt-rocksdb-tuned', 'rocksdb5', 'lmdb'],
    run: batches,
  },
]
