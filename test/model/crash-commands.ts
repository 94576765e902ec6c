/** Everything that ends an opening or makes it fail: closing, power cuts, stops in the middle, faults, damage. */
import fc from 'fast-check'
import { anySync, anyWrite, type Fault } from '../../src/testing/index.ts'
import { type Command, command, type Weighted } from './command.ts'
import type { BatchFault, PowerCut, Settings } from './machine.ts'
import type { Restart } from './world.ts'

export const settings: fc.Arbitrary<Settings> = fc.record({
  segmentBytes: fc.constantFrom(65_536, 512, 1024, 4096),
  partitions: fc.integer({ min: 1, max: 16 }),
  memoryBytes: fc.constantFrom(8 * 1024 * 1024, 65_536, 262_144),
  checkpointBytes: fc.constantFrom(1024 * 1024, 1, 2000, 12_000),
  durability: fc.constantFrom('sync' as const, 'sync' as const, 'os' as const, 'buffered' as const),
  disk: fc.constantFrom('quick' as const, 'slow' as const),
})

export const plainSettings: Settings = {
  ...{ segmentBytes: 65_536, partitions: 8, memoryBytes: 8 * 1024 * 1024, checkpointBytes: 1024 * 1024 },
  ...{ durability: 'sync', disk: 'quick' },
}

export const powerCut: fc.Arbitrary<PowerCut> = fc.record({
  mode: fc.constantFrom('strict' as const, 'all' as const, 'subset' as const, 'directory-first' as const),
  seed: fc.nat({ max: 1000 }),
  tearBytes: fc.constantFrom(512, 4096, 64),
})

const restart: fc.Arbitrary<Restart> = fc.record({
  settings,
  again: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ call: fc.integer({ min: 1, max: 60 }), cut: powerCut }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  ),
})

function describeCut({ mode, seed, tearBytes }: PowerCut): string {
  return `${mode}, seed ${seed}, sectors of ${tearBytes}`
}

function describeRestart({ settings: chosen, again }: Restart): string {
  const stops = again.map(({ call, cut }) => `; stopped at call ${call} of opening (${describeCut(cut)})`)
  return `then ${describeSettings(chosen)}${stops.join('')}`
}

export function describeSettings(chosen: Settings): string {
  const { segmentBytes, partitions, memoryBytes, checkpointBytes, durability, disk } = chosen
  return `{ segments ${segmentBytes}, ${partitions} partitions, memory ${memoryBytes}, checkpoint ${checkpointBytes}, ${durability}, ${disk} disk }`
}

const reopen = restart.map((each) => command(`reopen, ${describeRestart(each)}`, (world) => world.reopen(each)))

/** Closes in whatever is under way, and opens. */
export const plainReopening: readonly Weighted[] = [
  {
    weight: 1,
    arbitrary: settings.map((chosen) => {
      const slow = { ...chosen, disk: 'slow' as const }
      return command(`close and reopen, ${describeSettings(slow)}`, (world) =>
        world.reopen({ settings: slow, again: [] }),
      )
    }),
  },
]

const crash = fc
  .tuple(powerCut, restart)
  .map(([cut, next]) =>
    command(`crash (${describeCut(cut)}), ${describeRestart(next)}`, (world) => world.crash(cut, next)),
  )

const crashInside = fc
  .tuple(powerCut, restart, fc.integer({ min: 1, max: 25 }), fc.boolean())
  .map(([cut, next, count, inBatches]): Command => {
    const when = inBatches ? `batch ${1 + (count % 4)}` : `call ${count}`
    return command(`crash at ${when} from now (${describeCut(cut)}), ${describeRestart(next)}`, async (world) => {
      world.arm(cut, next)
      if (inBatches) world.machine.stopAfterBatches(1 + (count % 4))
      else world.machine.stopAfterCalls(count)
    })
  })

const kinds: readonly { readonly name: string; readonly fault: Fault }[] = [
  { name: 'a write fails', fault: { operation: anyWrite } },
  { name: 'a write is cut short by a full disk', fault: { operation: anyWrite, shortWrite: 11, code: 'ENOSPC' } },
  { name: 'a write is short', fault: { operation: anyWrite, shortWrite: 7 } },
  { name: 'a sync fails and drops its pages', fault: { operation: anySync, unsynced: 'drop' } },
  { name: 'a sync fails and keeps some pages', fault: { operation: anySync, unsynced: 'some' } },
  { name: 'a sync works and reports failure', fault: { operation: anySync, fails: 'after' } },
  { name: 'a directory sync fails', fault: { operation: 'syncDirectory' } },
  { name: 'a file cannot be opened', fault: { operation: 'open', code: 'EMFILE' } },
  { name: 'a rename fails', fault: { operation: 'rename' } },
  { name: 'a file cannot be removed', fault: { operation: 'unlink' } },
]

const fault = fc
  .tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 8 }), fc.boolean())
  .map(([{ name, fault: each }, call, repeat]) =>
    command(`fault: ${name}, call ${call} from now${repeat ? ' and later' : ''}`, async (world) => {
      world.machine.inject({ ...each, call, repeat })
    }),
  )

const batchFault: fc.Arbitrary<Command> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    applied: fc.boolean(),
    code: fc.constantFrom('EIO', 'ENOSPC'),
    repeat: fc.boolean(),
  })
  .map((each: BatchFault) =>
    command(
      `fault: batch ${each.batch} from now${each.repeat ? ' and later' : ''} fails with ${each.code}, ${each.applied ? 'applied' : 'not applied'}`,
      async (world) => world.machine.failBatch(each),
    ),
  )

const damage = fc
  .tuple(fc.nat({ max: 1000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 255 }))
  .map(([choice, share, mask]) =>
    command(`close, damage byte ${share.toFixed(3)} of file ${choice} by ${mask}, look, mend`, (world) =>
      world.damage(choice, share, mask),
    ),
  )

export const crashCommands: readonly Weighted[] = [
  { weight: 2, arbitrary: reopen },
  { weight: 4, arbitrary: crash },
  { weight: 4, arbitrary: crashInside },
  { weight: 2, arbitrary: fault },
  { weight: 1, arbitrary: batchFault },
  { weight: 1, arbitrary: damage },
]
