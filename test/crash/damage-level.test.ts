/**
 * Goal: LevelDB, which checks next to nothing by itself, never makes the store answer something else. Method: flip
 * seeded bytes of its tables, logs and manifest, and every byte of CURRENT, under a real store; of one that was closed
 * and of one that was killed. The heavy twin of this file flips thousands.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CompiledChild, compileChild } from './compiled-child.ts'
import {
  clearedFilters,
  flipEach,
  flipsOf,
  levelSubject,
  type LevelSubject,
  mergeTables,
  reportTallies,
  summary,
} from './damage-level-world.ts'

let judge: CompiledChild
beforeAll(() => {
  judge = compileChild('damage-level-judge', true)
})
afterAll(() => judge.remove())

describe.each(['closed', 'killed'] as const)('under a store that was %s', (end) => {
  let subject: LevelSubject
  beforeAll(async () => {
    subject = await levelSubject(end)
  })
  afterAll(() => rmSync(subject.directory, { recursive: true, force: true }))

  it('every flipped byte of LevelDB is detected or harmless', async (context) => {
    const tallies = await flipEach(subject, judge, flipsOf(subject, 60, 7))
    for (const [kind, tally] of tallies)
      process.stdout.write(`${end}, LevelDB ${kind}, bytes flipped: ${summary(tally)}\n`)
    expect([...tallies.keys()].sort()).toEqual(['.ldb', '.log', 'CURRENT', 'MANIFEST'])
    reportTallies(context, tallies.values())
  })

  it('a damaged filter, which hides entries from look-ups but not from scans, is detected or harmless', async (context) => {
    await mergeTables(subject)
    const tallies = await flipEach(subject, judge, clearedFilters(subject))
    const tally = tallies.get('.ldb')
    process.stdout.write(`${end}, LevelDB filters cleared: ${tally === undefined ? 'none' : summary(tally)}\n`)
    expect(tally?.verify).toBeGreaterThan(5)
    reportTallies(context, tallies.values())
  })
})
