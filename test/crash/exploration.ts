/** What the tests that explore crashes have in common: replaying one case, and timers in the tests' hand. */
import { afterEach, beforeEach, vi } from 'vitest'
import type { CrashExplorationOptions } from '../../src/testing/index.ts'
import { isHunting } from '../support/effort.ts'

/** The one case to run, as a failure printed it. */
export const replay = process.env['HOLDFAST_REPLAY']

/** `test` is a beginning of the test's name, or a pattern for it. */
export function replayable(file: string, test: string): CrashExplorationOptions {
  const command = `npm run test:crash -- test/crash/${file}.test.ts -t '${test}'`
  const shrinking = isHunting ? { shrinkStates: 0 } : {}
  return { replay, replayCommand: (spec) => `HOLDFAST_REPLAY='${spec}' ${command}`, ...shrinking }
}

/** Timers fire when a step lets time pass, at the same call in every run. */
export function withFakeTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}
