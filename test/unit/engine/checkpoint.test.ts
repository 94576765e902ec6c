import { expect, test } from 'vitest'
import { HoldfastError } from '../../../src/index.ts'
import type { BackendOperation } from '../../../src/kv/index.ts'
import { failSyncs, holdSync, location, processA, tick, utf8, WatchedBackend, world } from './worlds.ts'

/** Fails as many batches as told, each applied or not. */
class FailingBackend extends WatchedBackend {
  failures = 0
  applied = false

  override async batch(operations: readonly BackendOperation[], options: { sync: boolean }): Promise<void> {
    if (this.failures > 0) {
      this.failures--
      this.failBatch(1, { applied: this.applied })
    }
    return super.batch(operations, options)
  }
}

test.each([true, false])(
  'a batch that fails once, applied %s, is made good by opening the backend again',
  async (applied) => {
    const backend = new FailingBackend()
    const w = world(undefined, backend)
    const store = await w.open()
    await store.paths.write('a', utf8('1'))
    await store.checkpoint()
    await store.paths.write('a', utf8('2'))
    await store.paths.write('b', utf8('x'))
    Object.assign(backend, { failures: 1, applied })
    const { number } = await store.checkpoint()
    expect([number, store.status]).toEqual([2, 'open'])
    expect((await store.verify()).problems).toEqual([])
    await store.close()
    const again = await w.open()
    expect(again.recovery.clean).toBe(true)
    expect(Buffer.from((await again.paths.read('a')) ?? []).toString()).toBe('2')
    await again.close()
  },
)

test.each(['HOLDFAST_NO_SPACE', 'HOLDFAST_IO'] as const)(
  'a backend that fails and cannot be opened again for %s says that it was that',
  async (code) => {
    const backend = new FailingBackend()
    const w = world(undefined, backend)
    const store = await w.open()
    await store.paths.write('a', utf8('1'))
    backend.failures = 1
    backend.open = () => Promise.reject(new HoldfastError(code, 'on purpose'))
    await expect(store.checkpoint()).rejects.toMatchObject({ code })
    expect(store.status).toBe('poisoned')
    await store.close()
  },
)

test('a batch that fails twice poisons the store, and the log has everything', async () => {
  const backend = new FailingBackend()
  const w = world(undefined, backend)
  const store = await w.open()
  await store.paths.write('a', utf8('1'))
  backend.failures = 2
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
  expect(store.status).toBe('poisoned')
  expect(await store.paths.read('a')).toBeDefined()
  await expect(store.paths.write('b', utf8('x'))).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
  await store.close()
  const again = await w.open()
  expect(again.recovery.recordsReplayed).toBe(1)
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})

test('nothing reaches the backend before the log has it durably', async () => {
  const w = world()
  const store = await w.open()
  const held = holdSync(w)
  const writing = [store.paths.write('a', utf8('1')), store.paths.write('b', utf8('2'))]
  await held.reached
  const checkpoint = store.checkpoint()
  for (let i = 0; i < 20; i++) await tick()
  const keys = await w.backend.hasMany(['p/\u0000\u0002a', 'p/\u0000\u0002b'])
  expect(keys).toEqual([false, false])
  held.resume()
  await Promise.all(writing)
  expect((await checkpoint).entries).toBe(2)
  expect(await w.backend.hasMany(['p/\u0000\u0002a', 'p/\u0000\u0002b'])).toEqual([true, true])
  await store.close()
})

test('writers and readers go on while a checkpoint is held up', async () => {
  const w = world()
  const store = await w.open()
  await store.assignments.write({ process: processA, slot: 0, v: 1 })
  const held = w.backend.holdBatch()
  const checkpoint = store.checkpoint()
  await held.reached
  expect(store.stats().checkpointRunning).toBe(true)
  await store.assignments.write({ process: processA, slot: 0, v: 2 }, { overwrite: true })
  await store.assignments.write({ process: processA, slot: 1 })
  expect(await store.assignments.read(processA, 0)).toMatchObject({ v: 2 })
  expect(await store.assignments.list(processA)).toEqual([0, 1])
  const failing = store.transact(() => {
    void store.assignments.write({ process: processA, slot: 0, v: 3 }, { overwrite: true })
    throw new Error('undone')
  })
  await expect(failing).rejects.toThrow('undone')
  held.resume()
  expect((await checkpoint).sequence).toBe(1)
  expect(await store.assignments.read(processA, 0)).toMatchObject({ v: 2 })
  await store.close()
  const again = await w.open()
  expect(await again.assignments.read(processA, 0)).toMatchObject({ v: 2 })
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})

test('a checkpoint under way when the log fails is given up', async () => {
  const w = world()
  const store = await w.open()
  await store.paths.write('a', utf8('1'))
  const held = w.backend.holdBatch()
  const checkpoint = store.checkpoint()
  const outcome = expect(checkpoint).rejects.toMatchObject({ code: 'HOLDFAST_ABORTED' })
  await held.reached
  failSyncs(w)
  await expect(store.paths.write('b', utf8('2'))).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
  held.resume()
  await outcome
  expect(store.status).toBe('poisoned')
  await store.close()
  w.faults.clear()
  const again = await w.open()
  expect(await again.paths.read('a')).toBeDefined()
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})

test('neither a checkpoint nor a close can happen inside a transaction', async () => {
  const w = world()
  const store = await w.open()
  const attempts: Promise<unknown>[] = []
  await store.transact(() => {
    void store.paths.write('a', utf8('1'))
    attempts.push(Promise.allSettled([store.checkpoint()]))
    expect(() => store.close()).toThrow(TypeError)
    void store.paths.write('b', utf8('2'))
  })
  expect(await attempts[0]).toMatchObject([{ status: 'rejected', reason: expect.any(TypeError) }])
  expect(store.status).toBe('open')
  expect(await store.paths.list('')).toEqual(['a', 'b'])
  await store.checkpoint()
  expect((await store.verify()).problems).toEqual([])
  await store.close()
})

test('a checkpoint that the backend lost is replaced by the one before and the log', async () => {
  const w = world()
  const store = await w.open()
  for (const name of ['a', 'b', 'c']) {
    await store.paths.write(name, utf8(name))
    await store.checkpoint()
  }
  await store.close()
  await w.backend.open({ create: false })
  const key = '!checkpoint/0000000000000003'
  expect(await w.backend.get(key)).toBeDefined()
  await w.backend.batch([{ key, value: undefined }], { sync: true })
  await w.backend.close()
  const again = await w.open()
  expect(again.recovery).toMatchObject({ checkpointSequence: 2, recordsReplayed: 1, lastSequence: 3 })
  expect(await again.paths.list('')).toEqual(['a', 'b', 'c'])
  await again.close()
})

test('both checkpoints lost is damage that names what is missing', async () => {
  const w = world()
  const store = await w.open()
  await store.paths.write('a', utf8('x'))
  await store.close()
  await w.backend.open({ create: false })
  const lost = ['!checkpoint/0000000000000000', '!checkpoint/0000000000000001']
  await w.backend.batch(
    lost.map((key) => ({ key, value: undefined })),
    { sync: true },
  )
  await w.backend.close()
  await expect(w.open()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT', detail: { checkpoint: 1 } })
  expect(w.disk.files()).toContain(`${location}/superblock`)
})
