import { describe, expect, test } from 'vitest'
import { hardlyAnyMemory, StructureWorld } from '../../support/structure-world.ts'

describe('a stack', () => {
  test('pops what was pushed last, whatever the value, and the fallback when it is empty', async () => {
    const { store } = await StructureWorld.open()
    const stack = store.stack('s')
    const values = [undefined, null, -0, new Map([[{ a: 1 }, new Set([1])]]), new Date(5), { deep: [Uint8Array.of(1)] }]
    for (const value of values) await stack.push(value)
    expect(stack.count()).toBe(values.length)
    for (const value of values.reverse()) {
      expect(await stack.peek('none')).toStrictEqual(value)
      expect(await stack.pop('none')).toStrictEqual(value)
    }
    expect(await stack.peek('none')).toBe('none')
    expect(await stack.pop('none')).toBe('none')
    expect(await stack.pop()).toBeUndefined()
    expect(stack.count()).toBe(0)
    await store.close()
  })

  test('pushes many and drains as one record each, top first', async () => {
    const { store } = await StructureWorld.open()
    const stack = store.stack<number>('s')
    await stack.push(0)
    const before = store.lastSequence
    await stack.pushMany([1, 2, 3])
    expect(store.lastSequence).toBe(before + 1)
    expect(await stack.drain()).toEqual([3, 2, 1, 0])
    expect(store.lastSequence).toBe(before + 2)
    expect(await stack.drain()).toEqual([])
    await stack.push(9)
    expect(await stack.drain()).toEqual([9])
    await store.close()
  })

  test('whose item is refused pushes none of the many', async () => {
    const { store } = await StructureWorld.open()
    const stack = store.stack('s')
    await expect(stack.pushMany([1, () => 1, 2])).rejects.toThrow(TypeError)
    expect(stack.count()).toBe(0)
    expect(await stack.pop('none')).toBe('none')
    await store.close()
  })

  test('is as it was before a transaction that throws', async () => {
    const { store } = await StructureWorld.open()
    const stack = store.stack<number>('s')
    await stack.pushMany([1, 2, 3])
    const failed = store.transact(() => {
      void stack.pop()
      void stack.pop()
      void stack.push(7)
      void stack.drain()
      void stack.push(8)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(stack.count()).toBe(3)
    expect(await stack.peek()).toBe(3)
    const taken = await store.transact(() => {
      void stack.push(4)
      return stack.pop()
    })
    expect(taken).toBe(4)
    expect(await stack.drain()).toEqual([3, 2, 1])
    await store.close()
  })

  test('does not show what is not acknowledged to those who wait', async () => {
    const { store } = await StructureWorld.open()
    const stack = store.stack<number>('s')
    let pushed = false
    const push = stack.push(1).then(() => (pushed = true))
    expect(stack.count()).toBe(1)
    expect(await stack.peek()).toBe(1)
    expect(pushed).toBe(true)
    await push
    let popped = false
    const pop = stack.pop().then(() => (popped = true))
    expect(await stack.peek('none' as never)).toBe('none')
    expect(popped).toBe(true)
    await pop
    await store.close()
  })

  test('reads a cold top from the backend, over restarts and many more items than fit in memory', async () => {
    const world = await StructureWorld.open({ ...hardlyAnyMemory, durability: 'buffered' })
    const pad = 'x'.repeat(500)
    for (let i = 0; i < 500; i++) await world.store.stack('s').push({ i, pad })
    const stack = (await world.reopen()).stack<{ i: number }>('s')
    expect(stack.count()).toBe(500)
    expect((await stack.peek())?.i).toBe(499)
    for (let i = 499; i >= 250; i--) expect((await stack.pop())?.i).toBe(i)
    await world.store.checkpoint()
    const again = (await world.reopen()).stack<{ i: number }>('s')
    expect(again.count()).toBe(250)
    const rest = await again.drain()
    expect(rest.map(({ i }) => i)).toEqual(Array.from({ length: 250 }, (_, i) => 249 - i))
    expect((await world.store.verify()).problems).toEqual([])
    await world.store.close()
  })

  test('never gives back what was popped, nor loses what was pushed, in a power cut', async () => {
    for (const mode of ['strict', 'subset', 'all'] as const) {
      const world = await StructureWorld.open()
      const stack = world.store.stack<number>('s')
      await stack.pushMany([1, 2, 3])
      await world.store.checkpoint()
      expect(await stack.pop()).toBe(3)
      await stack.push(4)
      expect(await stack.pop()).toBe(4)
      const after = (await world.crash(mode)).stack<number>('s')
      expect(after.count(), mode).toBe(2)
      expect(await after.drain(), mode).toEqual([2, 1])
      await world.store.close()
    }
  })

  test('that is found empty waits for the pop that emptied it', async () => {
    const world = await StructureWorld.open()
    const stack = world.store.stack<number>('s')
    await stack.pushMany([1, 2])
    await stack.pop(0, { durability: 'buffered' })
    await stack.pop(0, { durability: 'buffered' })
    expect(await stack.pop(0, { durability: 'sync' })).toBe(0)
    expect((await world.crash('strict')).stack('s').count()).toBe(0)
    const drained = world.store.stack<number>('drained')
    await drained.push(1)
    await drained.drain({ durability: 'buffered' })
    expect(await drained.drain({ durability: 'sync' })).toEqual([])
    expect((await world.crash('strict')).stack('drained').count()).toBe(0)
    await world.store.close()
  })

  test('that is volatile is gone at close, keeps out of the log and refuses to be logged', async () => {
    const world = await StructureWorld.open()
    const stack = world.store.stack<number>('v', { durability: 'volatile' })
    await stack.pushMany([1, 2])
    expect(world.store.lastSequence).toBe(0)
    await expect(stack.push(3, { durability: 'sync' })).rejects.toThrow(TypeError)
    expect(await stack.pop()).toBe(2)
    const after = (await world.reopen()).stack('v', { durability: 'volatile' })
    expect(after.count()).toBe(0)
    await expect(world.store.stack('logged').push(1, { durability: 'volatile' })).rejects.toThrow(TypeError)
    await world.store.close()
  })

  test('refuses options it does not know, and everything once closed', async () => {
    const { store } = await StructureWorld.open()
    expect(() => store.stack('a', { keyPos: 1 } as never)).toThrow('no option "keyPos"')
    expect(() => store.stack('a', { durability: 'fast' as never })).toThrow(TypeError)
    const stack = store.stack('s')
    await store.close()
    await expect(stack.push(1)).rejects.toMatchObject({ code: 'HOLDFAST_CLOSED' })
    await expect(stack.pop()).rejects.toMatchObject({ code: 'HOLDFAST_CLOSED' })
    await expect(stack.peek()).rejects.toMatchObject({ code: 'HOLDFAST_CLOSED' })
    expect(() => stack.count()).toThrow(expect.objectContaining({ code: 'HOLDFAST_CLOSED' }))
  })
})
