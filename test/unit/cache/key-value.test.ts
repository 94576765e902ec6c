import { describe, expect, it, vi } from 'vitest'
import { clearEntries } from '../../../src/cache/key-value-clear.ts'
import type { KeyValueOptions } from '../../../src/index.ts'
import { collect, kvWorld } from './kv-world.ts'
import { openSpaces } from './space-world.ts'

const open = async (options?: KeyValueOptions) => (await kvWorld()).store.kv('n', options)

describe('a namespace', () => {
  it('answers what was set, at once to getSync and acknowledged to get', async () => {
    const kv = await open()
    const done = kv.set('a', 1)
    expect(kv.getSync('a')).toBe(1)
    await done
    expect(await kv.get('a')).toBe(1)
    expect(await kv.has('a')).toBe(true)
    expect(await kv.has('b')).toBe(false)
  })

  it('tells a stored undefined or null from absence', async () => {
    const kv = await open()
    await kv.setMany([
      ['u', undefined],
      ['n', null],
    ])
    expect(await kv.get('u', 'fallback')).toBe(undefined)
    expect(await kv.get('n', 'fallback')).toBe(null)
    expect(await kv.get('x', 'fallback')).toBe('fallback')
    expect(kv.getSync('n', 'fallback')).toBe(null)
    expect(kv.getSync('x', 'fallback')).toBe('fallback')
    expect([await kv.has('u'), kv.count()]).toEqual([true, 2])
  })

  it('takes every kind of key and keeps them apart and in one order', async () => {
    const kv = await open()
    const keys = [null, false, true, -1, 0, 1, 1n, 2, new Uint8Array([1]), '', '1', 'a', 'a\0b', ['a'], ['a', 1]]
    await kv.setMany([...keys].reverse().map((key) => [key, key] as const))
    expect(await collect(kv.keys())).toEqual(keys)
    for (const key of keys) expect(await kv.get(key)).toEqual(key)
    expect(kv.count()).toBe(keys.length)
  })

  it('is the same object for the same name, and refuses other options', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { ttlMs: 5 })
    expect(store.kv('n')).toBe(kv)
    expect(() => store.kv('n', { ttlMs: 6 })).toThrow(TypeError)
  })

  it('cannot be opened as another type than it was written as', async () => {
    const world = await kvWorld()
    await world.store.kv('n', { type: 'bag' }).set('k', 1)
    const { store } = await world.reopen()
    expect(() => store.kv('n')).toThrow(expect.objectContaining({ code: 'HOLDFAST_SHAPE_MISMATCH' }))
    expect(await store.kv('n', { type: 'bag' }).getAll('k')).toEqual([1])
  })

  it.each([
    { ttlMs: 0 },
    { ttlMs: Number.NaN },
    { maxEntries: 0 },
    { maxEntries: 1.5 },
    { maxBytes: -1 },
    { type: 'list' },
    { durability: 'forever' },
    { ttl: 5 },
  ])('refuses the options %j', async (options) => {
    const { store } = await kvWorld()
    expect(() => store.kv('n', options as KeyValueOptions)).toThrow(TypeError)
  })

  it('rejects wrong arguments with a TypeError and leaves nothing behind', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n')
    const before = store.lastSequence
    const calls = [
      () => kv.set(Number.NaN, 1),
      () => kv.set(undefined as never, 1),
      () => kv.set('k', () => 1),
      () => kv.set('k', 1, { ttlMs: -1 }),
      () => kv.set('k', 1, { durability: 'volatile' }),
      () => kv.setMany([['a', 1], ['b', Symbol('b')], 5 as never]),
      () => kv.getMany('ab' as never),
      () => kv.deleteMany('ab' as never),
      () => kv.update('k', 5 as never),
      () => kv.update('k', async () => 1),
      () => kv.increment('k', '1' as never),
      () => kv.increment('k', Number.NaN),
      () => kv.get({} as never),
      () => kv.getAll('k'),
      () => kv.replace('k', [1]),
      () => kv.getOrSet('k', 5 as never),
      () => kv.getOrSet('k', async () => 1, { staleMs: 0 }),
    ]
    for (const call of calls) await expect(call(), call.toString()).rejects.toThrow(TypeError)
    expect(store.lastSequence).toBe(before)
    expect(kv.count()).toBe(0)
  })

  it('is gone at close when it is volatile, and takes no other durability', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('v', { durability: 'volatile' })
    await kv.set('a', 1)
    await kv.set('b', 2, { durability: 'volatile' })
    await expect(kv.set('c', 3, { durability: 'sync' })).rejects.toThrow(TypeError)
    expect([world.store.lastSequence, kv.count()]).toEqual([0, 2])
    const { store } = await world.reopen()
    expect(store.kv('v', { durability: 'volatile' }).count()).toBe(0)
  })

  it('answers and takes nothing after close, volatile or not', async () => {
    const { store } = await kvWorld()
    const namespaces = [store.kv('n'), store.kv('v', { durability: 'volatile' })]
    for (const kv of namespaces) await kv.set('k', 1)
    await store.close()
    const closed = expect.objectContaining({ code: 'HOLDFAST_CLOSED' })
    for (const kv of namespaces) {
      for (const call of [() => kv.get('k'), () => kv.set('k', 2), () => kv.increment('k'), () => kv.clear()])
        await expect(call(), call.toString()).rejects.toEqual(closed)
      for (const call of [() => kv.getSync('k'), () => kv.count(), () => kv.keys(), () => kv.watch()])
        expect(call, call.toString()).toThrow(closed)
    }
  })

  it('has entries that a caller cannot change through the key it gave', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 2 })
    const key = ['a', new Uint8Array([1])] as const
    await kv.set(key, 1)
    key[1][0] = 2
    await kv.set('b', 1)
    await kv.set('c', 1)
    expect(await collect(kv.keys())).toEqual(['b', 'c'])
    const loading = kv.getOrSet(key, async () => {
      key[1][0] = 3
      return 'loaded'
    })
    expect([await loading, await kv.get(['a', new Uint8Array([2])])]).toEqual(['loaded', 'loaded'])
  })

  it('keeps what was acknowledged through a power cut, and its count', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    await kv.setMany(Array.from({ length: 20 }, (_, i) => [i, i] as const))
    await kv.deleteMany([3, 4, 99])
    const { store } = await world.crash('strict')
    expect(store.kv('n').count()).toBe(18)
    expect(await collect(store.kv('n').values({ lte: 5 }))).toEqual([0, 1, 2, 5])
    expect((await store.verify()).problems).toEqual([])
  })

  it('writes with the durability of the call, else of the namespace', async () => {
    const world = await kvWorld({ bufferedIntervalMs: 1_000_000 })
    const kv = world.store.kv('n', { durability: 'buffered' })
    await kv.set('a', 1)
    expect(world.store.durableSequence).toBe(0)
    await kv.set('b', 1, { durability: 'sync' })
    expect(world.store.durableSequence).toBe(world.store.lastSequence)
  })
})

describe('read-modify-writes', () => {
  it('lose no increment of many that run at once', async () => {
    const kv = await open()
    await Promise.all(Array.from({ length: 500 }, () => kv.increment('n')))
    await Promise.all(
      Array.from({ length: 500 }, () => kv.update('m', (old) => ((old as number | undefined) ?? 0) + 1)),
    )
    expect(await kv.getMany(['n', 'm'])).toEqual([500, 500])
  })

  it('undo everything when the function throws, also what it wrote itself', async () => {
    const kv = await open()
    await kv.set('k', 1)
    const update = kv.update('k', () => {
      void kv.set('other', 2)
      throw new Error('no')
    })
    await expect(update).rejects.toThrow('no')
    expect([kv.getSync('k'), kv.getSync('other'), kv.count()]).toEqual([1, undefined, 1])
  })

  it('count once what the function of update wrote under the same key', async () => {
    const kv = await open()
    const value = await kv.update('k', () => {
      void kv.set('k', 'inner')
      return 'outer'
    })
    expect([value, kv.getSync('k'), kv.count()]).toEqual(['outer', 'outer', 1])
  })

  it('setIfAbsent sets once', async () => {
    const kv = await open()
    expect(await Promise.all([1, 2, 3].map((n) => kv.setIfAbsent('k', n)))).toEqual([true, false, false])
    expect(await kv.get('k')).toBe(1)
  })

  it('compareAndSet compares by value: NaN is itself, -0 is not 0, undefined expects absence', async () => {
    const kv = await open()
    expect(await kv.compareAndSet('k', undefined, { a: [1] })).toBe(true)
    expect(await kv.compareAndSet('k', undefined, 0)).toBe(false)
    expect(await kv.compareAndSet('k', { a: [2] }, 0)).toBe(false)
    expect(await kv.compareAndSet('k', { a: [1] }, Number.NaN)).toBe(true)
    expect(await kv.compareAndSet('k', Number.NaN, -0)).toBe(true)
    expect(await kv.compareAndSet('k', 0, 1)).toBe(false)
    expect(await kv.compareAndSet('k', -0, Buffer.from('x'))).toBe(true)
    expect(await kv.compareAndSet('k', Buffer.from('x'), new Map([['a', new Date(5)]]))).toBe(true)
    expect(await kv.compareAndSet('k', new Map([['a', new Date(5)]]), 'end')).toBe(true)
    expect(await kv.compareAndSet('x', 'something', 1)).toBe(false)
  })

  it('increment floats, and refuses what is no number', async () => {
    const kv = await open()
    expect(await kv.increment('f', 0.5, 1)).toBe(1.5)
    expect(await kv.increment('f', -3)).toBe(-1.5)
    await kv.set('s', '1')
    await expect(kv.increment('s')).rejects.toThrow(TypeError)
    await kv.set('u', undefined)
    await expect(kv.increment('u')).rejects.toThrow(TypeError)
  })

  it('answer what they rest on only once that is acknowledged', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('n')
    const order: string[] = []
    const set = kv.set('k', 1).then(() => order.push('set'))
    const absent = kv.setIfAbsent('k', 2).then((was) => order.push(`setIfAbsent ${was}`))
    const compared = kv.compareAndSet('k', 5, 2).then((was) => order.push(`compareAndSet ${was}`))
    await Promise.all([set, absent, compared])
    expect(order).toEqual(['set', 'setIfAbsent false', 'compareAndSet false'])
    const removed = kv.delete('k').then(() => order.push('delete'))
    const again = kv.delete('k').then((was) => order.push(`again ${was}`))
    const cleared = kv.clear().then(() => order.push('clear'))
    await Promise.all([removed, again, cleared])
    expect(order.slice(3)).toEqual(['delete', 'again false', 'clear'])
  })
})

describe('in a transaction', () => {
  it('several namespaces change in one record, and a throw takes all back, counts too', async () => {
    const { store } = await kvWorld()
    const [a, b] = [store.kv('a'), store.kv('b', { type: 'bag' })]
    await a.set('k', 1)
    const before = store.lastSequence
    await store.transact(() => {
      void a.delete('k')
      void b.set('k', 1)
      void b.set('k', 2)
    })
    expect([store.lastSequence, a.count(), b.count()]).toEqual([before + 1, 0, 2])
    const undone = store.transact(() => {
      void a.set('x', 1)
      void b.clear()
      void b.set('z', 1)
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    expect([a.count(), b.count(), b.getSync('k')]).toEqual([0, 2, 2])
    expect((await store.verify()).problems).toEqual([])
  })

  it('throws for wrong arguments and for getOrSet at once', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n')
    await expect(store.transact(() => kv.set('k', Symbol('no')))).rejects.toThrow(TypeError)
    await expect(store.transact(() => void kv.getOrSet('k', async () => 1))).rejects.toThrow(TypeError)
  })
})

describe('ranges', () => {
  const rows = async () => {
    const kv = await open()
    await kv.setMany(['a', 'ab', 'abc', 'b', 'c'].map((key, i) => [key, i] as const))
    return kv
  }

  it('take bounds, a prefix, a direction and a limit', async () => {
    const kv = await rows()
    expect(await collect(kv.keys({ gt: 'a', lte: 'b' }))).toEqual(['ab', 'abc', 'b'])
    expect(await collect(kv.keys({ gte: 'a', lt: 'b' }))).toEqual(['a', 'ab', 'abc'])
    expect(await collect(kv.keys({ prefix: 'ab' }))).toEqual(['ab', 'abc'])
    expect(await collect(kv.values({ reverse: true, limit: 2 }))).toEqual([4, 3])
    expect(await collect(kv.entries({ gte: 'b', limit: 1 }))).toEqual([['b', 3]])
    expect(await collect(kv.keys({ limit: 0 }))).toEqual([])
    expect(await collect(kv.keys({ gt: 'c', lt: 'a' }))).toEqual([])
  })

  it('take prefixes of byte arrays and of arrays', async () => {
    const kv = await open()
    await kv.setMany([
      [['u', 1], 1],
      [['u', 2], 2],
      [['v', 1], 3],
      [['u'], 0],
      [new Uint8Array([7, 7]), 4],
    ])
    expect(await collect(kv.values({ prefix: ['u'] }))).toEqual([0, 1, 2])
    expect(await collect(kv.values({ prefix: new Uint8Array([7]) }))).toEqual([4])
  })

  it('refuse at once what is no range', async () => {
    const kv = await open()
    for (const range of [{ gt: 1, gte: 1 }, { lt: 1, lte: 2 }, { prefix: 'a', gt: 'a' }, { limit: -1 }, { prefix: 5 }])
      expect(() => kv.keys(range as never), JSON.stringify(range)).toThrow(TypeError)
  })

  it('are a snapshot as of the call, not of the first step', async () => {
    const kv = await rows()
    const keys = kv.keys()
    await kv.clear()
    await kv.set('new', 1)
    expect(await collect(keys)).toEqual(['a', 'ab', 'abc', 'b', 'c'])
  })
})

describe('clear', () => {
  it('removes everything of the namespace in one record and nothing of others', async () => {
    const { store } = await kvWorld()
    const [a, other] = [store.kv('a'), store.kv('a%2F')]
    await a.setMany(Array.from({ length: 50 }, (_, i) => [i, i] as const))
    await other.set(1, 1)
    const before = store.lastSequence
    await a.clear()
    expect([store.lastSequence, a.count(), other.count()]).toEqual([before + 1, 0, 1])
  })

  it('removes what is only on disk, and what is written while it looks', async () => {
    const world = await kvWorld()
    await world.store.kv('n').setMany(Array.from({ length: 1500 }, (_, i) => [i, i] as const))
    const { store } = await world.reopen()
    const kv = store.kv('n')
    const cleared = kv.clear()
    const during = kv.set('during', 1)
    await Promise.all([cleared, during])
    expect([kv.count(), await collect(kv.keys())]).toEqual([0, []])
    expect((await store.verify()).problems).toEqual([])
  })

  it('looks again when something was written and left memory while it looked', async () => {
    const world = await openSpaces()
    const entries = world.caches.expiry(false).open('n', 'set')
    await entries.space.write(undefined, () => {
      for (let i = 0; i < 5; i++) entries.put(i, i, 0)
    })
    await world.opened.close()
    const again = await openSpaces({}, world.disk, world.backend)
    const { space } = again.caches.expiry(false).open('n', 'set')
    const scan = vi.spyOn(space, 'scan').mockImplementationOnce(async function* () {})
    const reopened = again.caches.expiry(false).open('n', 'set')
    await clearEntries(reopened, (fn) => reopened.space.write(undefined, fn))
    expect([scan.mock.calls.length, space.count]).toEqual([2, 0])
    await again.opened.close()
  })

  it('joins a transaction when everything is in memory, else throws a TypeError there', async () => {
    const world = await kvWorld()
    await world.store.kv('n').set('k', 1)
    await world.store.transact(() => void world.store.kv('n').clear())
    expect(world.store.kv('n').count()).toBe(0)
    await world.store.kv('n').set('k', 1)
    const { store } = await world.reopen()
    await expect(store.transact(() => void store.kv('n').clear())).rejects.toThrow(TypeError)
    expect(store.kv('n').count()).toBe(1)
  })
})

describe('bags', () => {
  it('hold several values a key: get answers the last, a value added again is the last', async () => {
    const kv = await open({ type: 'bag' })
    for (const value of [1, { a: 1 }, 1, { a: 1 }, Number.NaN, Number.NaN, 1]) await kv.set('k', value)
    expect(await kv.getAll('k')).toEqual([{ a: 1 }, Number.NaN, 1])
    expect([await kv.get('k'), kv.count()]).toEqual([1, 3])
  })

  it('keep identical values apart when they are duplicate-bags', async () => {
    const kv = await open({ type: 'duplicate-bag' })
    for (const value of [1, 1, 2]) await kv.set('k', value)
    await kv.set('l', 1)
    expect([await kv.getAll('k'), kv.count()]).toEqual([[1, 1, 2], 4])
    expect(await collect(kv.keys())).toEqual(['k', 'l'])
    expect(await collect(kv.entries({ reverse: true, limit: 3 }))).toEqual([
      ['l', 1],
      ['k', 2],
      ['k', 1],
    ])
  })

  it('replace all values, and delete all', async () => {
    const kv = await open({ type: 'bag' })
    await kv.setMany([
      ['k', 1],
      ['k', 2],
    ])
    await kv.replace('k', [3, 3, 4])
    expect([await kv.getAll('k'), kv.count()]).toEqual([[3, 4], 2])
    await kv.replace('k', [])
    expect([await kv.has('k'), kv.count()]).toEqual([false, 0])
    await kv.set('k', 1)
    expect([await kv.delete('k'), kv.count(), await kv.getAll('k')]).toEqual([true, 0, []])
  })

  it('count right after a crash and through undo', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('b', { type: 'bag' })
    for (const value of [1, 2, 3]) await kv.set('k', value)
    await world.store
      .transact(() => {
        void kv.replace('k', [9])
        throw new Error('no')
      })
      .catch(() => undefined)
    expect(kv.count()).toBe(3)
    const { store } = await world.crash()
    expect(store.kv('b', { type: 'bag' }).count()).toBe(3)
    expect((await store.verify()).problems).toEqual([])
  })

  it('refuse what makes no sense for several values', async () => {
    const kv = await open({ type: 'bag' })
    await expect(kv.increment('k')).rejects.toThrow(TypeError)
    await expect(kv.compareAndSet('k', undefined, 1)).rejects.toThrow(TypeError)
    await expect(kv.getOrSet('k', async () => 1)).rejects.toThrow(TypeError)
  })
})
