/** As damage-level.test.ts, with thousands of flipped bytes, and larger damage. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { firstSeed } from '../support/effort.ts'
import { type CompiledChild, compileChild } from './compiled-child.ts'
import {
  flipEach,
  flipsOf,
  levelSubject,
  type LevelSubject,
  reportTallies,
  sectorsOf,
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
    const tallies = await flipEach(subject, judge, flipsOf(subject, 500, 11 + firstSeed()))
    for (const [kind, tally] of tallies)
      process.stdout.write(`${end}, LevelDB ${kind}, bytes flipped: ${summary(tally)}\n`)
    expect([...tallies.keys()].sort()).toEqual(['.ldb', '.log', 'CURRENT', 'MANIFEST'])
    reportTallies(context, tallies.values())
  })

  it('every file of LevelDB cut short, with a sector cleared or two exchanged is detected or harmless', async (context) => {
    const tallies = await flipEach(subject, judge, sectorsOf(subject, 30, 5 + firstSeed()))
    for (const [kind, tally] of tallies)
      process.stdout.write(`${end}, LevelDB ${kind}, cut, cleared, exchanged: ${summary(tally)}\n`)
    expect([...tallies.keys()].sort()).toEqual(['.ldb', '.log', 'MANIFEST'])
    reportTallies(context, tallies.values())
  })
})
