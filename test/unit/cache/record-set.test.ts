import { describe, expect, test } from 'vitest'
import { hardlyAnyMemory, StructureWorld } from '../../support/structure-world.ts'

interface User {
  readonly id: number | string
  readonly name?: string
}

describe('records', () => {
  test('are found by key or by a record with that key, and come in order of keys', async () => {
    const { store } = await StructureWorld.open()
    const users = store.records<User>('user')
    await users.add({ id: 'b', name: 'B' })
    await users.addMany([{ id: 2 }, { id: 10 }, { id: 'a' }])
    expect(await users.get('b')).toEqual({ id: 'b', name: 'B' })
    expect(await users.get({ id: 'b', name: 'ignored' })).toEqual({ id: 'b', name: 'B' })
    expect(users.getSync(2)).toEqual({ id: 2 })
    expect(await users.get('c')).toBeUndefined()
    expect(users.getSync({ id: 'c' })).toBeUndefined()
    expect((await users.getAll()).map(({ id }) => id)).toEqual([2, 10, 'a', 'b'])
    expect(users.count()).toBe(4)
    await store.close()
  })

  test('are found by any property, whose value may be any key', async () => {
    const { store } = await StructureWorld.open()
    const by = store.records<{ at: unknown; n: number }>('by', { key: 'at' })
    const keys = [null, false, 0, 1n, Uint8Array.of(1), 'x', ['a', 1]]
    for (const [n, at] of keys.entries()) await by.add({ at, n })
    for (const [n, at] of keys.entries()) expect((await by.get(at as never))?.n).toBe(n)
    expect((await by.getAll()).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6])
    await store.close()
  })

  test('without the property, or that are no plain objects, are refused, and many with one such among them', async () => {
    const { store } = await StructureWorld.open()
    const users = store.records<User>('user')
    class Person {
      id = 1
    }
    for (const wrong of [{}, { id: undefined }, Object.create({ id: 1 }), null, 'x', [1], new Map(), new Person()]) {
      await expect(users.add(wrong as never), String(wrong)).rejects.toThrow(TypeError)
    }
    await expect(store.records('by', { key: 'constructor' }).add({ id: 1 })).rejects.toThrow('"constructor"')
    await expect(users.add({ id: Number.NaN })).rejects.toThrow(TypeError)
    await expect(users.add({ id: 1, name: (() => 1) as never })).rejects.toThrow(TypeError)
    await expect(users.addMany([{ id: 1 }, {} as never])).rejects.toThrow('"id"')
    await expect(users.get({} as never)).rejects.toThrow('"id"')
    await expect(users.remove({} as never)).rejects.toThrow(TypeError)
    expect(users.count()).toBe(0)
    expect(store.lastSequence).toBe(0)
    await store.close()
  })

  test('say whether there was one to remove, and what is removed stays so in a power cut', async () => {
    const world = await StructureWorld.open()
    const users = world.store.records<User>('user')
    await users.addMany([{ id: 1 }, { id: 2 }, { id: 3 }])
    await world.store.checkpoint()
    expect(await users.remove(1)).toBe(true)
    expect(await users.remove({ id: 1 })).toBe(false)
    expect(await users.remove('1')).toBe(false)
    const after = (await world.crash('strict')).records<User>('user')
    expect((await after.getAll()).map(({ id }) => id)).toEqual([2, 3])
    expect(after.count()).toBe(2)
    await world.store.close()
  })

  test('a removal that finds nothing waits for the one that took it', async () => {
    const world = await StructureWorld.open()
    const users = world.store.records<User>('user')
    await users.add({ id: 1 })
    const first = users.remove(1, { durability: 'buffered' })
    await first
    expect(await users.remove(1, { durability: 'sync' })).toBe(false)
    const after = (await world.crash('strict')).records<User>('user')
    expect(await after.get(1)).toBeUndefined()
    await world.store.close()
  })

  test('are removed all at once, of this type alone, in memory or not', async () => {
    for (const options of [{}, hardlyAnyMemory]) {
      const world = await StructureWorld.open({ ...options, durability: 'buffered' })
      const pad = 'x'.repeat(500)
      const many = Array.from({ length: 300 }, (_, id) => ({ id, pad }))
      await world.store.records('a').addMany(many)
      await world.store.records('ab').addMany(many)
      await world.reopen()
      const a = world.store.records<User>('a')
      const before = world.store.lastSequence
      const removal = a.removeAll()
      const added = a.add({ id: 1000 })
      await Promise.all([removal, added])
      expect(world.store.lastSequence).toBeLessThanOrEqual(before + 2)
      await a.removeAll()
      expect(a.count()).toBe(0)
      expect(await a.getAll()).toEqual([])
      expect(world.store.records('ab').count()).toBe(300)
      const after = (await world.reopen()).records('a')
      expect(after.count()).toBe(0)
      expect((await world.store.verify()).problems).toEqual([])
      await world.store.close()
    }
  })

  test('are as they were before a transaction that throws', async () => {
    const { store } = await StructureWorld.open()
    const users = store.records<User>('user')
    await users.addMany([{ id: 1, name: 'old' }, { id: 2 }])
    const failed = store.transact(() => {
      void users.add({ id: 1, name: 'new' })
      void users.remove(2)
      void users.add({ id: 3 })
      void users.removeAll()
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await users.getAll()).toEqual([{ id: 1, name: 'old' }, { id: 2 }])
    expect(users.count()).toBe(2)
    await store.close()
  })

  test('are frozen, or copies: nobody changes what is stored', async () => {
    const { store } = await StructureWorld.open()
    const things = store.records<{ id: number; list: number[]; bytes?: Uint8Array }>('thing')
    const given = { id: 1, list: [1], bytes: Uint8Array.of(1) }
    await things.add(given)
    given.list.push(2)
    given.bytes[0] = 9
    const got = await things.get(1)
    expect(got).toEqual({ id: 1, list: [1], bytes: Uint8Array.of(1) })
    got?.bytes?.fill(7)
    expect(() => got?.list.push(3)).toThrow(TypeError)
    expect(await things.get(1)).toEqual({ id: 1, list: [1], bytes: Uint8Array.of(1) })
    await store.close()
  })

  test('cannot be opened by another property than they were written', async () => {
    const world = await StructureWorld.open()
    await world.store.records('user', { key: 'email' }).add({ email: 'e' })
    await world.reopen()
    expect(() => world.store.records('user')).toThrow(expect.objectContaining({ code: 'HOLDFAST_SHAPE_MISMATCH' }))
    expect(await world.store.records('user', { key: 'email' }).get('e')).toEqual({ email: 'e' })
    expect(() => world.store.records('other', { key: 5 as never })).toThrow(TypeError)
    expect(() => world.store.records('other', { revive: 5 } as never)).toThrow('no option "revive"')
    await world.store.close()
  })
})
