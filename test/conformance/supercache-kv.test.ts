/** What users of an in-memory tuple cache with namespaces rely on, and the defects of such a cache that this one must not have. */
import { describe, expect, it } from 'vitest'
import { collect, kvWorld } from '../unit/cache/kv-world.ts'

describe('key-value namespaces', () => {
  it('36 set overwrites', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('ns')
    await kv.set('k', 1)
    await kv.set('k', 2)
    expect([await kv.get('k'), kv.count()]).toEqual([2, 1])
  })

  it('37 get answers the fallback when there is nothing', async () => {
    const { store } = await kvWorld()
    expect([await store.kv('ns').get('k', 'd'), await store.kv('ns').get('k')]).toEqual(['d', undefined])
  })

  it('38 delete of what is missing does nothing', async () => {
    const { store } = await kvWorld()
    expect([await store.kv('ns').delete('k'), store.lastSequence]).toEqual([false, 0])
  })

  it('39 clear spares other namespaces', async () => {
    const { store } = await kvWorld()
    for (const name of ['a', 'b', 'a/b', 'A']) await store.kv(name).set('k', name)
    await store.kv('a').clear()
    expect(await Promise.all(['a', 'b', 'a/b', 'A'].map((name) => store.kv(name).get('k')))).toEqual([
      undefined,
      'b',
      'a/b',
      'A',
    ])
  })

  it('40 any value, and any key', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('ns')
    const values = [
      ...[
        undefined,
        null,
        true,
        -0,
        Number.NaN,
        1.5,
        2n ** 80n,
        '',
        'ü\u{1f600}',
        new Date(5),
        new Uint8Array([0, 255]),
      ],
      ...[[1, [2]], { a: { b: undefined } }, new Map([[{ k: 1 }, new Set([1])]]), new Set([[1]])],
    ]
    for (const [i, value] of values.entries()) {
      await kv.set(['key', i], value)
      expect(await kv.get(['key', i])).toEqual(value)
      expect(Object.is(await kv.get(['key', i]), -0)).toBe(Object.is(value, -0))
    }
  })

  it('41 update and replace insert or replace', async () => {
    const { store } = await kvWorld()
    const [kv, bag] = [store.kv('ns'), store.kv('bag', { type: 'bag' })]
    await kv.update('k', () => 1)
    await kv.update('k', () => 2)
    await bag.setMany([
      ['k', 1],
      ['k', 2],
    ])
    await bag.replace('k', [3])
    await bag.replace('l', [4])
    expect([await kv.get('k'), await bag.getAll('k'), await bag.getAll('l')]).toEqual([2, [3], [4]])
  })

  it('42 update gives its function undefined when absent, and answers the new value', async () => {
    const { store } = await kvWorld()
    const kv = store.kv<number>('ns')
    const double = (old = 5) => old * 2
    expect([await kv.update('k', double), await kv.update('k', double), await kv.get('k')]).toEqual([10, 20, 20])
  })

  it('43 increment starts at its initial value and takes negative steps', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('ns')
    expect([await kv.increment('k', 5, 10), await kv.increment('k', -20), await kv.get('k')]).toEqual([15, -5, -5])
  })

  it('45 increment on a bag is an error', async () => {
    const { store } = await kvWorld()
    await expect(store.kv('bag', { type: 'bag' }).increment('k')).rejects.toThrow(TypeError)
    await expect(store.kv('dup', { type: 'duplicate-bag' }).increment('k')).rejects.toThrow(TypeError)
  })

  it('46 get of a bag answers the last value, getAll all', async () => {
    const { store } = await kvWorld()
    const bag = store.kv('bag', { type: 'bag' })
    for (const value of ['a', 'b', 'c']) await bag.set('k', value)
    expect([await bag.get('k'), await bag.getAll('k'), await bag.getAll('none')]).toEqual(['c', ['a', 'b', 'c'], []])
  })

  it('50 setMany and deleteMany, empty and of what is missing', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('ns')
    await kv.setMany([])
    await kv.deleteMany([])
    await kv.setMany(
      new Map([
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ]),
    )
    await kv.deleteMany([2, 99])
    expect([await collect(kv.entries()), kv.count()]).toEqual([
      [
        [1, 'a'],
        [3, 'c'],
      ],
      2,
    ])
  })

  it('34 what is written without waiting (buffered) can be read at once, in the order of the calls', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('lazy', { durability: 'buffered' })
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 20; i++) void kv.set('k', [round, i])
      expect(kv.getSync('k')).toEqual([round, 19])
    }
    expect(await kv.get('k')).toEqual([49, 19])
  })
})

describe('defects of others that are not here', () => {
  it('close writes out what was only buffered', async () => {
    const world = await kvWorld({ bufferedIntervalMs: 1e6 })
    for (let i = 0; i < 100; i++) void world.store.kv('lazy').set(i, i, { durability: 'buffered' })
    const { store } = await world.reopen()
    expect(store.kv('lazy').count()).toBe(100)
  })

  it('buffered writes that are lost in a crash are the last ones', async () => {
    const world = await kvWorld({ bufferedIntervalMs: 1e6 })
    const kv = world.store.kv('lazy', { durability: 'buffered' })
    for (let i = 0; i < 10; i++) await kv.set('k', i)
    await world.store.sync()
    for (let i = 10; i < 20; i++) await kv.set('k', i)
    const { store } = await world.crash('strict')
    expect(await store.kv('lazy').get('k')).toBeGreaterThanOrEqual(9)
  })

  it('no name is a wildcard or reaches into another namespace', async () => {
    const { store } = await kvWorld()
    const names = ['_', ':_', '*', '%', '%2F', '/', 'a/', 'a', '$1', '__proto__', 'constructor', '\0', 'ü', ' ']
    for (const name of names) await store.kv(name).set('k', name)
    for (const name of names) {
      await store.kv(name).clear()
      expect([store.kv(name).count(), await store.kv(name).get('k')]).toEqual([0, undefined])
      const others = names.slice(names.indexOf(name) + 1)
      for (const other of others) expect(await store.kv(other).get('k'), `${name} and ${other}`).toBe(other)
    }
    expect((await store.verify()).problems).toEqual([])
  })

  it('the names of different structures never meet', async () => {
    const { store } = await kvWorld()
    await store.kv('same').set('k', 1)
    await store.kv('same').set('head', 2)
    await store.queue('same').add('item')
    await store.stack('same').push('item')
    await store.table('same').put(['k', 1])
    await store.kv('same').clear()
    expect([await store.queue('same').peek(), await store.stack('same').peek(), store.table('same').count()]).toEqual([
      'item',
      'item',
      1,
    ])
  })

  it('updates that run at once lose none', async () => {
    const { store } = await kvWorld()
    const kv = store.kv<number>('ns')
    await Promise.all(
      Array.from({ length: 2000 }, () => kv.update('k', (old = 0) => old + 1, { durability: 'buffered' })),
    )
    expect(await kv.get('k')).toBe(2000)
  })

  it('setMany is all or nothing, also in a crash', async () => {
    const world = await kvWorld()
    const kv = world.store.kv('ns')
    await expect(
      kv.setMany([
        ['a', 1],
        ['b', Symbol('no')],
      ]),
    ).rejects.toThrow(TypeError)
    expect([kv.getSync('a'), kv.count()]).toEqual([undefined, 0])
    void kv.setMany(Array.from({ length: 100 }, (_, i) => [i, 'x'.repeat(100)] as const)).catch(() => undefined)
    const { store } = await world.crash('all')
    expect([0, 100]).toContain(store.kv('ns').count())
  })

  it('opening a store twice does not wipe it', async () => {
    const world = await kvWorld()
    await world.store.kv('ns').set('k', 1)
    await expect(kvWorld({}, world)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    const { store } = await world.reopen({ partitions: 3 })
    expect(await store.kv('ns').get('k')).toBe(1)
  })

  it('a stored null is not mistaken for absence, and increment takes floats', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('ns')
    await kv.set('k', null)
    expect([await kv.get('k', 'd'), await kv.increment('f', 0.1, 0.2)]).toEqual([null, 0.1 + 0.2])
  })

  it('adding a value again to a bag makes it the last', async () => {
    const { store } = await kvWorld()
    const bag = store.kv('bag', { type: 'bag' })
    for (const value of [1, 2, 1]) await bag.set('k', value)
    expect(await bag.get('k')).toBe(1)
  })
})
