// The parent: decides what runs in which order, one process at a time, and prints the tables.
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { dropPageCache, load, type Machine, machine, revision } from './machine.ts'
import { type DataSet, type Job, type Measure, measures } from './measures/index.ts'
import { type Peer, peers } from './peers/index.ts'
import { dataDirectory, resultsDirectory } from './places.ts'
import { type Outcome, runJob } from './processes.ts'
import { figure, machineLines, type Row, table } from './report.ts'

const usage = `npm run bench -- [options]
  --measure LIST  ${[...measures.keys()].join(', ')};
                  or a group: writes, reads, recovery, memory, all (default: w1,w64,wb,hot,cold,reopen)
  --peer LIST     only these of the stores of each measure, or stores it does not list by default
  --runs N        runs of everything, stores interleaved within a run (default 3)
  --sec N         seconds for each timed loop (default 2)
  --count N       messages in the data set of the read measures (default 200000)
  --tall N        slots of the tall process (default 1000000)
  --dir PATH      where the stores lie (default bench/.data/stores); decides which disk is measured
  --list          list measures and stores`

const { values: options } = parseArgs({
  options: {
    measure: { type: 'string', default: 'w1,w64,wb,hot,cold,reopen' },
    peer: { type: 'string' },
    runs: { type: 'string', default: '3' },
    sec: { type: 'string', default: '2' },
    count: { type: 'string', default: '200000' },
    tall: { type: 'string', default: '1000000' },
    dir: { type: 'string', default: path.join(dataDirectory, 'stores') },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const seconds = Number(options.sec)
const runs = Number(options.runs)
const count = Number(options.count)
const tall = Number(options.tall)
const root = path.resolve(options.dir)
// Measures that write a fixed number of messages end by themselves.
const untimedSeconds = 3600
const timeoutMs = 900_000

function stop(complaint: string): never {
  console.error(`bench: ${complaint}\n\n${usage}`)
  process.exit(2)
}

function chosenMeasures(): Measure[] {
  const chosen = options.measure.split(',').flatMap((word) => {
    const matching = [...measures.values()].filter(({ name, group }) => [name, group, 'all'].includes(word))
    return matching.length > 0 ? matching : stop(`no measure or group called ${word}`)
  })
  return [...new Set(chosen)]
}

/** Without the right to drop the page cache nothing can be measured cold. */
function possible(list: readonly Measure[]): readonly Measure[] {
  const cold = list.filter((measure) => measure.cold)
  if (cold.length === 0 || dropPageCache()) return list
  console.log(`skipped: ${cold.map(({ name }) => name).join(', ')}: dropping the page cache needs root`)
  return list.filter((measure) => !measure.cold)
}

function chosenPeers(measure: Measure, usable: ReadonlySet<string>): Peer[] {
  const names = options.peer?.split(',') ?? measure.peers
  const found = names.map((name) => peers.get(name) ?? stop(`no store called ${name}`))
  return found.filter((peer) => usable.has(peer.name) && (!peer.memoryOnly || suitsMemory(measure)))
}

/** Whether a structure that keeps nothing on disk can take part. */
function suitsMemory({ data, cold, sampled }: Measure): boolean {
  return !cold && !sampled && (data.kind === 'none' || data.kind === 'workload')
}

/** Loading can crash a process (a native module built for another machine), so each store is tried in its own. */
async function usablePeers(names: readonly string[]): Promise<Set<string>> {
  const usable = new Set<string>()
  for (const name of names) {
    const job = { peer: name, measure: 'probe', directory: '', run: 0, seconds: 0, count: 0, tall: 0 }
    const { error } = await runJob(job, { timeoutMs: 30_000 })
    if (error === undefined) usable.add(name)
    else console.log(`skipped: ${name} does not load: ${error}`)
  }
  return usable
}

const fresh = new Set<string>()

/** Makes sure the data set lies in a directory and names it. Shared sets are built once, killed ones every time. */
async function prepare(data: DataSet, peer: Peer, job: Job): Promise<{ directory: string; outcome: Outcome }> {
  const own = peer.dataOf ?? peer.name
  if (peer.memoryOnly) return { directory: '', outcome: {} }
  if (data.kind === 'none' || data.kind === 'killed') {
    const directory = path.join(root, `${peer.name}.run`)
    rmSync(directory, { recursive: true, force: true })
    if (data.kind === 'none') return { directory, outcome: {} }
    const outcome = await runJob({ ...job, measure: 'fill-killed', directory }, { timeoutMs })
    return { directory, outcome }
  }
  const size = data.kind === 'tall' ? tall : count
  const directory = path.join(root, `${own}.${data.kind}.${size}`)
  const complete = `${directory}.complete`
  const stale = peer.ours && !fresh.has(directory)
  if (existsSync(complete) && !stale) return { directory, outcome: {} }
  rmSync(complete, { force: true })
  rmSync(directory, { recursive: true, force: true })
  const outcome = await runJob({ ...job, peer: peer.name, measure: `fill-${data.kind}`, directory }, { timeoutMs })
  if (outcome.figures) writeFileSync(complete, '')
  fresh.add(directory)
  return { directory, outcome }
}

async function one(measure: Measure, peer: Peer, run: number): Promise<Outcome> {
  const size = (measure.data.kind === 'killed' ? measure.data.count : undefined) ?? measure.count ?? count
  const endless = measure.data.kind === 'none' && measure.count === undefined
  const job: Job = {
    peer: peer.name,
    measure: measure.name,
    directory: '',
    run,
    seconds: measure.count === undefined ? seconds : untimedSeconds,
    count: endless ? Number.MAX_SAFE_INTEGER : size,
    tall,
  }
  const { directory, outcome } = await prepare(measure.data, peer, job)
  if (outcome.error !== undefined) return { error: `building the data set: ${outcome.error}` }
  if (measure.cold && !dropPageCache()) return { error: 'the page cache could not be dropped' }
  const measured = await runJob({ ...job, directory }, { sampled: measure.sampled ?? false, timeoutMs })
  if (directory !== '' && (measure.data.kind === 'none' || measure.data.kind === 'killed')) {
    rmSync(directory, { recursive: true, force: true })
  }
  if (!measured.figures || measure.data.kind !== 'killed') return measured
  const atKill = { dirtyBytesAtKill: outcome.figures?.['dirtyBytes'], walBytesAtKill: outcome.figures?.['walBytes'] }
  return { figures: { ...measured.figures, ...atKill } }
}

function record(line: object): void {
  const now = new Date().toISOString()
  const file = path.join(resultsDirectory, `${started.slice(0, 10)}.jsonl`)
  appendFileSync(file, `${JSON.stringify({ at: now, series: started, load: load(), ...line })}\n`)
}

function say(measure: Measure, peer: Peer, run: number, { figures, error }: Outcome): void {
  const found = figures ? `${figure(figures.value)} ${measure.unit}` : `failed: ${error}`
  console.log(`run ${run + 1}  ${measure.name.padEnd(14)} ${peer.name.padEnd(20)} ${found}`)
}

if (options.help) {
  console.log(usage)
  process.exit(0)
}
if (options.list) {
  for (const { name, title } of measures.values()) console.log(`${name.padEnd(16)} ${title}`)
  console.log(`\nstores: ${[...peers.keys()].join(', ')}`)
  process.exit(0)
}

const started = new Date().toISOString()
mkdirSync(root, { recursive: true })
mkdirSync(resultsDirectory, { recursive: true })
const chosen = possible(chosenMeasures())
const wanted = new Set(chosen.flatMap((measure) => options.peer?.split(',') ?? measure.peers))
const usable = await usablePeers([...wanted].filter((name) => peers.has(name) || stop(`no store called ${name}`)))
const rows = new Map<string, { peer: Peer; runs: NonNullable<Outcome['figures']>[]; errors: string[] }>()
const machines: Machine[] = []
for (let run = 0; run < runs; run++) {
  const facts = machine(root)
  machines.push(facts)
  record({ run, machine: facts, revision: revision() })
  for (const measure of chosen) {
    for (const peer of chosenPeers(measure, usable)) {
      const outcome = await one(measure, peer, run)
      say(measure, peer, run, outcome)
      record({ run, measure: measure.name, unit: measure.unit, peer: peer.name, ...outcome })
      const key = `${measure.name} ${peer.name}`
      const row = rows.get(key) ?? { peer, runs: [], errors: [] }
      rows.set(key, row)
      if (outcome.figures) row.runs.push(outcome.figures)
      else row.errors.push(outcome.error ?? 'no result')
    }
  }
}
console.log(`\n${machineLines(machines, revision())}`)
for (const measure of chosen) {
  const found: Row[] = chosenPeers(measure, usable).flatMap(({ name }) => rows.get(`${measure.name} ${name}`) ?? [])
  if (found.length > 0) console.log(table(measure, found))
}
