import { memoryOf } from '../process-facts.ts'
import { processes } from '../workload.ts'
import type { Context, Figures, Measure } from './measure.ts'
import { batches, manyWriters } from './writes.ts'

type Run = Measure['run']

/** The same work as a write measure; the figure is the kernel's maximum of the resident size. */
function peakDuring(work: Run): Run {
  return async (context) => {
    const { value: messagesPerSecond, ...rest } = await work(context)
    return { ...rest, messagesPerSecond, value: memoryOf('self').peakMiB }
  }
}

async function scan({ job, store }: Context): Promise<Figures> {
  const process = processes[0] ?? ''
  const expected = Math.ceil(job.count / 2)
  const start = performance.now()
  let next = 0
  for await (const work of store.scan?.(process) ?? pages(store, process)) {
    if (work.slot !== next) throw new Error(`scan gave slot ${work.slot} where ${next} was due`)
    next++
  }
  if (next !== expected) throw new Error(`scan gave ${next} slots of ${expected}`)
  const elapsed = performance.now() - start
  return { value: (next / elapsed) * 1000, operations: next, peakMiB: memoryOf('self').peakMiB }
}

async function* pages(store: Context['store'], process: string) {
  for (let from = 0; ; ) {
    const found = await store.range(process, from, 1000)
    yield* found
    if (found.length < 1000) return
    from = (found.at(-1)?.slot ?? 0) + 1
  }
}

const million = 1_000_000
const peak = {
  group: 'memory',
  unit: 'MiB',
  better: 'lower',
  data: { kind: 'none' },
  sampled: true,
  open: { mode: 'durable', memoryBytes: 64 << 20 },
  count: million,
} as const

export const footprintMeasures: readonly Measure[] = [
  {
    ...peak,
    name: 'rss-batch',
    title: 'Largest resident size while writing 1,000,000 messages in batches, holdfast with a memory tier of 64 MiB',
    peers: ['holdfast', 'level', 'lmdb', 'sqlite'],
    run: peakDuring(batches),
  },
  {
    ...peak,
    name: 'rss-w64',
    title: 'Largest resident size while 64 writers write 1,000,000 messages, holdfast with a memory tier of 64 MiB',
    peers: ['holdfast', 'level-gc'],
    run: peakDuring(manyWriters),
  },
  {
    name: 'scan',
    title:
      'Every slot of a process in order, holdfast with a memory tier several times smaller than the process (32 MiB)',
    group: 'memory',
    unit: 'msg/s',
    better: 'higher',
    data: { kind: 'workload' },
    sampled: true,
    open: { mode: 'lazy', memoryBytes: 32 << 20 },
    peers: ['holdfast', 'level', 'lmdb', 'sqlite'],
    run: scan,
  },
]
