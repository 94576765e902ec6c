/**
 * Goal: whatever call of the file system fails, nothing acknowledged is lost and the store says so with a documented
 * error. Method: fail the n-th call of a kind for n = 1, 2, … until a run has no such call, once and from then on; then
 * go on from the healed disk or, at every other call, from what a power cut right then leaves. The heavy twin of this
 * file does both at every call.
 */
import { beforeAll, describe, it } from 'vitest'
import { failEveryCall, kinds } from './fault-loop.ts'
import { type Machine, newMachine, usedMachine } from './fault-world.ts'

describe.each([
  ['a new store', () => Promise.resolve(newMachine())],
  ['a store that was killed', usedMachine],
] as const)('%s loses nothing acknowledged when, at any call', (age, make) => {
  let machine: Machine
  beforeAll(async () => {
    machine = await make()
  })

  for (const kind of kinds) {
    it(kind.name, () =>
      failEveryCall(age, machine, kind, (call, repeat) => ((call % 2 === 0) === repeat ? 'reopen' : 'power cut')),
    )
  }
})
