/**
 * Random calls of the public API against plain maps, with closings, power cuts, stops in the middle of anything,
 * faults and damage in between, shrunk when they disagree. A case depends on its seed alone: the clock is the test's,
 * timers fire when a command says so, the disk takes no time.
 */
import fc from 'fast-check'
import { afterEach, beforeEach, test, vi } from 'vitest'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { powerCut, settings } from './crash-commands.ts'
import { anyCommand, queries } from './registry.ts'
import { World } from './world.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Of a failing case: what fast-check prints of it. */
const seed = Number(process.env['HOLDFAST_MODEL_SEED'] ?? 1 + firstSeed())
const path = process.env['HOLDFAST_MODEL_PATH']
const replayPath = process.env['HOLDFAST_MODEL_REPLAY']
/** `no` for finding out only whether there is a failing case, as mutants do. */
const shrinks = process.env['HOLDFAST_MODEL_SHRINK'] !== 'no'
/** Runs take a fraction of it; the rest is for shrinking. */
const timeLimitMs = effort(170_000, 590_000)
const numRuns = Number(process.env['HOLDFAST_MODEL_RUNS'] ?? effort(150, 2000))

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
          ...(replayPath === undefined ? {} : { replayPath }),
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
      {
        ...{ numRuns, seed, interruptAfterTimeLimit: timeLimitMs - 20_000, markInterruptAsFailure: true },
        ...(path === undefined ? { endOnFailure: !shrinks } : { path, endOnFailure: true }),
      },
    )
    reportLayer(context, 'L5', { runs, commands, openings })
  },
  timeLimitMs,
)
