/**
 * Goal: whatever moment the power goes, every cache structure holds exactly what the records in the log say, its counts
 * too, and nothing that was taken, removed or past its deadline comes back. Method: that of store.test.ts, with steps of
 * the cache structures, a clock that goes on, and buffered writes that share a record.
 */
import { describe, expect, test } from 'vitest'
import { exploreCrashes } from '../../src/testing/index.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { replay, replayable, withFakeTimers } from './exploration.ts'
import { caches } from './store-steps.ts'
import { storeWorkload } from './store-workload.ts'

withFakeTimers()

const workload = storeWorkload({ repertoire: caches, steps: 30 })

describe('cache structures whose power is cut', { timeout: 600_000 }, () => {
  test('at any call hold what the records in the log say, with their counts, and nothing that is gone', async (context) => {
    const { seeds, states } = await exploreCrashes(workload, {
      ...{ seeds: effort(6, 60), firstSeed: firstSeed() + 2001, statesPerSeed: effort(24, 60) },
      ...replayable('store-caches', 'at any call hold'),
    })
    reportLayer(context, 'L1', { states, seeds })
    if (replay === undefined) expect(states).toBe(2 * effort(6 * 24, 60 * 60))
  })

  test('at every call keep the order of writes of one turn, buffered or not, also those that share a record', async (context) => {
    const list = Array.from({ length: effort(3, 12) }, (_, i) => `burst#${firstSeed() + i}`)
    const { seeds, states } = await exploreCrashes(
      { ...workload, steps: (_random, life) => (life === 1 ? list : ['burst#77']) },
      { modes: ['strict', 'subset'], tearBytes: [512], ...replayable('store-caches', 'at every call keep the order') },
    )
    reportLayer(context, 'L1', { states, seeds })
    if (replay === undefined) expect(states).toBeGreaterThan(effort(50, 200))
  })

  test('during recovery hold the same', async (context) => {
    const report = await exploreCrashes(storeWorkload({ repertoire: caches, steps: 16 }), {
      ...{ seeds: effort(1, 8), firstSeed: firstSeed() + 3001, depth: 2 },
      ...{ statesPerSeed: effort(2, 4), recoveriesPerSeed: effort(1, 4) },
      ...replayable('store-caches', 'during recovery'),
    })
    reportLayer(context, 'L2', { states: report.recoveryStates, seeds: report.seeds })
    if (replay === undefined) expect(report.recoveryStates).toBeGreaterThan(effort(20, 400))
  })
})
