/**
 * Goal: the tests notice what they are there for. Method: run them against one deliberate defect after another, each
 * compiled into the source for that run only; every one must make a test fail, and a change that means nothing none.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reportLayer } from '../support/effort.ts'
import { type Hunted, huntAll, line } from './hunt.ts'
import { defects, type Mutant } from './mutant.ts'
import { inert, mutants } from './table.ts'

const lanes = 2
const real = mutants.filter((mutant) => mutant !== inert)
const results = new Map<Mutant, Promise<Hunted>>()

beforeAll(() => {
  const settle = new Map<Mutant, (hunted: Hunted) => void>()
  for (const mutant of mutants) results.set(mutant, new Promise((resolve) => settle.set(mutant, resolve)))
  // The one that runs all tests first: the others fit in beside it.
  void huntAll([inert, ...real], lanes, (hunted) => settle.get(hunted.mutant)?.(hunted))
})

afterAll(async () => {
  const lines = (await Promise.all(results.values())).map(line)
  process.stdout.write(`${lines.join('\n')}\n`)
})

describe('a mutant', () => {
  it.each(real)('with the defect "$defect", $name, is killed', async (mutant) => {
    const { verdict, reason } = (await results.get(mutant)) as Hunted
    expect(verdict, `${mutant.name}: ${mutant.breaks}\n${reason}`).toBe('killed')
  })

  it('of each of the twelve defects is killed', async (context) => {
    const hunted = await Promise.all(real.map((mutant) => results.get(mutant) as Promise<Hunted>))
    const killed = hunted.filter(({ verdict }) => verdict === 'killed')
    const whole = defects.filter((defect) =>
      hunted.every(({ mutant, verdict }) => mutant.defect !== defect || verdict === 'killed'),
    )
    reportLayer(context, 'mutants', { killed: killed.length, of: real.length, defects: whole.length })
    expect(whole).toEqual(defects)
  })

  it('that means nothing survives every layer', async () => {
    const { verdict, reason } = (await results.get(inert)) as Hunted
    expect(verdict, reason).toBe('survived')
  })
})
