import { locate, randomFrom } from '../workload.ts'
import type { Context, Figures, Measure } from './measure.ts'

/** Time from open to the first read, then a sample of what had been acknowledged before the kill. */
async function reopen({ job, store, openMs }: Context): Promise<Figures> {
  const start = performance.now()
  await expectThere(store, job.count - 1)
  const value = openMs + performance.now() - start
  const random = randomFrom(job.run)
  let lost = 0
  for (let i = 0; i < 500; i++) {
    const there = await expectThere(store, Math.floor(random() * job.count))
    if (!there) lost++
  }
  if (lost > 0) throw new Error(`${lost} of 500 acknowledged messages are gone`)
  return { value, openMs, ...store.facts?.() }
}

async function expectThere(store: Context['store'], index: number): Promise<boolean> {
  const { process, slot } = locate(index)
  const work = await store.get(process, slot)
  return work?.slot === slot
}

const common = {
  group: 'recovery',
  unit: 'ms',
  better: 'lower',
  open: { mode: 'durable' },
  run: reopen,
} as const

function replay(count: number): Measure {
  const thousands = `${count / 1000}k`
  return {
    ...common,
    name: `replay-${thousands}`,
    title: `Reopen after kill -9, ${thousands} messages in the store`,
    data: { kind: 'killed', count },
    peers: ['holdfast', 'level'],
  }
}

export const recoveryMeasures: readonly Measure[] = [
  {
    ...common,
    name: 'reopen',
    title: 'Reopen after kill -9 until the first read, 100,000 messages',
    data: { kind: 'killed', count: 100_000 },
    peers: ['holdfast', 'level', 'level-tuned', 'lmdb', 'sqlite', 'nxt-rocksdb-tuned'],
  },
  {
    ...common,
    name: 'reopen-cold',
    title: 'The same with the page cache dropped',
    cold: true,
    data: { kind: 'killed', count: 100_000 },
    peers: ['holdfast', 'level', 'lmdb', 'sqlite'],
  },
  replay(25_000),
  replay(200_000),
  replay(800_000),
]
