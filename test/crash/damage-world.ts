/**
 * A small store with a bit of everything, and the verdict on a damaged copy of it: what is damaged must be detected, by
 * opening, reading or verifying, or must not matter at all.
 */
import { hasCode, HoldfastError } from '../../src/base/index.ts'
import { open, type OpenOptions, type Store } from '../../src/index.ts'

export const damageOptions = {
  segmentBytes: 1024,
  checkpointBytes: 6 * 1024,
  memoryBytes: 64 * 1024,
  bufferedIntervalMs: 5,
}
const processes = ['D'.repeat(43), 'E'.repeat(43)] as const

/** What was acknowledged, read in a way that touches every kind of key. */
export type Facts = ReadonlyMap<string, string>

const rounds = 9

/** What stores that live several times have of each life beside all this. */
export const lives = 3
export const lifeContents = 12
export const lifeContent = (life: number, i: number) => ({ life, i, data: `${life}-${i}/`.repeat(40) })

export async function fill(store: Store, onCheckpoint: () => void = () => undefined): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const process = processes[round % 2] as string
    const slot = (store.assignments.latestSync(process)?.slot ?? -1) + 1
    await store.assignments.writeMany(
      [0, 1].map((i) => ({ process, slot: slot + i, round, data: `${round}/`.repeat(12), 'hash-chain': `c${round}` })),
    )
    await store.paths.write('latest', Buffer.from(`round ${round}`))
    await store.paths.write(`dir/${round}`, Buffer.from('x'))
    if (round > 0) await store.paths.remove(`dir/${round - 1}`)
    if (round % 4 === 0) await store.paths.link(`assignments/${process}/${slot}`, `link-${round}`)
    await store.content.put({ round, large: round % 6 === 0 ? `${round}.`.repeat(1600) : '' })
    // Each lays its own files in the backend, so that older states of a key are there to come back.
    if (round === 3 || round === 7) await store.checkpoint().then(onCheckpoint)
  }
  await store.assignments.prune(processes[0], { below: 2 })
  await store.content.pin(store.content.id({ round: 1, large: '' }))
  await store.assignments.writeLocation(processes[0], { url: 'http://example.org' })
}

/** Every read of the API over what `fill` wrote. Throws what a read throws. */
export async function factsOf(store: Store): Promise<Facts> {
  const facts = new Map<string, string>()
  const add = (name: string, value: unknown): void => void facts.set(name, JSON.stringify(value) ?? 'undefined')
  for (const process of processes) {
    add(`latest ${process}`, await store.assignments.latest(process))
    add(`list ${process}`, await store.assignments.list(process))
    add(`page ${process}`, await store.assignments.page(process))
    for (let slot = 0; slot < rounds; slot++)
      add(`slot ${process} ${slot}`, await store.assignments.read(process, slot))
    add(`location ${process}`, await store.assignments.readLocation(process))
  }
  for (let round = 0; round < rounds; round++) {
    const id = store.content.id({ round, large: round % 6 === 0 ? `${round}.`.repeat(1600) : '' })
    add(`content ${round}`, await store.content.get(id))
    add(`bytes ${round}`, Buffer.from((await store.content.bytes(id)) ?? []).toString('hex'))
    add(`dir ${round}`, await store.paths.type(`dir/${round}`))
    add(`link ${round}`, await store.paths.resolve(`link-${round}`))
  }
  for (let life = 0; life < lives; life++) {
    for (let i = 0; i < lifeContents; i++)
      add(`life ${life} ${i}`, await store.content.get(store.content.id(lifeContent(life, i))))
  }
  add('latest', Buffer.from((await store.paths.read('latest')) ?? []).toString())
  add('list dir', await store.paths.list('dir'))
  return facts
}

/**
 * `refused`: opening says so. `read`: a read says so. `verify`: verification says so. `harmless`: everything reads
 * back and verifies. `tail`: the store is a whole, verified prefix that lacks only what came after the last promise.
 * `silent`: none of these, which must not happen.
 */
export type Verdict = 'refused' | 'read' | 'verify' | 'harmless' | 'tail' | 'silent'
export type Tally = Record<Verdict, number>

export const emptyTally = (): Tally => ({ refused: 0, read: 0, verify: 0, harmless: 0, tail: 0, silent: 0 })

const honest = new Set([
  'HOLDFAST_CORRUPT',
  'HOLDFAST_FORMAT_UNSUPPORTED',
  'HOLDFAST_IO',
  'HOLDFAST_MISSING_CONTENT',
  'HOLDFAST_NOT_FOUND',
  'HOLDFAST_EXISTS',
])

export interface Expected {
  readonly facts: Facts
  readonly lastSequence: number
}

/** Opens a damaged copy at `location` and judges it. `explain` hears of a silent one. */
export async function judge(
  location: string,
  options: OpenOptions,
  expected: Expected,
  explain: (what: string) => void,
): Promise<Verdict> {
  let store: Store
  try {
    store = await open(location, { ...damageOptions, ...options })
  } catch (error) {
    return orThrow(error, 'refused')
  }
  try {
    return await judgeOpen(store, expected, explain)
  } finally {
    await store.close().catch((error: unknown) => orThrow(error, 'refused'))
  }
}

async function judgeOpen(store: Store, expected: Expected, explain: (what: string) => void): Promise<Verdict> {
  try {
    const { ok } = await store.verify()
    if (!ok) return 'verify'
  } catch (error) {
    return orThrow(error, 'verify')
  }
  let different: string | undefined
  try {
    const facts = await factsOf(store)
    different = [...expected.facts].find(([name, value]) => facts.get(name) !== value)?.[0]
  } catch (error) {
    return orThrow(error, 'read')
  }
  if (different === undefined) return 'harmless'
  if (store.lastSequence < expected.lastSequence) return 'tail'
  explain(different)
  return 'silent'
}

function orThrow(error: unknown, verdict: Verdict): Verdict {
  if (error instanceof HoldfastError && honest.has(error.code) && !hasCode(error, 'HOLDFAST_ASSERTION')) return verdict
  throw error
}
