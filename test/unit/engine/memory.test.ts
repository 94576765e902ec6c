import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/base/index.ts'
import type { Store } from '../../../src/index.ts'
import { processA, tick, utf8, world } from './worlds.ts'

const KiB = 1024
const body = (n: number): string => String(n).padStart(8, '0').repeat(125)

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let slot = from; slot < to; slot += 20) {
    const batch = Array.from({ length: Math.min(20, to - slot) }, (_unused, i) => ({
      process: processA,
      slot: slot + i,
      body: body(slot + i),
    }))
    await store.assignments.writeMany(batch)
  }
}

describe('a small budget', () => {
  test('keeps memory within it, and everything readable from the backend', async () => {
    const w = world()
    const memoryBytes = 256 * KiB
    const store = await w.open({ memoryBytes })
    let most = 0
    for (let slot = 0; slot < 1000; slot += 20) {
      await fill(store, slot, slot + 20)
      const { dirtyBytes, cleanBytes } = store.stats()
      most = Math.max(most, dirtyBytes + cleanBytes)
    }
    await store.checkpoint()
    expect(most).toBeLessThanOrEqual(memoryBytes + 64 * KiB)
    expect(store.stats().cleanBytes).toBeLessThanOrEqual(memoryBytes)
    for (let slot = 0; slot < 1000; slot++) {
      expect(await store.assignments.read(processA, slot)).toEqual({ process: processA, slot, body: body(slot) })
    }
    const { cleanBytes, evictions, checkpoints } = store.stats()
    expect(cleanBytes).toBeLessThanOrEqual(memoryBytes)
    expect(evictions).toBeGreaterThan(500)
    expect(checkpoints).toBeGreaterThan(5)
    expect((await store.verify()).problems).toEqual([])
    await store.close()
  })

  test('many writers wait while a checkpoint drains, dirty bytes stay bounded, and all finish', async () => {
    const w = world()
    const memoryBytes = 256 * KiB
    const store = await w.open({ memoryBytes })
    let most = 0
    let waited = 0
    const writers = Array.from({ length: 16 }, async (_unused, writer) => {
      for (let n = 0; n < 40; n++) {
        await store.assignments.write({ process: String.fromCharCode(97 + writer).repeat(43), slot: n, body: body(n) })
        const { dirtyBytes, writersWaiting } = store.stats()
        most = Math.max(most, dirtyBytes)
        waited = Math.max(waited, writersWaiting)
      }
    })
    await Promise.all(writers)
    // Twice a quarter of the budget, and one write of each writer on top.
    expect(most).toBeLessThanOrEqual(memoryBytes / 2 + 16 * 4 * KiB)
    expect(waited).toBeGreaterThan(0)
    for (let writer = 0; writer < 16; writer++) {
      expect(await store.assignments.list(String.fromCharCode(97 + writer).repeat(43))).toHaveLength(40)
    }
    await store.close()
  })

  test('a backend that stands still stops the writers, and none is lost when it goes on', async () => {
    const w = world()
    const store = await w.open({ memoryBytes: 64 * KiB })
    const held = w.backend.holdBatch()
    let done = 0
    const writers = Array.from({ length: 100 }, (_unused, n) =>
      store.content.put({ n, body: body(n) }).then(() => done++),
    )
    await held.reached
    for (let i = 0; i < 50; i++) await tick()
    expect(done).toBeLessThan(100)
    expect(store.stats().writersWaiting).toBeGreaterThan(0)
    held.resume()
    await Promise.all(writers)
    expect(done).toBe(100)
    expect(store.stats().writersWaiting).toBe(0)
    await store.close()
  })

  test('what was evicted is proven when it is read back', async () => {
    const w = world()
    const store = await w.open({ memoryBytes: 64 * KiB })
    const id = await store.content.put({ precious: body(1) })
    await store.paths.write('p', utf8('precious'))
    await store.close()
    await w.backend.open({ create: false })
    for (const key of [`c${id}`, 'p/\u0000\u0002p']) {
      const bytes = (await w.backend.get(key)) as Uint8Array
      bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
      await w.backend.batch([{ key, value: bytes }], { sync: true })
    }
    await w.backend.close()
    const again = await w.open()
    const damaged = { code: 'HOLDFAST_CORRUPT' }
    await expect(again.content.get(id)).rejects.toMatchObject(damaged)
    await expect(again.content.bytes(id)).rejects.toMatchObject(damaged)
    expect(() => again.content.getSync(id)).toThrow(expect.objectContaining(damaged))
    await expect(again.paths.read('p')).rejects.toMatchObject(damaged)
    const report = await again.verify()
    expect(report.problems.map(({ code }) => code).sort()).toEqual(['content-hash', 'value-checksum'])
    await again.close()
  })

  test('a scan larger than it goes in order, without what is written meanwhile', async () => {
    const w = world()
    const store = await w.open({ memoryBytes: 64 * KiB })
    await fill(store, 0, 600)
    const seen: number[] = []
    for await (const { slot, assignment } of store.assignments.range(processA)) {
      expect(assignment.body).toBe(body(slot))
      seen.push(slot)
      if (slot % 50 === 0) {
        await store.assignments.write({ process: processA, slot: 600 + slot, body: body(slot) })
        await store.paths.write(['beside', slot], Buffer.alloc(1000))
      }
    }
    expect(seen).toEqual(Array.from({ length: 600 }, (_unused, n) => n))
    expect(await store.assignments.list(processA)).toHaveLength(612)
    const { cleanBytes, dirtyBytes } = store.stats()
    expect(cleanBytes + dirtyBytes).toBeLessThanOrEqual(96 * KiB)
    await store.close()
  })
})

test('a record over the limit is refused, leaves nothing, and the next one is taken', async () => {
  const w = world()
  const store = await w.open()
  const huge = Buffer.alloc(limits.recordBytesMax)
  await expect(store.paths.write('huge', huge)).rejects.toMatchObject({
    code: 'HOLDFAST_VALUE_TOO_LARGE',
    detail: { limit: limits.recordBytesMax },
  })
  await expect(
    store.transact(() => {
      void store.paths.write('small', utf8('x'))
      void store.paths.write('huge', huge)
    }),
  ).rejects.toMatchObject({ code: 'HOLDFAST_VALUE_TOO_LARGE' })
  expect([store.lastSequence, store.stats().dirtyEntries, store.status]).toEqual([0, 0, 'open'])
  expect(await store.paths.list('')).toEqual([])
  await store.paths.write('small', utf8('x'))
  await store.close()
})
