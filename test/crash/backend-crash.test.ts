/**
 * Goal: whatever part of its batches the backend keeps in a crash, the store is right afterwards or says that it is
 * not. Method: cut the power right before, in the middle of and right after every batch, with each way a backend may
 * survive; then recover, compare with the model, write, crash and recover again.
 */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { open } from '../../src/index.ts'
import { type BackendOperation, type CrashMode as BackendCrash, MemoryBackend } from '../../src/kv/index.ts'
import { type CrashMode, SimulatedDisk } from '../../src/testing/index.ts'
import { effort, reportLayer } from '../support/effort.ts'
import { location, Model } from './store-world.ts'

type Moment = 'before' | 'during' | 'after'

/** Runs `cut` around one batch and refuses everything from then on: the machine is off. */
class CutAtBatch extends MemoryBackend {
  batches = 0
  readonly #cutAt: number
  readonly #moment: Moment
  readonly #cut: (backend: MemoryBackend) => void

  constructor(at: number, moment: Moment, cut: (backend: MemoryBackend) => void) {
    super()
    this.#cutAt = at
    this.#moment = moment
    this.#cut = cut
  }

  override async batch(operations: readonly BackendOperation[], options: { sync: boolean }): Promise<void> {
    this.batches += 1
    if (this.batches > this.#cutAt) throw new Error('the machine is off')
    if (this.batches < this.#cutAt) return super.batch(operations, options)
    const done = this.#moment === 'before' ? undefined : super.batch(operations, options)
    if (this.#moment === 'after') await done
    this.#cut(this)
    // That of a batch in flight fails, as the backend has lost its power.
    await done
    throw new Error('the machine is off')
  }
}

function openOn(disk: SimulatedDisk, backend: MemoryBackend): Promise<Store> {
  // Checkpoints only where the plan has them, of several batches each.
  return open(location, { fileSystem: disk.fileSystem, backend, segmentBytes: 512 * 1024 })
}

const process = 'P'.repeat(43)
const large = 140 * 1024

/** Adds, overwrites and removes; every checkpoint takes several batches. Ends early when the power goes. */
async function plan(store: Store, model: Model, from: number, rounds: number): Promise<void> {
  for (let round = from; round < from + rounds; round++) {
    for (let part = 0; part < 4; part++) {
      const tag = `${round}-${part}`
      const before = store.lastSequence
      const list = [0, 1, 2].map((i) => ({ process, slot: (round * 4 + part) * 3 + i, tag }))
      const written = store.assignments.writeMany(list)
      model.add(
        store,
        before,
        written,
        'sync',
        async (at) => (await at.assignments.read(process, list[0]?.slot ?? 0))?.['tag'] === tag,
      )
      const next = store.lastSequence
      const overwritten = store.transact(() => {
        for (let i = 0; i < 4; i++) void store.paths.write(`latest/${part}/${i}`, Buffer.alloc(large, round + 1))
        void store.paths.write(`passing/${tag}`, Buffer.from(tag))
        if (part > 0) void store.paths.remove(`passing/${round}-${part - 1}`)
      })
      model.add(store, next, overwritten, 'sync', async (at) => {
        const there = ((await at.paths.read(`latest/${part}/3`))?.[0] ?? 0) > round
        // One record with the rest: the name before it is gone, its own there until the next record takes it away.
        if (there && part > 0) expect(await at.paths.type(`passing/${round}-${part - 1}`), tag).toBeUndefined()
        return there
      })
      await Promise.all([written, overwritten])
    }
    await store.checkpoint()
  }
}

interface Machine {
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
}

/** A life of two checkpoints, cut at one batch, and what `left` makes of the machine in that very moment. */
async function cutAt(
  batch: number,
  moment: Moment,
  left: (machine: Machine) => Machine,
): Promise<Machine & { model: Model }> {
  const disk = new SimulatedDisk()
  const model = new Model('strict')
  let after: Machine | undefined
  const backend = new CutAtBatch(batch, moment, (cut) => {
    after = left({ disk, backend: cut })
  })
  const store = await openOn(disk, backend).catch(() => undefined)
  if (store !== undefined) {
    await plan(store, model, 0, 2).catch(() => undefined)
    await store.close().catch(() => undefined)
  }
  if (after === undefined) throw new Error(`there is no batch ${batch}`)
  return { ...after, model }
}

async function batchesOfPlan(): Promise<number> {
  const backend = new CutAtBatch(Number.POSITIVE_INFINITY, 'before', () => undefined)
  const store = await openOn(new SimulatedDisk(), backend)
  await plan(store, new Model('strict'), 0, 2)
  const { batches } = backend
  await store.close()
  return batches
}

const diskModes: readonly CrashMode[] = ['strict', 'subset', 'all']

/** All of them where the seed decides what survives, else in turn: the batch before and after a moment are the same cut. */
function momentsOf(batch: number, survival: BackendCrash): Moment[] {
  const moments: Moment[] = ['before', 'during', 'after']
  return survival === 'prefix' ? moments : [moments[batch % 3] as Moment, 'during']
}

describe('a power cut at any batch of the backend', () => {
  for (const survival of ['strict', 'prefix', 'all'] as const satisfies BackendCrash[]) {
    it(`loses nothing when of the batches since the last sync survive: ${survival}`, async (context) => {
      const batches = await batchesOfPlan()
      expect(batches).toBeGreaterThan(10)
      let states = 0
      for (let batch = 1; batch <= batches; batch += effort(3, 1)) {
        for (const moment of momentsOf(batch, survival)) {
          const seed = batch * 3 + moment.length
          const mode = diskModes[seed % diskModes.length] as CrashMode
          const what = `batch ${batch}, ${moment}, backend ${survival}, disk ${mode}`
          states += 2
          const crash = (machine: Machine) => ({
            disk: machine.disk.crash(mode, seed),
            backend: machine.backend.crash(survival, seed),
          })
          const { disk, backend, model } = await cutAt(batch, moment, crash)
          const second = await openOn(disk, backend)
          await model.assertHolds(second, what)
          model.collapse(second.lastSequence)
          await plan(second, model, 10, 1)
          const again = crash({ disk, backend })
          await second.close().catch(() => undefined)
          const third = await openOn(again.disk, again.backend)
          await model.assertHolds(third, `${what}, again`)
          await third.close()
        }
      }
      reportLayer(context, 'L1', { states })
    })
  }

  it('that leaves a hole in its batches is healed by the log, and the accounting still fits', async () => {
    const batches = await batchesOfPlan()
    const outcomes = { right: 0, refused: 0 }
    for (let batch = 1; batch <= batches; batch++) {
      for (const moment of ['during', 'after'] as const) {
        for (let seed = 1; seed <= effort(1, 2); seed++) {
          const context = `batch ${batch}, ${moment}, seed ${seed}`
          const { disk, backend, model } = await cutAt(batch, moment, (machine) => ({
            disk: machine.disk.crash('strict'),
            backend: machine.backend.crash('subset', seed * 100 + batch),
          }))
          outcomes[await judgeHole(disk, backend, model, context)]++
        }
      }
    }
    expect(outcomes.right).toBeGreaterThan(batches)
  })
})

describe('a backend that silently lost its newest batches', () => {
  /** Three checkpoints, what the backend held after each, and a kill with writes in the log behind the third. */
  async function threeCheckpoints(): Promise<{ disk: SimulatedDisk; states: MemoryBackend[]; model: Model }> {
    const disk = new SimulatedDisk()
    const backend = new MemoryBackend()
    const model = new Model('all')
    const store = await openOn(disk, backend)
    const states: MemoryBackend[] = []
    for (let round = 0; round < 3; round++) {
      await plan(store, model, round, 1)
      states.push(await copyOf(backend))
    }
    const before = store.lastSequence
    const id = store.content.id({ last: true })
    const written = store.content.put({ last: true })
    model.add(store, before, written, 'sync', (at) => at.content.has(id))
    await written
    const killed = disk.crash('all')
    await store.close().catch(() => undefined)
    return { disk: killed, states, model }
  }

  async function copyOf(backend: MemoryBackend): Promise<MemoryBackend> {
    const copy = new MemoryBackend()
    await copy.open({ create: true })
    await copy.batch(backend.rawEntries(), { sync: true })
    await copy.close()
    return copy
  }

  it('with the newest checkpoint falls back to the one before and the log, and goes on from there', async () => {
    const { disk, states, model } = await threeCheckpoints()
    const behind = states[1] as MemoryBackend
    for (let life = 0; life < 3; life++) {
      const store = await openOn(disk, behind)
      if (life === 0) expect(store.recovery.recordsReplayed).toBeGreaterThan(1)
      await model.assertHolds(store, `life ${life}`)
      await plan(store, model, 10 + life, 1)
      await model.assertHolds(store, `life ${life}, gone on`)
      await store.close()
    }
  })

  it('again while it recovers from that falls back again', async () => {
    const { disk, states, model } = await threeCheckpoints()
    const store = await openOn(disk, states[1] as MemoryBackend)
    await store.content.put({ between: 1 })
    const again = disk.crash('all')
    await store.close().catch(() => undefined)
    const reopened = await openOn(again, await copyOf(states[1] as MemoryBackend))
    await model.assertHolds(reopened, 'twice')
    await reopened.close()
  })

  it('with both checkpoints is refused, and the log is left as it is', async () => {
    const { disk, states } = await threeCheckpoints()
    const before = disk
      .files()
      .filter((file) => file.includes('/wal/'))
      .map((file) => [file, disk.readBytes(file)] as const)
    await expect(openOn(disk, states[0] as MemoryBackend)).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    await expect(
      open(location, { fileSystem: disk.fileSystem, backend: states[0] as MemoryBackend, readOnly: true }),
    ).rejects.toMatchObject({
      code: 'HOLDFAST_CORRUPT',
    })
    for (const [file, bytes] of before) expect(disk.readBytes(file).equals(bytes), file).toBe(true)
    const whole = await openOn(disk, states[2] as MemoryBackend)
    expect((await whole.verify()).problems).toEqual([])
    await whole.close()
  })
})

async function judgeHole(
  disk: SimulatedDisk,
  backend: MemoryBackend,
  model: Model,
  context: string,
): Promise<'right' | 'refused'> {
  const store = await openOn(disk, backend).catch((error: unknown) => {
    expect(error, context).toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    return undefined
  })
  if (store === undefined) return 'refused'
  // The log goes back to the last checkpoint, and all that was unsynced came after it: the data are whole.
  for (const write of model.written) {
    if (write.acknowledged) expect(await write.check(store), `${context}: record ${write.sequence}`).toBe(true)
  }
  await store.checkpoint()
  // Each batch carries what it changed, so the accounting fits whichever of them are there: no false alarm either.
  expect((await store.verify()).problems, context).toEqual([])
  await store.close()
  return 'right'
}
