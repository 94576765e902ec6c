/**
 * Goal: whatever moment the power goes, the store holds a prefix of what was written with everything acknowledged in
 * it and nothing that was removed, and goes on from there. Method: `exploreCrashes` over seeded lives with steps of
 * every kind (store-steps.ts); the model knows every fact that must be there, and so every one that must not.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Backend, CrashCaseFailed, exploreCrashes, type FileSystem } from '../../src/testing/index.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { replay, replayable, withFakeTimers } from './exploration.ts'
import { type StoreWorkload, storeWorkload } from './store-workload.ts'

withFakeTimers()

/** Its last steps see to it that something was acknowledged, whatever came before. */
function shortLife(steps: number): StoreWorkload {
  const workload = storeWorkload({ steps })
  return { ...workload, steps: (random, life) => [...workload.steps(random, life), 'assign#1', 'sync#1'] }
}

describe('a store whose power is cut', { timeout: 600_000 }, () => {
  test('at any call holds a prefix with everything acknowledged and nothing that was removed (I1, I2, I7, I8)', async (context) => {
    const { seeds, states } = await exploreCrashes(storeWorkload(), {
      ...{ seeds: effort(8, 48), firstSeed: firstSeed() + 1, statesPerSeed: effort(40, 60) },
      ...replayable('store', 'at any call holds'),
    })
    reportLayer(context, 'L1', { states, seeds })
    if (replay === undefined) expect(states).toBe(2 * effort(8 * 40, 48 * 60))
  })

  test('at every call of a short life, in every way, holds the same', async (context) => {
    const { seeds, states, calls } = await exploreCrashes(shortLife(effort(1, 5)), {
      ...{ seeds: effort(0, 2) + 1, firstSeed: firstSeed() + 501, ...(effort(0, 1) === 0 ? { tearBytes: [512] } : {}) },
      ...replayable('store', 'at every call of a short life'),
    })
    reportLayer(context, 'L1', { states, seeds })
    // Before each call and at the end: what survives is decided in six ways, in a short run four. Then once more.
    if (replay === undefined) expect(states).toBe(2 * effort(4, 6) * (calls + seeds))
  })

  test('during recovery recovers to the same (I6)', async (context) => {
    const report = await exploreCrashes(storeWorkload({ steps: 16 }), {
      ...{ seeds: effort(3, 14), firstSeed: firstSeed() + 1001, depth: 2 },
      ...{ statesPerSeed: effort(2, 4), recoveriesPerSeed: effort(2, 4) },
      ...replayable('store', 'during recovery'),
    })
    reportLayer(context, 'L2', { states: report.recoveryStates, seeds: report.seeds })
    if (replay === undefined) expect(report.recoveryStates).toBeGreaterThan(effort(200, 2000))
  })
})

/** Checkpoints come from steps alone, so that a short list of steps says all. */
const largeMemory = { memoryBytes: 4 * 1024 * 1024, checkpointBytes: 1024 * 1024 }

/** Names never become durable by syncing their directory. */
function withoutDirectorySync(fileSystem: FileSystem): FileSystem {
  return { ...fileSystem, syncDirectory: async (path) => void (await fileSystem.stat(path)) }
}

/** Deletions do not reach the backend. */
function withoutDeletions(backend: Backend): Backend {
  return new Proxy(backend, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name !== 'batch') return typeof value === 'function' ? (value.bind(target) as unknown) : value
      const batch: Backend['batch'] = (operations, options) =>
        target.batch(
          operations.filter(({ value: kept }) => kept !== undefined),
          options,
        )
      return batch
    },
  })
}

async function failureOf(work: Promise<unknown>): Promise<CrashCaseFailed> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CrashCaseFailed)) throw new Error('no promise was broken', { cause: error })
  return error
}

/** The shortest list of steps that fails, found by fast-check. */
async function shrunkByFastCheck(workload: StoreWorkload, kinds: readonly string[]): Promise<readonly string[]> {
  const step = fc.tuple(fc.constantFrom(...kinds), fc.nat({ max: 3 })).map(([name, seed]) => `${name}#${seed}`)
  const property = fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
    const one: StoreWorkload = { ...workload, steps: (_random, life) => (life === 1 ? steps : []) }
    await exploreCrashes(one, { modes: ['strict'], statesPerSeed: 6, shrinkStates: 0 }).catch((error: unknown) => {
      // A list that writes nothing cannot break a promise, and is refused.
      if (error instanceof CrashCaseFailed) throw error
    })
  })
  const { counterexample } = await fc.check(property, { seed: 1, numRuns: 30 })
  if (counterexample === null) throw new Error('fast-check found nothing')
  return counterexample[0]
}

describe('a store on something that breaks its own promises', { timeout: 120_000 }, () => {
  test.skipIf(replay !== undefined)(
    'is caught losing everything when directories are not synced, in one step',
    async () => {
      const workload = storeWorkload({ fileSystem: withoutDirectorySync })
      const failure = await failureOf(exploreCrashes(workload, { statesPerSeed: 60 }))
      expect(failure.steps).toHaveLength(1)
      const again = await failureOf(exploreCrashes(workload, { replay: failure.replay }))
      expect(again.message).toBe(failure.message)
      expect(await shrunkByFastCheck(workload, ['assign', 'write', 'sync', 'put'])).toHaveLength(1)
    },
  )

  test.skipIf(replay !== undefined)(
    'is caught bringing back what was removed when the backend forgets deletions, in three',
    async () => {
      const workload = storeWorkload({ backend: withoutDeletions, open: largeMemory })
      const failure = await failureOf(exploreCrashes(workload, { seeds: 4, statesPerSeed: 60 }))
      // Out of 24. Its own search is quick, not exact: which steps there are decides how far it gets.
      expect(failure.steps.length).toBeLessThanOrEqual(8)
      const again = await failureOf(exploreCrashes(workload, { replay: failure.replay }))
      expect(again.message).toBe(failure.message)
      const steps = await shrunkByFastCheck(workload, ['put', 'checkpoint', 'gc', 'write', 'remove'])
      // In the backend, then gone; closing makes the checkpoint that should tell the backend.
      expect(steps.map((step) => step.split('#')[0])).toEqual(['put', 'checkpoint', 'gc'])
    },
  )
})
