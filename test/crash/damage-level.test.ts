/**
 * Goal: LevelDB, which checks next to nothing by itself, never makes the store answer something else. Method: flip
 * seeded bytes of its tables, logs and manifest, and every byte of CURRENT, under a real store; of one that was closed
 * and of one that was killed. The heavy twin of this file flips thousands.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { flipEach, levelSubject, type LevelSubject, positions, summary } from './damage-level-world.ts'

describe.each(['closed', 'killed'] as const)('under a store that was %s', (end) => {
  let subject: LevelSubject
  beforeAll(async () => {
    subject = await levelSubject(end)
  })
  afterAll(() => rmSync(subject.directory, { recursive: true, force: true }))

  it('every flipped byte of LevelDB is detected or harmless', async () => {
    const { tally, byKind } = await flipEach(subject, positions(subject, 150, 7))
    for (const [kind, figures] of byKind) process.stdout.write(`${end}, LevelDB ${kind}: ${summary(figures)}\n`)
    expect(tally.silent).toBe(0)
    expect(tally.verify + tally.read + tally.refused).toBeGreaterThan(75)
  })
})
