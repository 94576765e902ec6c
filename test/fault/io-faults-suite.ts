import { beforeAll, describe, it } from 'vitest'
import { effort, reportLayer } from '../support/effort.ts'
import { failEveryCall, furtherKinds, type Kind, kinds } from './fault-loop.ts'
import type { Aftermath, Machine } from './fault-world.ts'
import type { Workload } from './workloads.ts'

const inTurn: readonly Aftermath[] = ['reopen', 'power cut', 'sudden power cut']

export interface Subject {
  readonly workload: Workload
  readonly age: string
  readonly make: () => Promise<Machine>
  /** Short runs take every so manieth call. */
  readonly stride: number
}

/** Every kind of fault at every call of a workload. The aftermaths take turns; after a failed sync each comes at every call. */
export function faultSuite({ workload, age, make, stride }: Subject): void {
  describe(`${workload.name}, ${age}: nothing acknowledged is lost when, at any call,`, () => {
    let machine: Machine
    beforeAll(async () => {
      machine = await make()
    })

    const loop = (kind: Kind, offset: number) => ({
      ...{ workload, age, machine, kind, stride: effort(stride, 1) },
      aftermathOf: (call: number, repeat: boolean) => {
        // Files are shortened when a store closes, which a sudden power cut comes before.
        const choices = kind.fault.operation === 'truncate' ? 2 : 3
        return inTurn[(Math.floor(call / effort(stride, 1)) + (repeat ? 1 : 0) + offset) % choices] as Aftermath
      },
    })
    const all = [...kinds, ...(effort(0, 1) === 1 ? furtherKinds : [])]
    for (const [index, kind] of all.entries()) {
      // What a failed sync dropped is missed only when the page cache is gone: no call may go without any aftermath.
      const offsets = kind.name.includes('datasync') && stride === 1 ? [0, 1, 2] : [index]
      it(kind.name, async (context) => {
        let faults = 0
        for (const offset of offsets) faults += await failEveryCall(loop(kind, offset))
        reportLayer(context, 'L3', { faults, ...(index === 0 ? { workloads: 1 } : {}) })
      })
    }
  })
}
