/**
 * Goal: a batch that fails, there or not there afterwards, costs one reopening of the backend and nothing else; a
 * second failure poisons the store. Method: fail each batch of a life in turn.
 */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { SimulatedDisk } from '../../src/testing/index.ts'
import { Model } from './fault-model.ts'
import { assertRecovers, Life, location, openStore } from './fault-world.ts'

/** Counts how often it was opened and how many batches it was given. */
class CountingBackend extends MemoryBackend {
  opens = 0
  batches = 0

  override open(options: { create: boolean }): Promise<void> {
    this.opens += 1
    return super.open(options)
  }

  override batch(...args: Parameters<MemoryBackend['batch']>): Promise<void> {
    this.batches += 1
    return super.batch(...args)
  }
}

interface World {
  readonly disk: SimulatedDisk
  readonly backend: CountingBackend
  readonly model: Model
  readonly store: Store
}

async function started(): Promise<World> {
  const disk = new SimulatedDisk()
  const backend = new CountingBackend()
  const model = new Model('all')
  const store = await openStore(disk.fileSystem, backend)
  return { disk, backend, model, store }
}

/** Writes, overwrites and deletes over four checkpoints, so that every batch of a checkpoint has all three. */
async function fourCheckpoints({ store, model }: World, context: string): Promise<void> {
  const life = new Life(store, model, context)
  const process = 'R'.repeat(43)
  for (let round = 0; round < 4; round++) {
    await Promise.all([life.assignment('sync'), life.many(2), life.path()])
    await store.paths.write('overwritten', Buffer.from(`round ${round}`))
    await store.paths.write(`short-lived/${round}`, Buffer.from('x'))
    for (let slot = 0; slot < 3; slot++) await store.assignments.write({ process, slot: round * 3 + slot, round })
    if (round > 0) await store.paths.remove(`short-lived/${round - 1}`)
    if (round > 0) await store.assignments.prune(process, { below: round * 3 })
    await store.checkpoint()
  }
}

async function assertRounds(store: Store, context: string): Promise<void> {
  expect(Buffer.from((await store.paths.read('overwritten')) ?? []).toString(), context).toBe('round 3')
  expect(await store.paths.list('short-lived'), context).toEqual(['3'])
  expect(await store.assignments.list('R'.repeat(43)), context).toEqual([9, 10, 11])
  expect(await store.verify(), context).toMatchObject({ problems: [] })
}

async function batchesOfFourCheckpoints(): Promise<number> {
  const world = await started()
  const before = world.backend.batches
  await fourCheckpoints(world, 'probe')
  await world.store.close()
  return world.backend.batches - before
}

describe('a batch of the backend that fails', () => {
  it.each([
    ['and is not there', false],
    ['and is there all the same', true],
  ])('%s is made good by opening the backend again, and the accounting stays exact', async (_name, applied) => {
    const batches = await batchesOfFourCheckpoints()
    expect(batches).toBeGreaterThanOrEqual(8)
    for (let n = 1; n <= batches; n++) {
      const context = `batch ${n}, ${applied ? 'applied' : 'not applied'}`
      const world = await started()
      const { backend, disk, model, store } = world
      backend.failBatch(n, { applied })
      await fourCheckpoints(world, context)
      expect(store.status, context).toBe('open')
      expect(backend.opens, context).toBe(2)
      await assertRounds(store, context)
      await store.close()
      const reopened = await openStore(disk.fileSystem, backend)
      expect(reopened.recovery.clean, context).toBe(true)
      await assertRounds(reopened, context)
      await reopened.close()
      await assertRecovers({ disk, backend, model }, context)
    }
  })

  it('for want of space poisons the store, whose backend stays open: reads go on, closing works, reopening recovers everything', async () => {
    const batches = await batchesOfFourCheckpoints()
    for (const applied of [false, true]) {
      for (let n = 1; n <= batches; n++) {
        const context = `batch ${n}, ${applied ? 'applied' : 'not applied'}`
        const world = await started()
        const { backend, disk, model, store } = world
        const life = new Life(store, model, context)
        backend.failBatch(n, { applied, code: 'ENOSPC' })
        const failure: unknown = await fourCheckpoints(world, context).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure, context).toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
        life.failure = failure
        await life.assertPoisoned()
        expect(backend.opens, context).toBe(1)
        await store.close()
        await assertRecovers({ disk, backend, model }, context)
      }
    }
  })

  it('twice poisons the store: reads go on, closing works, reopening recovers everything', async () => {
    const batches = await batchesOfFourCheckpoints()
    for (const applied of [false, true]) {
      for (let n = 1; n <= batches; n++) {
        const context = `batches ${n} and ${n + 1}, ${applied ? 'applied' : 'not applied'}`
        const world = await started()
        const { backend, disk, model, store } = world
        const life = new Life(store, model, context)
        // The first batch after the reopening is the next one: a checkpoint of one batch of data starts over with it.
        backend.failBatch(n, { applied })
        backend.failBatch(n + 1, { applied: !applied })
        const failure: unknown = await fourCheckpoints(world, context).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure, context).toMatchObject({ code: 'HOLDFAST_IO' })
        life.failure = failure
        await life.assertPoisoned()
        expect(backend.opens, context).toBe(2)
        await store.close()
        await assertRecovers({ disk, backend, model }, context)
      }
    }
  })

  it('names what failed, not what came of it, when it happens in the background', async () => {
    const { backend, store } = await started()
    backend.failBatch(1, { applied: false })
    backend.failBatch(2, { applied: false })
    const process = 'S'.repeat(43)
    let refusal: unknown
    for (let slot = 0; refusal === undefined && slot < 1000; slot++) {
      refusal = await store.assignments.write({ process, slot, data: 'z'.repeat(900) }).then(
        () => undefined,
        (error: unknown) => error,
      )
    }
    expect(refusal).toMatchObject({ code: 'HOLDFAST_POISONED', cause: { code: 'HOLDFAST_IO' } })
    expect(String(refusal)).toContain('EIO: simulated failure of a batch')
    await store.close()
  })

  it('names what failed when a checkpoint asked for fails while enough is dirty for another', async () => {
    const { backend, store } = await started()
    const process = 'S'.repeat(43)
    const list = (from: number) =>
      Array.from({ length: 15 }, (_, i) => ({ process, slot: from + i, data: 'z'.repeat(900) }))
    await store.assignments.writeMany(list(0))
    backend.failBatch(1, { applied: false })
    backend.failBatch(2, { applied: false })
    const checkpoint = store.checkpoint()
    // Together with what the checkpoint did not get rid of, these would start one.
    const written = store.assignments.writeMany(list(15))
    await expect(checkpoint).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    await written
    await expect(store.content.put({ after: 1 })).rejects.toMatchObject({
      code: 'HOLDFAST_POISONED',
      cause: { code: 'HOLDFAST_IO' },
    })
    await store.close()
  })

  it('is not retried by a store whose place was taken while the backend was closed', async () => {
    const { backend, disk, model, store } = await started()
    const life = new Life(store, model, 'usurped')
    await life.assignment('sync')
    await store.checkpoint()
    await life.assignment('sync')
    const before = backend.batches
    backend.failBatch(1, { applied: false })
    // What another owner does first when it opens the store.
    const usurper = Buffer.alloc(16)
    usurper.writeBigUInt64LE(99n, 0)
    disk.writeBytes(`${location}/epoch`, usurper)
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(store.status).toBe('poisoned')
    expect(backend.batches - before).toBe(1)
    await store.close()
  })
})

describe('a checkpoint that cannot be read back', () => {
  class ForgetfulBackend extends CountingBackend {
    lapses = 0

    override get(key: string): Promise<Uint8Array | undefined> {
      if (!key.startsWith('!checkpoint/') || this.lapses === 0) return super.get(key)
      this.lapses -= 1
      return Promise.resolve(undefined)
    }
  }

  async function forgetful(lapses: number) {
    const disk = new SimulatedDisk()
    const backend = new ForgetfulBackend()
    const model = new Model('all')
    const store = await openStore(disk.fileSystem, backend)
    await new Life(store, model, 'forgetful').assignment('sync')
    backend.lapses = lapses
    return { disk, backend, model, store, published: disk.readBytes(`${location}/superblock`) }
  }

  it('once is made again on a backend opened anew', async () => {
    const { disk, backend, model, store, published } = await forgetful(1)
    await store.checkpoint()
    expect(backend.opens).toBe(2)
    expect(disk.readBytes(`${location}/superblock`)).not.toEqual(published)
    await store.close()
    await assertRecovers({ disk, backend, model }, 'once')
  })

  it('twice is not published: the log stays what counts', async () => {
    const { disk, backend, model, store, published } = await forgetful(2)
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(store.status).toBe('poisoned')
    expect(disk.readBytes(`${location}/superblock`)).toEqual(published)
    await store.close()
    await assertRecovers({ disk, backend, model }, 'twice')
  })
})
