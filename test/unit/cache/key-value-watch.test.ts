import { describe, expect, it } from 'vitest'
import type { KeyValueChange } from '../../../src/index.ts'
import { collect, kvWorld, turns } from './kv-world.ts'

async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

const withoutSequence = (changes: readonly KeyValueChange<unknown>[]) =>
  changes.map((change) => ({ ...change, sequence: undefined }))

describe('watch of a namespace', () => {
  it('tells of its own changes alone, with their causes, in order', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 2 })
    const changes = take(kv.watch(), 9)
    await kv.set('a', { v: 1 }, { ttlMs: 100 })
    await store.kv('n2').set('a', 1)
    await store.transact(() => {
      void kv.set('b', undefined)
      void kv.delete('b')
    })
    clock.advance(100)
    kv.count()
    for (const key of [1, 2, 3]) await kv.set(key, key)
    await kv.delete(3)
    expect(withoutSequence(await changes)).toEqual([
      { type: 'set', key: 'a', value: { v: 1 } },
      { type: 'set', key: 'b', value: undefined },
      { type: 'delete', key: 'b' },
      { type: 'expire', key: 'a' },
      { type: 'set', key: 1, value: 1 },
      { type: 'set', key: 2, value: 2 },
      { type: 'set', key: 3, value: 3 },
      { type: 'evict', key: 1 },
      { type: 'delete', key: 3 },
    ])
  })

  it('tells of what a caller deletes or clears after its deadline as expired', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('a', 1, { ttlMs: 100 })
    await kv.set('b', 1)
    const changes = take(kv.watch(), 2)
    clock.advance(100)
    await kv.clear()
    expect(withoutSequence(await changes).sort((x, y) => (String(x.key) < String(y.key) ? -1 : 1))).toEqual([
      { type: 'expire', key: 'a' },
      { type: 'delete', key: 'b' },
    ])
  })

  it('resumes from a sequence, also after a crash', async () => {
    const world = await kvWorld()
    for (let i = 0; i < 5; i++) await world.store.kv('n').set(i, i)
    const seen = await take(world.store.kv('n').watch({ from: 1 }), 2)
    const from = (seen.at(-1) as KeyValueChange<unknown>).sequence + 1
    const { store } = await world.crash()
    expect((await take(store.kv('n').watch({ from }), 3)).map(({ key }) => key)).toEqual([2, 3, 4])
  })

  it('rejects with HOLDFAST_WATCH_LOST when the log no longer goes back so far', async () => {
    const world = await kvWorld({ segmentBytes: 512 })
    const kv = world.store.kv('n')
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 20; i++) await kv.set(i, 'x'.repeat(100))
      await world.store.checkpoint()
    }
    await expect(take(kv.watch({ from: 1 }), 1)).rejects.toMatchObject({ code: 'HOLDFAST_WATCH_LOST' })
  })

  it('ends when its signal aborts', async () => {
    const { store } = await kvWorld()
    const abort = new AbortController()
    const all = collect(store.kv('n').watch({ signal: abort.signal }))
    await store.kv('n').set(1, 1)
    await turns()
    abort.abort()
    expect((await all).length).toBeLessThanOrEqual(1)
  })

  it('shows the last value of a bag', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('b', { type: 'bag' })
    const changes = take(kv.watch(), 3)
    for (const value of [1, 2]) await kv.set('k', value)
    await kv.delete('k')
    expect(withoutSequence(await changes)).toEqual([
      { type: 'set', key: 'k', value: 1 },
      { type: 'set', key: 'k', value: 2 },
      { type: 'delete', key: 'k' },
    ])
  })

  it('is live only where nothing is logged', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('v', { durability: 'volatile' })
    expect(() => kv.watch({ from: 1 })).toThrow(TypeError)
    const changes = take(kv.watch(), 2)
    await kv.set(1, 1)
    await kv.delete(1)
    expect(withoutSequence(await changes)).toEqual([
      { type: 'set', key: 1, value: 1 },
      { type: 'delete', key: 1 },
    ])
  })

  it('hears of buffered writes, whose records are put together', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { durability: 'buffered' })
    void kv.set('before', 0)
    const changes = take(kv.watch(), 3)
    for (const key of [1, 2, 3]) void kv.set(key, key)
    await store.sync()
    expect((await changes).map(({ key }) => key)).toEqual([1, 2, 3])
  })
})

describe('watch of the store', () => {
  it('shows the changes of every cache structure', async () => {
    const { store } = await kvWorld()
    const changes = take(store.watch(), 6)
    await store.kv('n').set('k', [1])
    await store.kv('n').delete('k')
    await store.table('t').put(['key', 1])
    await store.queue('q').add('item')
    await store.stack('s').push('item')
    await store.records('r').add({ id: 7 })
    expect((await changes).map(({ writes }) => writes)).toEqual([
      [{ type: 'kv', namespace: 'n', key: 'k', change: 'set', value: [1] }],
      [{ type: 'kv', namespace: 'n', key: 'k', change: 'delete' }],
      [{ type: 'table', name: 't', key: 'key', removed: false }],
      [{ type: 'queue', name: 'q', key: 0, removed: false }],
      [{ type: 'stack', name: 's', key: 0, removed: false }],
      [{ type: 'records', name: 'r', key: 7, removed: false }],
    ])
  })
})
