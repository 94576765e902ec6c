// One process of the harness: opens one store, measures or fills, reports, ends.
import { type Figures, type Job, measures } from './measures/index.ts'
import { type OpenFor, type PeerStore, peers } from './peers/index.ts'
import { load } from './peers/peer.ts'
import { memoryOf } from './process-facts.ts'
import { messages, shortProcess, smallMessage, tallProcess } from './workload.ts'

const batchSize = 1000

async function fillWorkload(store: PeerStore, count: number): Promise<void> {
  for (let from = 0; from < count; from += batchSize) {
    await store.writeMany(messages(from, Math.min(batchSize, count - from)))
  }
}

async function fillTall(store: PeerStore, tall: number): Promise<void> {
  const sizes = [
    [shortProcess.process, shortProcess.slots],
    [tallProcess, tall],
  ] as const
  for (const [process, slots] of sizes) {
    for (let from = 0; from < slots; from += batchSize) {
      const size = Math.min(batchSize, slots - from)
      await store.writeMany(Array.from({ length: size }, (_, offset) => smallMessage(process, from + offset)))
    }
  }
}

async function fill(job: Job): Promise<Figures> {
  const peer = peers.get(job.peer)
  if (!peer) throw new Error(`no peer ${job.peer}`)
  const killed = job.measure === 'fill-killed'
  const store = await peer.open(job.directory, { mode: killed ? 'durable' : 'lazy' })
  const start = performance.now()
  if (job.measure === 'fill-tall') await fillTall(store, job.tall)
  else await fillWorkload(store, job.count)
  const figures = { value: performance.now() - start, ...store.facts?.() }
  if (killed) {
    // Everything is acknowledged: the parent kills this process as it stands, background work and all.
    process.send?.({ ready: figures })
    await new Promise(() => setInterval(() => undefined, 1 << 30))
  }
  await store.close()
  return figures
}

async function measure(job: Job): Promise<Figures> {
  const peer = peers.get(job.peer)
  const wanted = measures.get(job.measure)
  if (!peer || !wanted) throw new Error(`no peer ${job.peer} or measure ${job.measure}`)
  await load(peer.module)
  const { rssMiB: startMiB } = memoryOf('self')
  const how: OpenFor = wanted.open
  const before = performance.now()
  const store = await peer.open(job.directory, how)
  const openMs = performance.now() - before
  if (peer.memoryOnly && wanted.data.kind === 'workload') await fillWorkload(store, job.count)
  const cpu = process.cpuUsage()
  const figures = await wanted.run({ job, store, openMs })
  const { user, system } = process.cpuUsage(cpu)
  const cpuMs = (user + system) / 1000
  const cpuUs = wanted.group === 'writes' ? (cpuMs * 1000) / Number(figures['operations']) : undefined
  const { rssMiB, anonymousMiB, peakMiB } = memoryOf('self')
  const closing = performance.now()
  await store.close()
  const closeMs = performance.now() - closing
  return { openMs, closeMs, cpuMs, cpuUs, startMiB, rssMiB, anonymousMiB, peakMiB, ...figures }
}

async function probe(job: Job): Promise<Figures> {
  await load(peers.get(job.peer)?.module ?? job.peer)
  return { value: 0 }
}

const job = JSON.parse(process.argv[2] ?? '{}') as Job
const task = job.measure === 'probe' ? probe : job.measure.startsWith('fill-') ? fill : measure
// Started by hand (under strace or a profiler) it has nobody to report to, and prints.
const tell = (report: object) => (process.send ? process.send(report) : console.log(report))
try {
  tell({ result: await task(job) })
} catch (error) {
  tell({ error: error instanceof Error ? error.message : String(error) })
}
// Some peers leave handles behind that would keep the process alive.
process.disconnect?.()
setTimeout(() => process.exit(0), 200)
