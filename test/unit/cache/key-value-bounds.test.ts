import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyValue } from '../../../src/index.ts'
import { Prng } from '../../../src/testing/index.ts'
import { collect, kvWorld, turns } from './kv-world.ts'

/** Hits of a cache that is asked for each key and told what it lacked. */
function hitsOf(kv: KeyValue, trace: readonly number[]): number {
  let hits = 0
  for (const key of trace) {
    if (kv.getSync(key) !== undefined) hits++
    else void kv.set(key, key)
  }
  return hits
}

function hitsOfLru(size: number, trace: readonly number[]): number {
  const cache = new Map<number, number>()
  let hits = 0
  for (const key of trace) {
    if (cache.delete(key)) hits++
    cache.set(key, key)
    if (cache.size > size) cache.delete(cache.keys().next().value as number)
  }
  return hits
}

/** A hot set, most of it asked for again and again, with passes over keys that nobody asks for twice. */
function traceWithScans(): number[] {
  const random = new Prng(7)
  const trace: number[] = []
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 200; i++) trace.push(Math.floor(random.next() * random.next() * 150))
    for (let i = 0; i < 100; i++) trace.push(10_000 + round * 100 + i)
  }
  return trace
}

describe('maxEntries', () => {
  it('evicts in the same record as the set that makes it necessary', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 3 })
    await kv.setMany([1, 2, 3].map((key) => [key, key] as const))
    const before = store.lastSequence
    const changes = kv.watch({ from: before + 1 })[Symbol.asyncIterator]()
    await kv.set(4, 4)
    expect([store.lastSequence, kv.count(), await collect(kv.keys())]).toEqual([before + 1, 3, [2, 3, 4]])
    expect([(await changes.next()).value, (await changes.next()).value]).toEqual([
      { type: 'set', key: 4, value: 4, sequence: before + 1 },
      { type: 'evict', key: 1, sequence: before + 1 },
    ])
    await changes.return?.()
  })

  it('spares what was read since the last time, by whichever read', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 6 })
    for (let key = 0; key < 6; key++) await kv.set(key, key)
    await kv.get(0)
    kv.getSync(1)
    await kv.has(2)
    await kv.getMany([3])
    await kv.update(4, (old) => old)
    for (let key = 6; key < 7; key++) await kv.set(key, key)
    expect(await collect(kv.keys())).toEqual([0, 1, 2, 3, 4, 6])
  })

  it('never evicts what is being set, even when everything else was used', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 2 })
    await kv.setMany([
      ['a', 1],
      ['b', 1],
    ])
    await kv.getMany(['a', 'b'])
    await kv.set('c', 1)
    expect([kv.getSync('c'), kv.count()]).toEqual([1, 2])
  })

  it('bounds the keys of a bag', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('b', { type: 'bag', maxEntries: 2 })
    for (const key of ['a', 'b', 'c']) for (const value of [1, 2, 3]) await kv.set(key, value)
    expect([await collect(kv.keys()), kv.count()]).toEqual([['b', 'c'], 6])
  })

  it('stays within its bound through any calls, undone ones too, and counts right', async () => {
    const call = fc.oneof(
      { weight: 5, arbitrary: fc.record({ op: fc.constant('set' as const), key: fc.nat(12), size: fc.nat(60) }) },
      fc.record({
        op: fc.constantFrom('delete' as const, 'get' as const, 'undone' as const),
        key: fc.nat(12),
        size: fc.nat(60),
      }),
      fc.record({ op: fc.constantFrom('many' as const, 'clear' as const), key: fc.nat(3), size: fc.nat(60) }),
    )
    const bounds = fc.constantFrom({ maxEntries: 5 }, { maxBytes: 200 }, { maxEntries: 4, maxBytes: 150 })
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(call, { maxLength: 60 }), async (options, calls) => {
        const world = await kvWorld()
        const kv = world.store.kv<string>('n', { ...options, durability: 'buffered' })
        // What may be there: evicted or not, it has the value set last.
        const model = new Map<number, string>()
        for (const [i, { op, key, size }] of calls.entries()) {
          const value = `${i}`.padEnd(size, 'x')
          if (op === 'set') {
            await kv.set(key, value)
            model.set(key, value)
          } else if (op === 'delete') {
            await kv.delete(key)
            model.delete(key)
          } else if (op === 'get') await kv.get(key)
          else if (op === 'clear') {
            await kv.clear()
            model.clear()
          } else if (op === 'many') {
            await kv.setMany([0, 1, 2, 3, 4, 5, 6].map((n) => [n + key, value] as const))
            for (let n = 0; n < 7; n++) model.set(n + key, value)
          } else {
            const undone = world.store.transact(() => {
              void kv.delete((key + 1) % 13)
              for (let n = 0; n < 4; n++) void kv.set(key + n, 'undone')
              throw new Error('no')
            })
            await undone.catch(() => undefined)
          }
          const rows = await collect(kv.entries())
          expect(kv.count()).toBe(rows.length)
          if ('maxEntries' in options) expect(rows.length).toBeLessThanOrEqual(options.maxEntries)
          const bytes = rows.reduce((sum, [, row]) => sum + 10 + row.length, 0)
          if ('maxBytes' in options) expect(bytes).toBeLessThanOrEqual(options.maxBytes)
          for (const [rowKey, row] of rows) expect(model.get(rowKey as number)).toBe(row)
        }
        await world.store.close()
      }),
      { numRuns: 40 },
    )
  }, 60_000)

  it('keeps more of what is used again than the least recently used would, when scans pass by', async () => {
    const { store } = await kvWorld()
    const trace = traceWithScans()
    const kv = store.kv('n', { maxEntries: 50, durability: 'volatile' })
    const hits = hitsOf(kv, trace)
    const again = hitsOf(store.kv('again', { maxEntries: 50, durability: 'volatile' }), trace)
    expect([hits / hitsOfLru(50, trace), again, kv.count()]).toEqual([expect.any(Number), hits, 50])
    expect(hits).toBeGreaterThan(hitsOfLru(50, trace) * 1.1)
  })

  it('holds again after a restart once the entries are known, also when it has become smaller', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n', { maxEntries: 2000, ttlMs: 1e6 })
    await kv.setMany(Array.from({ length: 1500 }, (_, i) => [i, i] as const))
    const { store } = await world.reopen()
    const smaller = store.kv('n', { maxEntries: 100 })
    void smaller.set('new', 1)
    void smaller.delete(1499)
    await turns(100)
    expect([smaller.count(), smaller.getSync('new'), smaller.getSync(1499)]).toEqual([100, 1, undefined])
    await smaller.set('newer', 1)
    expect([smaller.count(), (await store.verify()).problems]).toEqual([100, []])
  })

  it('does not count what was undone, nor what was removed while the entries were being read', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n', { maxEntries: 4 })
    await kv.setMany([0, 1, 2].map((i) => [i, i] as const))
    const undone = world.store.transact(() => {
      void kv.set('undone', 1)
      throw new Error('no')
    })
    await undone.catch(() => undefined)
    await kv.set(3, 3)
    expect(kv.count()).toBe(4)
    const { store } = await world.reopen()
    const again = store.kv('n', { maxEntries: 4 })
    void again.delete(0)
    await turns(50)
    await again.set(4, 4)
    expect(again.count()).toBe(4)
  })

  it('undoes a transaction that came while the entries were being read', async () => {
    const world = await kvWorld()
    await world.store.kv('n', { maxEntries: 10 }).setMany([0, 1, 2, 3].map((i) => [i, i] as const))
    const { store } = await world.reopen()
    const kv = store.kv('n', { maxEntries: 3 })
    const undone = store.transact(() => {
      void kv.delete(0)
      throw new Error('no')
    })
    await undone.catch(() => undefined)
    await turns(50)
    expect(kv.count()).toBe(3)
  })

  it('holds after a crash: evictions are in the log with their cause', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n', { maxEntries: 3 })
    for (let i = 0; i < 10; i++) await kv.set(i, i)
    const { store } = await world.crash('strict')
    expect([store.kv('n', { maxEntries: 3 }).count(), (await store.verify()).problems]).toEqual([3, []])
  })
})

describe('maxBytes', () => {
  it('bounds the bytes of keys and values', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxBytes: 1000 })
    for (let i = 0; i < 20; i++) await kv.set(`key${i}`, 'x'.repeat(90))
    expect(kv.count()).toBe(10)
    await kv.set('key19', 'x'.repeat(500))
    expect([kv.count(), kv.getSync('key19')?.toString().length]).toEqual([5, 500])
  })

  it('lets go at once of an entry that is larger by itself, and of nothing else', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxBytes: 100 })
    await kv.setMany([
      ['a', 1],
      ['b', 2],
    ])
    await kv.set('b', 'x'.repeat(200))
    await kv.set('c', 'x'.repeat(200))
    expect([await collect(kv.entries()), kv.count()]).toEqual([[['a', 1]], 1])
    const large = 'y'.repeat(300)
    expect([await kv.getOrSet('d', async () => large), await kv.has('d')]).toEqual([large, false])
    expect((await store.verify()).problems).toEqual([])
  })
})
