import { describe, expect, test } from 'vitest'
import type { Assignment } from '../../../src/index.ts'
import { processA, tick, world } from '../engine/worlds.ts'

const at = (slot: number, fields: object = {}): Assignment => ({ process: processA, slot, ...fields })

describe('errors say what they are about', () => {
  test('a conflict names both contents, the process and the slot', async () => {
    const store = await world().open()
    const { id } = await store.assignments.write(at(4))
    const other = at(4, { other: 1 })
    await expect(store.assignments.write(other)).rejects.toMatchObject({
      code: 'HOLDFAST_SLOT_CONFLICT',
      detail: { process: processA, slot: 4 },
      message: expect.stringMatching(new RegExp(`${id}[^]*${store.content.id(other)}`)),
    })
    await store.close()
  })

  test('a mismatch names what was expected and what was found', async () => {
    const store = await world().open()
    const { id } = await store.assignments.write(at(0))
    await expect(store.assignments.write(at(1), { expectedPrevious: null })).rejects.toMatchObject({
      code: 'HOLDFAST_PREVIOUS_MISMATCH',
      detail: { process: processA, expected: '', found: id },
    })
    await store.close()
  })
})

test('expectedPrevious with many looks at the head that the one before it left', async () => {
  const store = await world().open()
  const first = await store.assignments.write(at(0))
  const many = store.assignments.writeMany([at(1), at(2)], { expectedPrevious: first.id })
  await expect(many).rejects.toMatchObject({ code: 'HOLDFAST_PREVIOUS_MISMATCH' })
  expect(await store.assignments.list(processA)).toEqual([0])
  await store.close()
})

test('a conflict with a write that is not acknowledged yet is refused all the same', async () => {
  const w = world()
  const store = await w.open()
  const held = w.faults.hold({ operation: 'datasync', path: '/wal/' })
  const landing = [store.assignments.write(at(0, { n: 1 })), store.assignments.write(at(1))]
  await held.reached
  await expect(store.assignments.write(at(0, { n: 2 }))).rejects.toMatchObject({ code: 'HOLDFAST_SLOT_CONFLICT' })
  held.resume()
  await Promise.all(landing)
  await store.close()
})

test('a tail shows nothing that is not acknowledged, and each slot once', async () => {
  const w = world()
  const store = await w.open()
  const beside = store.watch()[Symbol.asyncIterator]()
  const first = beside.next()
  const held = w.faults.hold({ operation: 'datasync', path: '/wal/' })
  const landing = [store.assignments.write(at(0)), store.assignments.write(at(1))]
  await held.reached
  const stop = new AbortController()
  const seen: number[] = []
  const tailing = (async () => {
    for await (const { slot } of store.assignments.tail(processA, { signal: stop.signal })) {
      seen.push(slot)
      if (slot === 2) stop.abort()
    }
  })()
  for (let i = 0; i < 20; i++) await tick()
  expect(seen).toEqual([])
  held.resume()
  await Promise.all(landing)
  await store.assignments.write(at(2))
  await tailing
  expect(seen).toEqual([0, 1, 2])
  await first
  await beside.return?.()
  await store.close()
})

test('a page lists no more gaps than a caller can hold', async () => {
  const store = await world().open()
  await store.assignments.write(at(Number.MAX_SAFE_INTEGER))
  const page = await store.assignments.page(processA)
  expect([page.slots.length, page.gaps.length, page.continues]).toEqual([1, 10_000, false])
  await store.close()
})

test('pruning thousands goes batch by batch and counts right', async () => {
  const w = world()
  const store = await w.open()
  await store.assignments.writeMany(Array.from({ length: 2500 }, (_unused, slot) => at(slot)))
  const before = store.lastSequence
  expect(await store.assignments.prune(processA, { below: 2400 })).toMatchObject({ removed: 2400, first: 2400 })
  expect(store.lastSequence - before).toBeGreaterThan(1)
  expect(await store.assignments.verify(processA)).toMatchObject({ ok: true, slots: 100 })
  await store.close()
  const again = await w.open()
  expect((await again.assignments.list(processA)).length).toBe(100)
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})
