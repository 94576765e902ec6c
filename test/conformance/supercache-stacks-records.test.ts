/**
 * The behaviour of SuperCache's stacks and structs that programs rely on, case by case in
 * numbered order, and their defects, which stacks and records must not have.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/index.ts'
import { StructureWorld } from '../support/structure-world.ts'

let world: StructureWorld
let store: Store

beforeEach(async () => {
  world = await StructureWorld.open()
  store = world.store
})

afterEach(() => world.store.close())

describe('stacks', () => {
  test('55 a drain answers everything in order, leaves nothing, and the stack can be used again', async () => {
    const stack = store.stack<number>('s')
    for (const value of [1, 2, 3]) await stack.push(value)
    expect(await stack.drain()).toEqual([3, 2, 1])
    expect(stack.count()).toBe(0)
    await stack.push(4)
    expect(await stack.pop()).toBe(4)
  })

  test('56 last in, first out, also with pops in between', async () => {
    const stack = store.stack<number>('s')
    await stack.push(1)
    await stack.push(2)
    expect(await stack.pop()).toBe(2)
    await stack.push(3)
    expect(await stack.pop()).toBe(3)
    expect(await stack.pop()).toBe(1)
    expect(await stack.pop(0)).toBe(0)
  })

  test('57 stacks of different names are independent', async () => {
    const [a, b] = [store.stack<number>('1'), store.stack<string>(':head')]
    await a.push(1)
    await b.push('x')
    expect(await a.pop()).toBe(1)
    expect(await a.pop()).toBeUndefined()
    expect(b.count()).toBe(1)
  })

  test('defect: concurrent pushes and pops lose nothing and give nothing twice', async () => {
    const stack = store.stack<number>('s', { durability: 'buffered' })
    const taken: number[] = []
    const worker = async (from: number): Promise<void> => {
      for (let i = 0; i < 500; i++) {
        await stack.push(from + i)
        if (i % 2 === 1) for (const value of [await stack.pop(), await stack.pop()]) taken.push(value as number)
      }
    }
    await Promise.all([0, 1000, 2000, 3000].map(worker))
    const left = await stack.drain()
    const all = [...taken, ...left].sort((x, y) => x - y)
    expect(all).toHaveLength(2000)
    expect(new Set(all).size).toBe(2000)
    expect(stack.count()).toBe(0)
  })

  test('defect: many pops at once each get their own item, in order of the calls', async () => {
    const stack = store.stack<number>('s')
    await stack.pushMany(Array.from({ length: 100 }, (_, i) => i))
    const popped = await Promise.all(Array.from({ length: 110 }, () => stack.pop(-1)))
    expect(popped).toEqual([...Array.from({ length: 100 }, (_, i) => 99 - i), ...Array.from({ length: 10 }, () => -1)])
  })

  test('defect: a drain is top first, as the documentation of SuperCache says', async () => {
    const stack = store.stack<string>('s')
    await stack.pushMany(['bottom', 'middle', 'top'])
    expect(await stack.drain()).toEqual(['top', 'middle', 'bottom'])
  })

  test('defect: a stack works whatever the positions or types of tables', async () => {
    await store.table('s', { type: 'bag', keyPos: 2, partitionPos: 1 }).put(['a', 'b', 'c'])
    const stack = store.stack('s')
    await stack.push('x')
    expect(await stack.pop()).toBe('x')
    expect(store.table('s').count()).toBe(1)
  })
})

describe('records', () => {
  test('58 a wrong key property is refused, and a second start with another one', async () => {
    expect(() => store.records('user', { key: 5 as never })).toThrow('key')
    const users = store.records('user', { key: 'email' })
    await expect(users.add({ id: 1 })).rejects.toThrow('"email"')
    await users.add({ email: 'e' })
    expect(() => store.records('user', { key: 'id' })).toThrow(TypeError)
    expect(store.records('user', { key: 'email' })).toBe(users)
  })

  test('59 records overwrite, are listed by type, and the removal of none says so', async () => {
    const users = store.records<{ id: number; name: string }>('user')
    await users.add({ id: 1, name: 'old' })
    await users.add({ id: 1, name: 'new' })
    await store.records('order').add({ id: 1 })
    expect(await users.getAll()).toEqual([{ id: 1, name: 'new' }])
    expect(await users.remove(1)).toBe(true)
    expect(await users.remove(1)).toBe(false)
    expect(await users.get(1)).toBeUndefined()
    expect(await store.records('order').getAll()).toEqual([{ id: 1 }])
  })

  test('60 all records of a type go at once, and others stay', async () => {
    await store.records('user').addMany([{ id: 1 }, { id: 2 }])
    await store.records('order').add({ id: 1 })
    await store.records('user').removeAll()
    expect(await store.records('user').getAll()).toEqual([])
    expect(store.records('order').count()).toBe(1)
  })

  test('defect: while a record is replaced nobody finds it missing', async () => {
    const users = store.records<{ id: number; version: number }>('user')
    await users.add({ id: 1, version: 0 })
    for (let version = 1; version <= 50; version++) {
      const writing = users.add({ id: 1, version })
      expect(users.getSync(1)).toEqual({ id: 1, version })
      const read = users.get(1)
      expect(users.count()).toBe(1)
      expect((await read)?.version).toBe(version)
      await writing
    }
    expect(store.lastSequence).toBe(51)
  })

  test('defect: a removal says what was there, not what it was given', async () => {
    const users = store.records<{ id: number; name?: string }>('user')
    await users.add({ id: 1, name: 'stored' })
    expect(await users.remove({ id: 2, name: 'given' })).toBe(false)
    expect(await users.remove({ id: 1 })).toBe(true)
  })

  test('defect: a record without its key is refused', async () => {
    const users = store.records<{ id?: number | null; name: string }>('user')
    await expect(users.add({ name: 'x' })).rejects.toThrow('"id"')
    await users.add({ id: null, name: 'null is a key like any other' })
    expect(await users.get({ id: null, name: '' })).toEqual({ id: null, name: 'null is a key like any other' })
  })

  test('defect: what a type is found by outlives the removal of everything', async () => {
    const users = store.records('user', { key: 'email' })
    await users.add({ email: 'a' })
    await users.removeAll()
    await store.table('t').clear()
    await users.add({ email: 'b' })
    expect(await users.get('b')).toEqual({ email: 'b' })
    const after = await world.reopen()
    expect(() => after.records('user')).toThrow(expect.objectContaining({ code: 'HOLDFAST_SHAPE_MISMATCH' }))
  })

  test('defect: records are found whatever the positions of tables', async () => {
    await store.table('user', { keyPos: 1, partitionPos: 2 }).put(['a', 'b', 'c'])
    await store.records('user').add({ id: 1 })
    expect(await store.records('user').get(1)).toEqual({ id: 1 })
  })
})
