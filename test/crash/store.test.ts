/**
 * Goal: whatever moment the power goes, the store holds a prefix of what was written with everything acknowledged in
 * it, and goes on from there. Method: run a seeded workload on a simulated disk, cut the power at every file-system
 * call in turn and in each crash mode, recover, compare with the model, write again, crash again, recover again.
 */
import { describe, expect, test } from 'vitest'
import { MemoryBackend } from '../../src/kv/index.ts'
import { type CrashMode, SimulatedDisk } from '../../src/testing/simulated-disk.ts'
import { CrashingBackend, crash, Model, openOn, work } from './store-world.ts'

const modes: CrashMode[] = ['strict', 'all', 'subset', 'directory-first']
const steps = 24

async function callsOf(seed: number): Promise<number> {
  const disk = new SimulatedDisk()
  const store = await openOn(disk, new MemoryBackend())
  await work(store, new Model('strict'), seed, steps)
  await store.close()
  return disk.callCount
}

/** One state: cut at call `at`, recover twice with writes in between. */
async function explore(seed: number, at: number, mode: CrashMode): Promise<void> {
  const context = `seed ${seed}, call ${at}, ${mode}`
  const disk = new SimulatedDisk()
  const backend = new CrashingBackend()
  disk.crashAt(at)
  backend.crashed = () => disk.callCount >= at
  const model = new Model(mode)
  const first = await openOn(disk, backend).catch(() => undefined)
  if (first !== undefined) {
    await work(first, model, seed, steps)
    await first.close().catch(() => undefined)
  }
  const after = crash(disk, backend, mode, at)
  const second = await openOn(after.disk, after.backend)
  await model.assertHolds(second, context)
  model.collapse(second.lastSequence)
  await work(second, model, seed + 1000, 6)
  const again = crash(after.disk, after.backend, mode, at + 1)
  await second.close().catch(() => undefined)
  const third = await openOn(again.disk, again.backend)
  await model.assertHolds(third, `${context}, second crash`)
  await third.close()
}

describe('a store whose power is cut', () => {
  for (const mode of modes) {
    test(`at any file-system call holds a prefix with everything acknowledged (I1, I2), mode ${mode}`, async () => {
      const seed = modes.indexOf(mode) + 1
      const calls = await callsOf(seed)
      expect(calls).toBeGreaterThan(100)
      for (let at = 1; at <= calls; at++) await explore(seed, at, mode)
    }, 120_000)
  }

  test('during recovery recovers to the same (I6)', async () => {
    const disk = new SimulatedDisk()
    const backend = new MemoryBackend()
    const model = new Model('strict')
    const store = await openOn(disk, backend)
    await work(store, model, 9, steps)
    const left = crash(disk, backend, 'subset', 9)
    await store.close().catch(() => undefined)
    const probe = left.disk.clone()
    const probed = await openOn(probe, left.backend.crash('all'))
    const recovered = probed.lastSequence
    const calls = probe.callCount
    await probed.close()
    for (const mode of modes) {
      for (let at = 1; at <= calls; at++) {
        const halted = left.disk.clone()
        const twin = new CrashingBackend()
        halted.crashAt(at)
        const interrupted = await openOn(halted, left.backend.crash('all')).catch(() => undefined)
        const again = halted.crash(mode, at)
        await interrupted?.close().catch(() => undefined)
        expect(twin.crashed()).toBe(false)
        const reopened = await openOn(again, left.backend.crash('all'))
        expect(reopened.lastSequence, `call ${at}, ${mode}`).toBe(recovered)
        await model.assertHolds(reopened, `recovery cut at call ${at}, ${mode}`)
        await reopened.close()
      }
    }
  }, 120_000)
})
