/** As io-faults.test.ts, with more kinds, and every aftermath at every call. */
import { beforeAll, describe, it } from 'vitest'
import { failEveryCall, furtherKinds, kinds } from './fault-loop.ts'
import { type Machine, newMachine, usedMachine } from './fault-world.ts'

describe.each([
  ['a new store', () => Promise.resolve(newMachine())],
  ['a store that was killed', usedMachine],
] as const)('%s loses nothing acknowledged when, at any call', (age, make) => {
  let machine: Machine
  beforeAll(async () => {
    machine = await make()
  })

  for (const aftermath of ['reopen', 'power cut', 'sudden power cut'] as const) {
    for (const kind of [...kinds, ...furtherKinds]) {
      // Files are shortened when a store closes, which a sudden power cut comes before.
      if (aftermath === 'sudden power cut' && kind.fault.operation === 'truncate') continue
      it(`${kind.name} (${aftermath})`, () => failEveryCall(age, machine, kind, () => aftermath))
    }
  }
})
