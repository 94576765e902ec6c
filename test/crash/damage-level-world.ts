/** Flips bytes in the files of the real LevelDB under a store and tallies what comes of it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type TestContext } from 'vitest'
import { open } from '../../src/index.ts'
import { reportLayer } from '../support/effort.ts'
import { type CompiledChild, ended, onLines } from './compiled-child.ts'
import type { DamageJob, Flip } from './damage-level-judge.ts'
import {
  damageOptions,
  emptyTally,
  type Expected,
  factsOf,
  fill,
  lifeContent,
  lifeContents,
  lives,
  type Tally,
  type Verdict,
} from './damage-world.ts'
import { choices } from './kill-world.ts'

export interface LevelSubject {
  readonly directory: string
  readonly expected: Expected
}

/** A store of several lives, so that LevelDB has tables, a log and a manifest that all matter. */
export async function levelSubject(end: 'closed' | 'killed'): Promise<LevelSubject> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-damage-'))
  const pristine = join(directory, 'pristine')
  for (let life = 0; life < lives; life++) {
    const store = await open(pristine, damageOptions)
    if (life === 0) await fill(store)
    for (let i = 0; i < lifeContents; i++) await store.content.put(lifeContent(life, i))
    await store.paths.write('latest', Buffer.from(`life ${life}`))
    await store.checkpoint()
    await store.close()
  }
  const store = await open(pristine, damageOptions)
  await store.paths.write('latest', Buffer.from('last life'))
  await store.checkpoint()
  await store.assignments.write({ process: 'D'.repeat(43), slot: 50, data: 'after the checkpoint' })
  const expected = { facts: await factsOf(store), lastSequence: store.lastSequence }
  // What a killed owner leaves is what its files hold while it lives, but for the lock of a process that is still here.
  if (end === 'killed') copyStore(pristine, join(directory, 'killed'))
  await store.close()
  if (end === 'killed') {
    rmSync(pristine, { recursive: true })
    cpSync(join(directory, 'killed'), pristine, { recursive: true })
  }
  return { directory, expected }
}

function copyStore(from: string, to: string): void {
  // Reading LevelDB's LOCK would release it.
  cpSync(from, to, { recursive: true, filter: (path) => !/(LOCK|owner\.json|store\/lock|pristine\/lock)$/.test(path) })
}

const sectorBytes = 512

const kindOf = (file: string): string => /\.\w+$/.exec(file)?.[0] ?? file.replace(/-\d+$/, '')

/** Every byte of CURRENT, and `count` of tables, of logs and of manifests each, spread evenly over them, seeded. */
export function flipsOf({ directory }: LevelSubject, count: number, seed: number): DamageJob['flips'] {
  const level = join(directory, 'pristine', 'level')
  const random = choices(seed)
  const names = readdirSync(level).filter((name) => /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|log))$/.test(name))
  const bytes = names.flatMap((file) => Array.from(readFileSync(join(level, file)), (_, offset) => ({ file, offset })))
  const chosen = [...new Set(names.map(kindOf))].flatMap((kind) => {
    const all = bytes.filter(({ file }) => kindOf(file) === kind)
    if (kind === 'CURRENT' || all.length <= count) return all
    return Array.from(
      { length: count },
      (_, i) => all[Math.floor(((i + random(1000) / 1000) * all.length) / count)] as (typeof all)[0],
    )
  })
  return chosen.map((each, index) => ({ ...each, mask: index % 2 === 0 ? 1 << (index % 8) : 0xff }))
}

/** Each file of LevelDB but CURRENT cut at `count` places, and in as many a sector cleared, or exchanged with another. */
export function sectorsOf({ directory }: LevelSubject, count: number, seed: number): DamageJob['flips'] {
  const level = join(directory, 'pristine', 'level')
  const random = choices(seed)
  const names = readdirSync(level).filter((name) => /^(MANIFEST-\d+|\d+\.(ldb|log))$/.test(name))
  return names.flatMap((file) => {
    const { length } = readFileSync(join(level, file))
    const sectors = Math.floor(length / sectorBytes)
    return Array.from({ length: length === 0 ? 0 : count }, (_, i): Flip[] => {
      const offset = sectorBytes * random(Math.max(1, sectors))
      const swap = sectorBytes * random(Math.max(1, sectors))
      const cut = { file, mask: 0, cut: true, offset: Math.floor(((i + random(1000) / 1000) * length) / count) }
      const clear = { file, mask: 0, offset, clear: sectorBytes }
      return swap === offset || sectors < 2 ? [cut, clear] : [cut, clear, { file, mask: 0, offset, swap }]
    }).flat()
  })
}

/** Opens and closes the store again, so that LevelDB has merged its young tables: their filters are never asked again. */
export async function mergeTables({ directory }: LevelSubject): Promise<void> {
  const store = await open(join(directory, 'pristine'), damageOptions)
  await store.close()
}

/** The filters of all tables, cleared eight bytes at a time: they hide entries from look-ups and not from scans. */
export function clearedFilters({ directory }: LevelSubject): DamageJob['flips'] {
  const level = join(directory, 'pristine', 'level')
  const tables = readdirSync(level).filter((name) => name.endsWith('.ldb'))
  return tables.flatMap((file) => {
    // The block that names the filter follows it, behind its offsets and its checksum.
    const end = readFileSync(join(level, file)).indexOf('filter.leveldb') - 20
    expect(end, `${file} has no filter`).toBeGreaterThan(0)
    return Array.from({ length: 10 }, (_, i) => ({ file, offset: end - 8 * (i + 1), mask: 0, clear: 8 }))
  })
}

/** `aborted`: LevelDB ended the process by an assertion of its own. Nothing wrong was answered, nothing at all was. */
export type LevelTally = Tally & { aborted: number }

/** What each kind of file led to. Fails for damage that changes an answer unnoticed. */
export async function flipEach(
  subject: LevelSubject,
  judge: CompiledChild,
  flips: DamageJob['flips'],
): Promise<Map<string, LevelTally>> {
  const { directory, expected } = subject
  const jobFile = join(directory, 'job.json')
  const job: DamageJob = {
    pristine: join(directory, 'pristine'),
    hurt: join(directory, 'store'),
    ...expected,
    facts: [...expected.facts],
    flips,
  }
  writeFileSync(jobFile, JSON.stringify(job))
  const tallies = new Map<string, LevelTally>()
  const silent: string[] = []
  const count = (index: number, verdict: keyof LevelTally, changed: string): void => {
    const { file, ...how } = flips[index] as Flip
    const kind = kindOf(file)
    const tally = tallies.get(kind) ?? { ...emptyTally(), aborted: 0 }
    tally[verdict]++
    tallies.set(kind, tally)
    if (verdict === 'silent' || verdict === 'tail')
      silent.push(`${file}, ${JSON.stringify(how)}: ${verdict} ${changed}`)
  }
  for (let next = 0; next < flips.length; ) {
    const child = judge.start(jobFile, String(next))
    const gone = ended(child)
    onLines(child, (line) => {
      const [index, verdict, ...changed] = line.split(' ')
      count(Number(index), verdict as Verdict, changed.join(' '))
      next = Number(index) + 1
    })
    const how = await gone
    if (next === flips.length && how === '0') break
    expect(how, `judging flip ${next}, ${JSON.stringify(flips[next])}`).toBe('SIGABRT')
    count(next++, 'aborted', '')
  }
  expect(silent).toEqual([])
  return tallies
}

/** In the figures of L4: what LevelDB itself ended is detected, though roughly. */
export function reportTallies(context: TestContext, tallies: Iterable<LevelTally>): void {
  for (const { aborted, tail, ...others } of tallies) {
    const damages = aborted + tail + Object.values(others).reduce((sum, count) => sum + count, 0)
    reportLayer(context, 'L4', { damages, ...others, residual: tail, aborted })
  }
}

export function summary(tally: LevelTally): string {
  return Object.entries(tally)
    .flatMap(([verdict, count]) => (count > 0 ? [`${count} ${verdict}`] : []))
    .join(', ')
}
