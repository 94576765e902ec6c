/**
 * Random calls of the public API against plain maps, with closings, power cuts, stops in the middle of anything,
 * faults and damage in between, shrunk when they disagree. A case depends on its seed alone: the clock is the test's,
 * timers fire when a command says so, the disk takes no time.
 */
import fc from 'fast-check'
import { test } from 'vitest'
import { reportLayer } from '../support/effort.ts'
import { powerCut, settings } from './crash-commands.ts'
import { anyCommand, queries } from './registry.ts'
import { assertOptions, commandsReplay, timeLimitMs, withFakeTimers } from './run-options.ts'
import { World } from './world.ts'

withFakeTimers()

test(
  'a store agrees with plain maps through any sequence of calls, crashes and faults',
  async (context) => {
    let runs = 0
    let commands = 0
    let openings = 0
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.commands([anyCommand], {
          maxCommands: 60,
          size: 'max',
          ...commandsReplay,
        }),
        powerCut,
        async (first, list, last) => {
          const world = new World(queries)
          await fc.asyncModelRun(async () => {
            await world.start(first)
            return { model: {}, real: world }
          }, list)
          await world.finish(last, first)
          runs++
          commands += world.commands
          openings += world.openings
        },
      ),
      assertOptions(150, 2000),
    )
    reportLayer(context, 'L5', { runs, commands, openings })
  },
  timeLimitMs,
)
