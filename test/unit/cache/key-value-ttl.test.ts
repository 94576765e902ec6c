import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { collect, kvWorld, turns } from './kv-world.ts'

// Timers fire when a test says so; immediates and the disk go on.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets the sweep's timer fire, and the sweep run. */
async function timers(): Promise<void> {
  vi.advanceTimersByTime(60_000)
  await turns(20)
}

describe('an entry past its deadline', () => {
  it('is there up to the deadline and gone from it on, for every read', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('k', 1, { ttlMs: 100 })
    await kv.set('stays', 2)
    clock.advance(99)
    expect([await kv.get('k'), await kv.ttl('k'), await kv.ttl('stays'), await kv.ttl('x')]).toEqual([
      1,
      1,
      undefined,
      undefined,
    ])
    clock.advance(1)
    expect([await kv.get('k', 'f'), kv.getSync('k', 'f'), await kv.has('k'), await kv.ttl('k')]).toEqual([
      'f',
      'f',
      false,
      undefined,
    ])
    expect(await kv.getMany(['k', 'stays'])).toEqual([undefined, 2])
    expect(await collect(kv.entries())).toEqual([['stays', 2]])
    expect(kv.count()).toBe(1)
  })

  it('is absent for every read-modify-write', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    const keys = ['update', 'increment', 'absent', 'compare', 'delete']
    await kv.setMany(
      keys.map((key) => [key, 5]),
      { ttlMs: 100 },
    )
    clock.advance(100)
    expect(await kv.update('update', (old) => [old])).toEqual([undefined])
    expect(await kv.increment('increment')).toBe(1)
    expect(await kv.setIfAbsent('absent', 1)).toBe(true)
    expect(await kv.compareAndSet('compare', 5, 6)).toBe(false)
    expect(await kv.delete('delete')).toBe(false)
    expect(await Promise.all(keys.map((key) => kv.ttl(key)))).toEqual(Array(5).fill(undefined))
    expect([kv.count(), (await store.verify()).problems]).toEqual([3, []])
  })

  it('starts a new bag', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('b', { type: 'bag' })
    await kv.set('k', 1, { ttlMs: 100 })
    await kv.set('k', 2, { ttlMs: 100 })
    clock.advance(100)
    await kv.set('k', 3)
    expect([await kv.getAll('k'), kv.count()]).toEqual([[3], 1])
  })

  it('does not count against the limit of a range, which judges by the time of the call', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    for (let i = 0; i < 10; i++) await kv.set(i, i, i % 2 === 0 ? { ttlMs: 100 } : {})
    const before = kv.keys({ limit: 3 })
    clock.advance(100)
    expect(await collect(kv.keys({ limit: 3 }))).toEqual([1, 3, 5])
    expect(await collect(before)).toEqual([0, 1, 2])
    expect(await collect(kv.keys({ limit: 3, reverse: true }))).toEqual([9, 7, 5])
  })

  it('does not count against the limit in a transaction, where nothing is swept, nor in the count', async () => {
    const { store, clock } = await kvWorld()
    const [kv, bag] = [store.kv('n'), store.kv('b', { type: 'bag' })]
    for (let i = 0; i < 6; i++) await kv.set(i, i, i < 3 ? { ttlMs: 100 } : {})
    for (let i = 0; i < 3; i++) await bag.set('k', i, { ttlMs: 100 })
    clock.advance(100)
    let keys: AsyncIterable<unknown> | undefined
    await store.transact(() => {
      keys = kv.keys({ limit: 2 })
      expect([kv.count(), bag.count()]).toEqual([3, 0])
    })
    expect(await collect(keys as AsyncIterable<unknown>)).toEqual([3, 4])
  })
})

describe('a deadline', () => {
  it('comes from the call, else from the namespace; Infinity is none', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { ttlMs: 500 })
    await kv.set('own', 1, { ttlMs: 20 })
    await kv.set('default', 1)
    await kv.set('none', 1, { ttlMs: Number.POSITIVE_INFINITY })
    await kv.setIfAbsent('absent', 1)
    await kv.increment('number')
    expect(await Promise.all(['own', 'default', 'none', 'absent', 'number'].map((key) => kv.ttl(key)))).toEqual([
      20,
      500,
      undefined,
      500,
      500,
    ])
  })

  it('stays through update and increment, unless they bring a new one', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv<number>('n', { ttlMs: 500 })
    await kv.set('a', 1, { ttlMs: 100 })
    await kv.set('b', 1, { ttlMs: 100 })
    clock.advance(50)
    await kv.increment('a')
    await kv.update('a', (old) => (old ?? 0) + 1)
    await kv.update('b', (old) => (old ?? 0) + 1, { ttlMs: 300 })
    expect([await kv.ttl('a'), await kv.ttl('b'), await kv.get('a')]).toEqual([50, 300, 3])
  })

  it('goes with a set that has none', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('k', 1, { ttlMs: 100 })
    await kv.set('k', 2)
    clock.advance(1000)
    await timers()
    expect([await kv.get('k'), kv.count(), (await store.verify()).problems]).toEqual([2, 1, []])
  })

  it('that is later wins over the sweep of the earlier one', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('k', 1, { ttlMs: 100 })
    await kv.set('k', 2, { ttlMs: 300 })
    clock.advance(200)
    await timers()
    expect([await kv.get('k'), kv.count()]).toEqual([2, 1])
    clock.advance(100)
    await timers()
    expect([await kv.has('k'), kv.count(), (await store.verify()).problems]).toEqual([false, 0, []])
  })

  it('set in a transaction that is undone never was', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('k', 1, { ttlMs: 1000 })
    const undone = store.transact(() => {
      void kv.set('k', 2, { ttlMs: 10 })
      void kv.delete('k')
      throw new Error('no')
    })
    await undone.catch(() => undefined)
    clock.advance(500)
    await timers()
    expect([await kv.get('k'), kv.count(), (await store.verify()).problems]).toEqual([1, 1, []])
    clock.advance(500)
    expect(kv.count()).toBe(0)
  })
})

describe('the sweep', () => {
  it('removes what is due by one timer, with its place in the index, and no record when nothing is', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    const others = vi.getTimerCount()
    for (let i = 0; i < 2000; i++) void kv.set(i, i, { ttlMs: 1000 + (i % 7), durability: 'buffered' })
    await kv.set('stays', 1)
    await store.checkpoint()
    const { entries } = await store.verify()
    await timers()
    const idle = store.lastSequence
    await timers()
    expect([store.lastSequence, vi.getTimerCount() - others]).toEqual([idle, 1])
    clock.advance(1003)
    await timers()
    clock.advance(1000)
    await timers()
    await store.checkpoint()
    const report = await store.verify()
    expect([report.problems, entries - report.entries]).toEqual([[], 4000])
    expect(kv.count()).toBe(1)
  })

  it('goes on by itself after a restart, also for namespaces that nobody opens', async () => {
    const world = await kvWorld()
    await world.store.kv('a').set('k', 1, { ttlMs: 100 })
    await world.store.kv('b', { type: 'bag' }).set('k', 1, { ttlMs: 200 })
    await world.store.kv('b').set('k', 2, { ttlMs: 200 })
    const { store, clock } = await world.reopen()
    clock.advance(200)
    const changes = store.watch()[Symbol.asyncIterator]()
    await timers()
    const { value } = await changes.next()
    expect(value?.writes).toEqual([
      { type: 'kv', namespace: 'a', key: 'k', change: 'expire' },
      { type: 'kv', namespace: 'b', key: 'k', change: 'expire' },
    ])
    await changes.return?.()
    expect([store.kv('a').count(), store.kv('b', { type: 'bag' }).count()]).toEqual([0, 0])
    expect((await store.verify()).problems).toEqual([])
  })

  it.each(['strict', 'all'] as const)('makes up for a crash (%s) that came before it', async (mode) => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    for (let i = 0; i < 20; i++) await kv.set(i, i, { ttlMs: 100 })
    await world.store.checkpoint()
    await kv.set('late', 1, { ttlMs: 100 })
    await kv.set('far', 1, { ttlMs: 5000 })
    world.clock.advance(100)
    const { store, clock } = await world.crash(mode)
    expect([await store.kv('n').get(3), await store.kv('n').get('late'), store.kv('n').count()]).toEqual([
      undefined,
      undefined,
      1,
    ])
    clock.advance(5000)
    expect([store.kv('n').count(), (await store.verify()).problems]).toEqual([0, []])
  })

  it('hides what a clock that goes back shows again only until it is swept', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('n')
    await kv.set('k', 1, { ttlMs: 100 })
    clock.advance(1_000_000_000)
    expect(await kv.has('k')).toBe(false)
    clock.advance(-1_000_000_000)
    expect(await kv.get('k')).toBe(1)
    clock.advance(100)
    expect(kv.count()).toBe(0)
    clock.advance(-100)
    expect(await kv.has('k')).toBe(false)
  })

  it('keeps up with more deadlines than memory holds, whatever their order', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    const ttl = (i: number) => 1000 + ((i * 7919) % 30_000)
    const rows = Array.from({ length: 30_000 }, (_, i) => i)
    for (let from = 0; from < rows.length; from += 5000) {
      for (const i of rows.slice(from, from + 5000)) void kv.set(i, 0, { ttlMs: ttl(i), durability: 'buffered' })
      await world.store.sync()
    }
    const left = (after: number) => rows.filter((i) => ttl(i) > after).length
    const { clock } = world
    let store = world.store
    let passed = 0
    for (const step of [1500, 10_000, 15_000]) {
      clock.advance(step)
      passed += step
      await timers()
      await timers()
      expect(store.kv('n').count()).toBe(left(passed))
      // The rest is found again, by a store that has not seen any of it.
      if (passed === 1500) store = (await world.reopen()).store
    }
  }, 60_000)

  it('leaves volatile namespaces and the log alone together', async () => {
    const { store, clock } = await kvWorld()
    const kv = store.kv('v', { durability: 'volatile' })
    await kv.set('k', 1, { ttlMs: 100 })
    await kv.set('l', 1, { ttlMs: 200 })
    clock.advance(100)
    expect(kv.count()).toBe(1)
    clock.advance(100)
    await timers()
    expect([kv.count(), store.lastSequence]).toEqual([0, 0])
  })

  it('writes nothing into a store that is read only, which hides what is due all the same', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    for (let i = 0; i < 5; i++) await kv.set(i, i, { ttlMs: 100 * (i + 1) })
    const { store, clock } = await world.reopen({ readOnly: true })
    clock.advance(300)
    await timers()
    expect([store.kv('n').count(), await collect(store.kv('n').keys({ limit: 1 }))]).toEqual([2, [3]])
  })

  it('ends with the store', async () => {
    const { store } = await kvWorld()
    await store.kv('n').set('k', 1, { ttlMs: 100 })
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    await store.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not keep a store with a damaged index shut', async () => {
    const world = await kvWorld()
    await world.store.kv('n').set('k', 1, { ttlMs: 100 })
    await world.store.close()
    const { backend } = world
    await backend.open({ create: false })
    const [row] = await backend.iterate({ gte: 'x', lt: 'y' }).next(10)
    await backend.batch([{ key: row?.key as string, value: new Uint8Array([1, 2, 3]) }], { sync: true })
    await backend.close()
    const { store, clock } = await kvWorld({}, world)
    expect(await store.kv('n').get('k')).toBe(1)
    clock.advance(100)
    await timers()
    expect(await store.kv('n').has('k')).toBe(false)
    expect((await store.verify()).problems.map(({ code }) => code)).toEqual([
      'value-checksum',
      'entry-digest',
      'deadline-index',
    ])
  })

  it('is not held up by an entry that is damaged', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    await kv.set('bad', { a: 'x'.repeat(20) }, { ttlMs: 100 })
    await kv.set('good', 1, { ttlMs: 100 })
    await world.store.close()
    const { backend } = world
    await backend.open({ create: false })
    const rows = await backend.iterate({ gte: 'k', lt: 'l' }).next(10)
    const bad = rows.find(({ key }) => key.includes('bad')) as { key: string; value: Uint8Array }
    bad.value[bad.value.length - 1] = 0xff
    await backend.batch([bad], { sync: true })
    await backend.close()
    const { store, clock } = await kvWorld({}, world)
    clock.advance(100)
    await timers()
    const again = store.kv('n')
    expect(await again.has('good')).toBe(false)
    await expect(again.get('bad')).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })
})
