/**
 * The same calls, of which none waits for the one before, on a disk whose writes and syncs end when fast-check's
 * scheduler says so: in between appends, rotations, checkpoints, reads and closings. What a promised read shows lies
 * between what had been written before the call and what had been written when it returned, and is acknowledged.
 */
import fc from 'fast-check'
import { test } from 'vitest'
import { reportLayer } from '../support/effort.ts'
import { powerCut, settings } from './crash-commands.ts'
import { gatedFileSystem } from './gated-file-system.ts'
import { Machine } from './machine.ts'
import { queries, schedulable } from './registry.ts'
import { assertOptions, commandsReplay, timeLimitMs, withFakeTimers } from './run-options.ts'
import { turn, World } from './world.ts'

withFakeTimers()

/** A command that waits for the disk runs inside a task of the scheduler, which runs no other task meanwhile. */
async function drive(scheduler: fc.Scheduler, work: Promise<void>): Promise<void> {
  let ended = false
  const finished = work.finally(() => {
    ended = true
  })
  finished.catch(() => undefined)
  while (!ended) {
    for (let i = 0; i < 20 && !ended; i++) await Promise.resolve()
    if (!ended && scheduler.count() > 0) await scheduler.waitOne()
    else if (!ended) await turn()
  }
  await finished
}

test(
  'calls agree with plain maps in whatever order the disk answers them',
  async (context) => {
    let runs = 0
    let commands = 0
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        // One who writes alone is not to be served on the calling thread: such a call cannot be held up.
        settings.map((chosen) => ({ ...chosen, disk: 'slow' as const })),
        fc.commands([schedulable], {
          maxCommands: 40,
          size: 'max',
          ...commandsReplay,
        }),
        powerCut,
        async (scheduler, chosen, list, last) => {
          let gated = false
          const gate = (label: string): Promise<void> =>
            gated ? scheduler.schedule(Promise.resolve(), label) : Promise.resolve()
          const world = new World(queries, new Machine((inner) => gatedFileSystem(inner, gate)), (work) =>
            drive(scheduler, work),
          )
          await world.start(chosen)
          gated = true
          await fc.scheduledModelRun(scheduler, () => ({ model: {}, real: world }), list)
          await scheduler.waitIdle()
          await drive(scheduler, world.settle())
          gated = false
          await world.finish(last, chosen)
          runs++
          commands += world.commands
        },
      ),
      assertOptions(25, 250),
    )
    reportLayer(context, 'L5', { 'scheduled runs': runs, commands })
  },
  timeLimitMs,
)
