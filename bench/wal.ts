/**
 * The log against the floor of the machine: `npx tsx bench/wal.ts [seconds] [rounds]`. Writes to a new directory under
 * $HOLDFAST_BENCH_DIR or the current directory. Rounds are interleaved, because disks have moods; medians are shown.
 */
import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../src/base/index.ts'
import { nodeFileSystem } from '../src/fs/index.ts'
import { level, recoverWal, Wal } from '../src/wal/index.ts'

const seconds = Number(process.argv[2] ?? 1)
const rounds = Number(process.argv[3] ?? 5)
const recordBytes = 2200
const batchRecords = 1000
const record = Buffer.alloc(recordBytes, 'holdfast')
const batch = Buffer.alloc(recordBytes * batchRecords, 'holdfast')
const parent = process.env['HOLDFAST_BENCH_DIR'] ?? process.cwd()

interface Outcome {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function measure(perCall: number, call: () => Promise<void> | void, callers = 1): Promise<Outcome> {
  const latencies: number[] = []
  const started = performance.now()
  const until = started + seconds * 1000
  const loop = async (): Promise<void> => {
    while (performance.now() < until) {
      const begun = performance.now()
      await call()
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: callers }, loop))
  const elapsed = performance.now() - started
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => (latencies[Math.floor(latencies.length * share)] ?? 0) * 1000
  return { perSecond: (latencies.length * perCall * 1000) / elapsed, p50: at(0.5), p99: at(0.99) }
}

async function withWal<T>(preallocate: boolean, body: (wal: Wal) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(parent, 'bench-wal-'))
  const location = { fileSystem: nodeFileSystem(), directory, storeId: Buffer.alloc(16, 7) }
  const recovery = await recoverWal(location, { afterSequence: 0 })
  const options = {
    ...location,
    segmentBytes: 64 << 20,
    epoch: 1,
    clock: systemClock,
    bufferedIntervalMs: 200,
    preallocate,
  }
  const wal = await Wal.start(options, recovery)
  const trimmer = setInterval(() => void wal.trim(wal.durableSequence), 250)
  try {
    const outcome = await body(wal)
    if (process.env['HOLDFAST_BENCH_STATS']) console.log(JSON.stringify(wal.stats()))
    return outcome
  } finally {
    clearInterval(trimmer)
    await wal.close()
    rmSync(directory, { recursive: true })
  }
}

function put(wal: Wal, bytes: Buffer, wanted: 1 | 2 | 3): Promise<void> {
  const { buffer, start } = wal.space(bytes.length)
  bytes.copy(buffer, start)
  return wal.settled(wal.append(bytes.length, wanted), wanted, undefined)
}

function floor(bytes: Buffer, perCall: number): Promise<Outcome> {
  const size = 64 << 20
  const directory = mkdtempSync(join(parent, 'bench-floor-'))
  const fd = openSync(join(directory, 'log'), 'w+')
  const zeros = Buffer.alloc(1 << 20)
  for (let offset = 0; offset < size; offset += zeros.length) writeSync(fd, zeros, 0, zeros.length, offset)
  fsyncSync(fd)
  let position = 0
  const step = Math.ceil(bytes.length / 8) * 8
  return measure(perCall, () => {
    if (position + step > size) position = 0
    writeSync(fd, bytes, 0, bytes.length, position)
    fdatasyncSync(fd)
    position += step
  }).finally(() => {
    closeSync(fd)
    rmSync(directory, { recursive: true })
  })
}

const cases: Record<string, () => Promise<Outcome>> = {
  'floor 1': () => floor(record, 1),
  'floor 64 in one': () => floor(Buffer.alloc(recordBytes * 64, 'x'), 64),
  'floor 1000 in one': () => floor(batch, batchRecords),
  'wal 1 writer': () => withWal(true, (wal) => measure(1, () => put(wal, record, level.sync))),
  'wal 1 writer, no preallocation': () => withWal(false, (wal) => measure(1, () => put(wal, record, level.sync))),
  'wal 64 writers': () => withWal(true, (wal) => measure(1, () => put(wal, record, level.sync), 64)),
  'wal batch of 1000': () => withWal(true, (wal) => measure(batchRecords, () => put(wal, batch, level.sync))),
  'wal 1 writer os': () => withWal(true, (wal) => measure(1, () => put(wal, record, level.os))),
  'wal 1 writer buffered': () => withWal(true, (wal) => measure(1, () => put(wal, record, level.buffered))),
}

const only = process.env['HOLDFAST_BENCH_CASE']
const outcomes = new Map<string, Outcome[]>()
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    if (only !== undefined && !name.includes(only)) continue
    const list = outcomes.get(name) ?? []
    outcomes.set(name, list)
    list.push(await run())
  }
}
for (const [name, list] of outcomes) {
  const by = (pick: (outcome: Outcome) => number): number[] => list.map(pick).sort((a, b) => a - b)
  const median = (values: number[]): number => values[Math.floor(values.length / 2)] ?? 0
  const rates = by((outcome) => outcome.perSecond)
  const round = (value: number | undefined): string => Math.round(value ?? 0).toLocaleString('en')
  const range = `(${round(rates[0])}-${round(rates.at(-1))})`
  const p = `p50 ${round(median(by((o) => o.p50)))} us  p99 ${round(median(by((o) => o.p99)))} us`
  console.log(`${name.padEnd(32)} ${round(median(rates)).padStart(9)}/s ${range.padEnd(22)} ${p}`)
}
