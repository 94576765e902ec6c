/** Flips bytes in the files of the real LevelDB under a store and tallies what comes of it. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { open } from '../../src/index.ts'
import { damageOptions, emptyTally, type Expected, factsOf, fill, judge, type Tally } from './damage-world.ts'
import { choices } from './kill-world.ts'

export interface LevelSubject {
  readonly directory: string
  readonly expected: Expected
}

/** A store of several lives, so that LevelDB has tables, a log and a manifest that all matter. */
export async function levelSubject(end: 'closed' | 'killed'): Promise<LevelSubject> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-damage-'))
  const pristine = join(directory, 'pristine')
  for (let life = 0; life < 3; life++) {
    const store = await open(pristine, damageOptions)
    if (life === 0) await fill(store)
    for (let i = 0; i < 12; i++) await store.content.put({ life, i, data: `${life}-${i}/`.repeat(40) })
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

interface Position {
  readonly file: string
  readonly offset: number
}

/** Every byte of CURRENT, and `count` others spread evenly over the bytes of all other files, seeded. */
export function positions({ directory }: LevelSubject, count: number, seed: number): Position[] {
  const level = join(directory, 'pristine', 'level')
  const random = choices(seed)
  const files = readdirSync(level).filter((name) => /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|log))$/.test(name))
  const sizes = files.map((name) => ({ name, size: readFileSync(join(level, name)).length }))
  const all: Position[] = []
  for (const { name, size } of sizes)
    if (name === 'CURRENT') for (let offset = 0; offset < size; offset++) all.push({ file: name, offset })
  const others = sizes.filter(({ name, size }) => name !== 'CURRENT' && size > 0)
  const total = others.reduce((sum, { size }) => sum + size, 0)
  for (let i = 0; i < count; i++) {
    let at = Math.floor(((i + random(1000) / 1000) / count) * total)
    for (const { name, size } of others) {
      if (at < size) {
        all.push({ file: name, offset: at })
        break
      }
      at -= size
    }
  }
  return all
}

/** What files the positions hit, for the summary. */
export function kindOf(file: string): string {
  return /\.\w+$/.exec(file)?.[0] ?? file.replace(/-\d+$/, '')
}

export async function flipEach(
  subject: LevelSubject,
  at: readonly Position[],
): Promise<{ tally: Tally; byKind: Map<string, Tally> }> {
  const tally = emptyTally()
  const byKind = new Map<string, Tally>()
  const pristine = join(subject.directory, 'pristine')
  const hurt = join(subject.directory, 'store')
  for (const [index, { file, offset }] of at.entries()) {
    rmSync(hurt, { recursive: true, force: true })
    cpSync(pristine, hurt, { recursive: true })
    const path = join(hurt, 'level', file)
    const bytes = readFileSync(path)
    const mask = index % 2 === 0 ? 1 << (index % 8) : 0xff
    bytes[offset] = (bytes[offset] as number) ^ mask
    writeFileSync(path, bytes)
    const what = `${file} at ${offset} of ${bytes.length}, mask ${mask}`
    const verdict = await judge(hurt, {}, subject.expected, (fact) =>
      expect.soft(fact, `${what} goes unnoticed`).toBeUndefined(),
    )
    expect(verdict, what).not.toBe('tail')
    tally[verdict]++
    const kind = byKind.get(kindOf(file)) ?? emptyTally()
    kind[verdict]++
    byKind.set(kindOf(file), kind)
  }
  return { tally, byKind }
}

export function summary(tally: Tally): string {
  return Object.entries(tally)
    .flatMap(([verdict, count]) => (count > 0 ? [`${count} ${verdict}`] : []))
    .join(', ')
}
