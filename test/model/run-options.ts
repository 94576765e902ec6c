/** How much the model tests run, and which case again. */
import { afterEach, beforeEach, vi } from 'vitest'
import { effort, firstSeed, isHunting } from '../support/effort.ts'

const path = process.env['HOLDFAST_MODEL_PATH']
const replayPath = process.env['HOLDFAST_MODEL_REPLAY']
/** `no` for finding out only whether there is a failing case. */
const shrinks = process.env['HOLDFAST_MODEL_SHRINK'] !== 'no' && !isHunting

/** Runs take a fraction of it; the rest is for shrinking. */
export const timeLimitMs = effort(170_000, 590_000)

/** For `fc.commands`: of a failing case what fast-check prints of it. */
export const commandsReplay = replayPath === undefined ? {} : { replayPath }

/** For `fc.assert`. */
export function assertOptions(short: number, full: number) {
  return {
    numRuns: Number(process.env['HOLDFAST_MODEL_RUNS'] ?? effort(short, full)),
    seed: Number(process.env['HOLDFAST_MODEL_SEED'] ?? 1 + firstSeed()),
    interruptAfterTimeLimit: timeLimitMs - 20_000,
    markInterruptAsFailure: true,
    ...(path === undefined ? { endOnFailure: !shrinks } : { path, endOnFailure: true }),
  }
}

/** Timers move only when a command lets time pass. */
export function withFakeTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}
