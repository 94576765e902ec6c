/** What the garbage collector must not take although it looked like garbage when it began. */
import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { tick, type WatchedBackend, world } from '../engine/worlds.ts'

const parent = { kind: 'parent', child: { data: 'c'.repeat(5000) } }

async function withGarbage(): Promise<{ store: Store; id: string; childId: string; w: ReturnType<typeof world> }> {
  const w = world()
  const store = await w.open()
  const id = await store.content.put(parent)
  await store.checkpoint()
  const listed = await store.paths.list('data')
  const childId = listed.find((each) => each !== id) as string
  expect(listed).toHaveLength(2)
  return { store, id, childId, w }
}

async function whole(store: Store, id: string): Promise<void> {
  expect(await store.content.get(id)).toEqual(parent)
  expect((await store.verify()).problems).toEqual([])
}

describe('what is used again while the collector runs stays, with all it links to', () => {
  const uses: Record<string, (store: Store, id: string) => Promise<unknown>> = {
    'by putting it': (store) => store.content.put(parent),
    'by putting another that shares its child': (store) => store.content.put({ other: 1, child: parent.child }),
    'by pinning it': (store, id) => store.content.pin(id),
    'by linking to it': (store, id) => store.paths.link(['data', id], 'name'),
    'by assigning it': (store) => store.assignments.write({ process: 'P'.repeat(43), slot: 0, child: parent.child }),
    'by a location': (store) => store.assignments.writeLocation('P'.repeat(43), parent),
    'in a transaction': (store, id) => store.transact(() => void store.content.pin(id)),
  }
  // The collector yields often: using the content after 0, 1, 2, … turns meets every phase of it.
  for (const [how, use] of Object.entries(uses)) {
    test(how, async () => {
      for (let turns = 0; turns < 24; turns++) {
        const { store, id, childId } = await withGarbage()
        const collecting = store.gc()
        for (let i = 0; i < turns; i++) await (turns % 2 === 0 ? tick() : Promise.resolve())
        const used = await use(store, id).then(
          () => true,
          (error: unknown) => error,
        )
        const report = await collecting
        if (used === true) {
          // A link may dangle: made after the removal it leads nowhere, but never to half a message.
          const there = how !== 'by linking to it' || (await store.content.has(id))
          expect(await store.content.has(childId), `after ${turns} turns`).toBe(there)
          if (await store.content.has(id)) await whole(store, id)
        } else {
          expect(used).toMatchObject({ code: 'HOLDFAST_MISSING_CONTENT' })
          expect(report.removed).toBe(2)
        }
        expect((await store.verify()).problems).toEqual([])
        await store.close()
      }
    })
  }

  // Everything that could have saved it has been looked through by then.
  for (const [how, use] of Object.entries(uses)) {
    test(`${how}, after everything was marked`, async () => {
      const { store, id, childId, w } = await withGarbage()
      const held = holdScanOf(w.backend, 'c')
      const collecting = store.gc()
      await held.reached
      await use(store, id)
      held.resume()
      await collecting
      expect(await store.content.has(childId)).toBe(true)
      const onlyChild = how === 'by putting another that shares its child' || how === 'by assigning it'
      expect(await store.content.has(id)).toBe(!onlyChild)
      if (!onlyChild) await whole(store, id)
      await store.close()
    })
  }
})

/** Holds up the next scan that begins at `gte`. */
function holdScanOf(backend: WatchedBackend, gte: string): { reached: Promise<void>; resume: () => void } {
  let arrived = (): void => undefined
  let resume = (): void => undefined
  const reached = new Promise<void>((resolve) => (arrived = resolve))
  const released = new Promise<void>((resolve) => (resume = resolve))
  const iterate = backend.iterate.bind(backend)
  backend.iterate = (range) => {
    const inner = iterate(range)
    if (range.gte !== gte) return inner
    backend.iterate = iterate
    return {
      next: async (size) => {
        arrived()
        await released
        return inner.next(size)
      },
      close: () => inner.close(),
    }
  }
  return { reached, resume }
}

test('collections take turns: what is put during the second survives the first', async () => {
  const { store, id } = await withGarbage()
  const both = [store.gc(), store.gc()]
  await store.content.put(parent)
  const reports = await Promise.all(both)
  // Put before either of them could mark: the first spared it, the second, with nobody using it, removed it.
  expect(reports.map(({ removed }) => removed).reduce((a, b) => a + b)).toBeLessThanOrEqual(2)
  await store.content.put(parent)
  await whole(store, id)
  const pinning = [store.gc(), store.gc(), store.content.pin(id)]
  await Promise.all(pinning)
  await whole(store, id)
  await store.close()
})

test('thousands of contents are removed, a parent always before or with its children', async () => {
  const w = world()
  const store = await w.open()
  for (let n = 0; n < 700; n++) {
    void store.content.put({ n, child: `${n}-`.padEnd(4200, 'x') }, { durability: 'buffered' })
  }
  await store.sync()
  const changes = store.watch()[Symbol.asyncIterator]()
  const report = await store.gc()
  expect(report).toMatchObject({ examined: 1400, removed: 1400 })
  // The order of removal: every message comes before the string it links to.
  const removed: string[] = []
  while (removed.length < 1400) {
    const { value } = await changes.next()
    for (const item of value?.writes ?? []) if (item.type === 'content') removed.push(item.id)
  }
  const at = new Map(removed.map((each, position) => [each, position]))
  for (let n = 0; n < 700; n++) {
    const message = { n, child: `${n}-`.padEnd(4200, 'x') }
    const position = at.get(store.content.id(message)) as number
    expect(position).toBeGreaterThanOrEqual(0)
    // The 700 messages are nobody's children: they all come first.
    expect(position).toBeLessThan(700)
  }
  await changes.return?.()
  expect(await store.paths.list('data')).toEqual([])
  await store.close()
})

test('a child that another message still needs is kept', async () => {
  const { store, id, childId } = await withGarbage()
  const kept = await store.content.put({ kept: true, child: parent.child })
  await store.content.pin(kept)
  expect((await store.gc()).removed).toBe(1)
  expect(await store.content.has(id)).toBe(false)
  expect(await store.content.has(childId)).toBe(true)
  expect(await store.content.get(kept)).toEqual({ kept: true, child: parent.child })
  await store.close()
})
