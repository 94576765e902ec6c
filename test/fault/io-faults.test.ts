/**
 * Goal: whatever call of the file system fails, nothing acknowledged is lost and the store says so with a documented
 * error. Method: fail the n-th call of a kind for n = 1, 2, … until a run has no such call, once and from then on; then
 * go on from the healed disk or, at every other call, from what a power cut right then leaves. The heavy twin of this
 * file does both at every call.
 */
import { beforeAll, describe, it } from 'vitest'
import { failEveryCall, kinds } from './fault-loop.ts'
import { type Aftermath, type Machine, newMachine, usedMachine } from './fault-world.ts'

describe.each([
  ['a new store', () => Promise.resolve(newMachine())],
  ['a store that was killed', usedMachine],
] as const)('%s loses nothing acknowledged when, at any call', (age, make) => {
  let machine: Machine
  beforeAll(async () => {
    machine = await make()
  })

  for (const kind of kinds) {
    const inTurn = (call: number, repeat: boolean): Aftermath => ((call % 2 === 0) === repeat ? 'reopen' : 'power cut')
    it(kind.name, () => failEveryCall(age, machine, kind, inTurn))
    // What a failed sync dropped is missed only when the page cache is gone: no call may go without.
    if (kind.name.includes('datasync'))
      it(`${kind.name}, then a power cut`, () => failEveryCall(age, machine, kind, () => 'sudden power cut'))
  }
})
