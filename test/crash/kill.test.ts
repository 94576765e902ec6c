/**
 * Goal: what a process had been told is stored outlives that process, however it ends. Method: a writer on the real
 * disk and the real LevelDB is killed at a seeded moment, during its opening too, over and over on the same store.
 * A kill spares the page cache, so this says nothing about power cuts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ContentId, open, type Store } from '../../src/index.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { type CompiledChild, compileChild, ended, onLines } from './compiled-child.ts'
import { assignmentOf, choices, killOptions, type Origin, writerProcess, writers } from './kill-world.ts'

const kills = Number(process.env['HOLDFAST_KILL_CYCLES'] ?? effort(20, 200))
/** Then a new store: looking through one takes as long as it is large. */
const killsPerStore = 10
/** Stores that are worked on at the same time; a writer and its survivor mostly wait for the disk. */
const lanes = 2

let directory: string
let writer: CompiledChild

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-kill-'))
  writer = compileChild('kill-writer')
})

afterAll(() => {
  writer.remove()
  rmSync(directory, { recursive: true, force: true })
})

/** `process slot` → id of everything any writer was told is stored. */
type Acknowledged = Map<string, ContentId>

/** Either after so many lines of output, or at a time that may fall into the opening. */
interface Moment {
  readonly lines?: number
  readonly milliseconds?: number
}

async function killWriter(
  location: string,
  cycle: number,
  moment: Moment,
  acknowledged: Acknowledged,
  ...broken: string[]
): Promise<void> {
  const child = writer.start(location, String(cycle), ...broken)
  const gone = ended(child)
  const { lines = Number.POSITIVE_INFINITY, milliseconds } = moment
  const timer = milliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds)
  let seen = 0
  onLines(child, (line) => {
    const [process, slot, id] = line.split(' ')
    if (slot !== undefined && id !== undefined) acknowledged.set(`${process} ${slot}`, id)
    if (++seen >= lines) child.kill('SIGKILL')
  })
  expect(await gone, `cycle ${cycle}: the writer ended by itself`).toBe('SIGKILL')
  clearTimeout(timer)
}

/** Everything acknowledged, nothing in part, no gap, no strange content. Answers how many slots there are. */
async function assertSurvived(store: Store, acknowledged: Acknowledged, context: string): Promise<number> {
  const batches = new Map<string, { of: number; found: number }>()
  let slots = 0
  for (let index = 0; index < writers; index++) {
    const process = writerProcess(index)
    let next = 0
    for await (const { slot, id, assignment } of store.assignments.range(process)) {
      expect(slot, `${context}: ${process} has a gap`).toBe(next++)
      const origin = { ...assignment, slot, writer: index } as unknown as Origin
      const expected = store.content.id(assignmentOf(origin))
      if (store.content.id(assignment) !== expected || id !== expected)
        expect.unreachable(`${context}: slot ${slot} of ${process} was never written so`)
      const key = `${process} ${slot}`
      const told = acknowledged.get(key)
      if (told !== undefined && told !== id)
        expect.unreachable(`${context}: slot ${slot} of ${process} is not what was acknowledged`)
      // From now on it has been seen and must stay.
      acknowledged.set(key, id)
      const batch = batches.get(origin.batch) ?? { of: origin.of, found: 0 }
      batches.set(origin.batch, { of: batch.of, found: batch.found + 1 })
      slots++
    }
  }
  expect(acknowledged.size - slots, `${context}: acknowledged assignments are missing`).toBe(0)
  for (const [batch, { of, found }] of batches)
    if (of !== found) expect.unreachable(`${context}: ${found} of ${of} of record ${batch}`)
  expect(await store.verify(), context).toMatchObject({ ok: true, problems: [], slots })
  return slots
}

interface Tally {
  acknowledged: number
  replayed: number
}

/** Kills one writer after the other on one store, and looks at what is left after each. */
async function killOnOneStore(location: string, firstCycle: number, count: number, tally: Tally): Promise<void> {
  const acknowledged: Acknowledged = new Map()
  const random = choices(20 + firstSeed() + firstCycle)
  for (let cycle = firstCycle; cycle < firstCycle + count; cycle++) {
    // The first has to create the store; then one in five dies about when it opens it.
    const moment: Moment = cycle % 5 === 4 ? { milliseconds: 50 + random(250) } : { lines: 2 + random(50) }
    await killWriter(location, cycle, moment, acknowledged)
    const context = `cycle ${cycle}, killed at ${JSON.stringify(moment)}`
    // Reading only changes nothing, so the next writer recovers from the kill itself; every fourth time it is done here.
    const store = await open(location, { ...killOptions, readOnly: cycle % 4 !== 3 })
    tally.replayed += store.recovery.recordsReplayed
    await assertSurvived(store, acknowledged, context)
    await store.close()
  }
  tally.acknowledged += acknowledged.size
}

describe('a writer on the real disk that is killed', () => {
  it(
    `${kills} times loses nothing acknowledged and leaves nothing torn`,
    async (context) => {
      const tally: Tally = { acknowledged: 0, replayed: 0 }
      let begun = 0
      const lane = async (): Promise<void> => {
        while (begun < kills) {
          const first = begun
          const count = Math.min(killsPerStore, Math.ceil(kills / lanes), kills - first)
          begun += count
          await killOnOneStore(join(directory, `store-${first}`), first, count, tally)
        }
      }
      await Promise.all(Array.from({ length: lanes }, lane))
      expect(tally.acknowledged).toBeGreaterThan(kills * 10)
      expect(tally.replayed, 'no kill left anything to recover').toBeGreaterThan(kills)
      reportLayer(context, 'L7', { kills, acknowledged: tally.acknowledged })
    },
    effort(60_000, 600_000),
  )

  it('that says a record is there while it is only buffered loses it, and this is noticed', async () => {
    const location = join(directory, 'early')
    const acknowledged: Acknowledged = new Map()
    await killWriter(location, 0, { lines: 60 }, acknowledged, 'early')
    const store = await open(location, { ...killOptions, readOnly: true })
    await expect(assertSurvived(store, acknowledged, 'early')).rejects.toThrow('acknowledged assignments are missing')
    await store.close()
  })
})
