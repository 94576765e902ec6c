/** As damage-level.test.ts, with thousands of flipped bytes. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CompiledChild, compileChild } from './compiled-child.ts'
import { flipEach, flipsOf, levelSubject, type LevelSubject, summary } from './damage-level-world.ts'

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

  it('every flipped byte of LevelDB is detected or harmless', async () => {
    const tallies = await flipEach(subject, judge, flipsOf(subject, 1500, 11))
    for (const [kind, tally] of tallies)
      process.stdout.write(`${end}, LevelDB ${kind}, bytes flipped: ${summary(tally)}\n`)
    expect([...tallies.keys()].sort()).toEqual(['.ldb', '.log', 'CURRENT', 'MANIFEST'])
  })
})
