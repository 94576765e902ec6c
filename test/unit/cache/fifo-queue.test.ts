import { describe, expect, test } from 'vitest'
import { open } from '../../../src/index.ts'
import { effort } from '../../support/effort.ts'
import { hardlyAnyMemory, StructureWorld } from '../../support/structure-world.ts'
import { kvWorld } from './kv-world.ts'

describe('a queue', () => {
  test('hands out what was added first, whatever the value, and the fallback only when it is empty', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue('q')
    const values = [undefined, null, -0, new Map([[{ a: 1 }, new Set([1])]]), new Date(5), { deep: [Uint8Array.of(1)] }]
    for (const value of values) await queue.add(value)
    expect(queue.count()).toBe(values.length)
    for (const value of values) {
      expect(await queue.peek('none')).toStrictEqual(value)
      expect(await queue.take('none')).toStrictEqual(value)
    }
    expect(await queue.peek('none')).toBe('none')
    expect(await queue.take('none')).toBe('none')
    expect(await queue.take()).toBeUndefined()
    expect(queue.count()).toBe(0)
    await store.close()
  })

  test('adds many and drains as one record each, oldest first, what came back before what is new', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue<number>('q')
    await queue.addMany([0, 1, 2])
    await (await queue.lease({ leaseMs: 1000 }))?.nack()
    const before = store.lastSequence
    await queue.addMany([3, 4])
    expect(store.lastSequence).toBe(before + 1)
    expect(await queue.drain()).toEqual([0, 1, 2, 3, 4])
    expect(store.lastSequence).toBe(before + 2)
    expect(await queue.drain()).toEqual([])
    await queue.addMany([])
    expect(store.lastSequence).toBe(before + 2)
    await store.close()
  })

  test('whose item is refused adds none of the many', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue('q')
    await expect(queue.addMany([1, () => 1, 2])).rejects.toThrow(TypeError)
    await expect(queue.addMany('abc' as never)).rejects.toThrow(TypeError)
    await expect(queue.add(Symbol('no'))).rejects.toThrow(TypeError)
    expect(queue.count()).toBe(0)
    expect(await queue.take('none')).toBe('none')
    await store.close()
  })

  test('refuses options it does not know', async () => {
    const { store } = await StructureWorld.open()
    for (const maxDeliveries of [0, -1, 1.5, '3', Number.NaN]) {
      expect(() => store.queue('q', { maxDeliveries } as never)).toThrow(/maxDeliveries/)
    }
    expect(() => store.queue('q', { lease: 1 } as never)).toThrow(TypeError)
    const queue = store.queue('q')
    for (const leaseMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined]) {
      await expect(queue.lease({ leaseMs } as never)).rejects.toThrow(/leaseMs/)
      expect(() => queue.consume({ leaseMs } as never)).toThrow(/leaseMs/)
    }
    await expect(queue.lease(undefined as never)).rejects.toThrow(/leaseMs/)
    expect(() => queue.consume({ leaseMs: 5, signal: {} } as never)).toThrow(/AbortSignal/)
    await expect(queue.add(1, { durability: 'volatile' })).rejects.toThrow(TypeError)
    await store.close()
  })

  test('is as it was before a transaction that throws, in its order', async () => {
    const { store, clock } = await kvWorld()
    const queue = store.queue<number>('q', { maxDeliveries: 1 })
    await queue.addMany([1, 2, 3, 4, 5])
    const held = await queue.lease({ leaseMs: 1000 })
    const dead = await queue.lease({ leaseMs: 1 })
    clock.advance(1)
    const failed = store.transact(() => {
      void queue.take()
      void queue.lease({ leaseMs: 5 })
      void held?.ack()
      void queue.add(7)
      void queue.deadLetters.redeliver()
      void queue.drain()
      void queue.add(8)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect([queue.count(), queue.deadLetters.count()]).toEqual([3, 1])
    expect(await queue.deadLetters.list()).toEqual([dead?.value])
    await held?.ack()
    expect(await queue.drain()).toEqual([3, 4, 5])
    await store.close()
  })

  test('takes and peeks in a transaction, and answers once that is acknowledged', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue<number>('q')
    await queue.addMany([1, 2, 3])
    const seen: unknown[] = []
    let lease: Promise<{ value: number; ack(): Promise<void> } | undefined> | undefined
    const taken = await store.transact(() => {
      void queue.take().then((value) => seen.push(value))
      void queue.peek().then((value) => seen.push(value))
      lease = queue.lease({ leaseMs: 1000 })
      expect(() => queue.consume({ leaseMs: 1 })).toThrow(TypeError)
      return queue.take('none' as never)
    })
    expect([taken, ...seen]).toEqual([3, 1, 2])
    await (await lease)?.ack()
    expect(queue.count()).toBe(0)
    await store.close()
  })

  test('undoes only the inner write that throws', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue('q')
    await queue.addMany([1, 2])
    await store.transact(() => {
      void queue.take()
      expect(() => queue.addMany([3, Symbol('no')])).toThrow(TypeError)
      void queue.add(4)
    })
    expect(await queue.drain()).toEqual([2, 4])
    await store.close()
  })

  test('keeps its order and its count through restarts, checkpoints and power cuts', async () => {
    const world = await StructureWorld.open()
    await world.store.queue('q').addMany([1, 2, 3, 4])
    await world.store.queue('q').take()
    await world.reopen()
    expect(world.store.queue('q').count()).toBe(3)
    await world.store.queue('q').add(5)
    await world.store.checkpoint()
    await world.store.queue('q').take()
    await world.crash('strict')
    expect(world.store.queue('q').count()).toBe(3)
    expect(await world.store.queue('q').drain()).toEqual([3, 4, 5])
    await world.crash('strict')
    expect(world.store.queue('q').count()).toBe(0)
    await world.store.queue('q').add(6)
    expect(await world.store.queue('q').take()).toBe(6)
    expect((await world.store.verify()).problems).toEqual([])
    await world.store.close()
  })

  test('has lost what it answered for good', async () => {
    const world = await StructureWorld.open()
    const queue = world.store.queue('q')
    await queue.addMany([1, 2, 3])
    expect(await queue.take()).toBe(1)
    await (await queue.lease({ leaseMs: 1 }))?.ack()
    await world.crash('strict')
    expect(await world.store.queue('q').drain()).toEqual([3])
    await world.store.close()
  })

  test('that was emptied by a write under way says so only when that is acknowledged', async () => {
    const world = await StructureWorld.open()
    const queue = world.store.queue('q')
    await queue.addMany([1, 2])
    const lease = await queue.lease({ leaseMs: 1e6 })
    const order: string[] = []
    const note = (name: string) => () => order.push(name)
    const work = [
      queue.take().then(note('take')),
      queue.take('none').then(note('empty take')),
      queue.peek().then(note('empty peek')),
      queue.drain().then(note('empty drain')),
      queue.lease({ leaseMs: 5 }).then(note('empty lease')),
    ]
    await Promise.all(work)
    expect(order[0]).toBe('take')
    await lease?.ack()
    await world.store.close()
  })

  test('answers no value whose adding is not acknowledged to a peek', async () => {
    const { store } = await StructureWorld.open()
    const queue = store.queue('q')
    let added = false
    void queue.add(1).then(() => (added = true))
    expect([await queue.peek(), added]).toEqual([1, true])
    await store.close()
  })

  test('peeks at the next item when the one it looked at is taken meanwhile', async () => {
    const { store } = await StructureWorld.open({ durability: 'buffered' })
    const queue = store.queue('q')
    await queue.addMany([1, 2])
    expect(await Promise.all([queue.peek(), queue.take(), queue.peek()])).toEqual([1, 1, 2])
    await store.close()
  })

  test('leaves nothing behind when it is empty but one summary', async () => {
    const world = await StructureWorld.open()
    const queue = world.store.queue('q')
    for (let i = 0; i < 50; i++) await queue.add(i)
    await (await queue.lease({ leaseMs: 5 }))?.ack()
    await (await queue.lease({ leaseMs: 5 }))?.nack()
    expect((await queue.drain()).length).toBe(49)
    await world.store.checkpoint()
    expect(world.store.stats().dirtyEntries).toBe(0)
    const keys: string[] = []
    const rows = world.backend.iterate({ gte: '', lt: '\xff' })
    for (const { key } of await rows.next(1000)) keys.push(key)
    await rows.close()
    expect(keys.filter((key) => /^[qwyd]/.test(key))).toEqual([])
    expect(keys.filter((key) => key.startsWith('n/')).sort()).toEqual(['n/qq', 'n/wq', 'n/yq'])
    await world.store.close()
  })

  test('larger than memory takes in order', { timeout: 60_000 }, async () => {
    const world = await StructureWorld.open({ ...hardlyAnyMemory, durability: 'buffered' })
    const count = effort(10_000, 200_000)
    const queue = world.store.queue<string>('q')
    for (let i = 0; i < count; i += 500) {
      await queue.addMany(Array.from({ length: 500 }, (_, j) => `item ${i + j} of the queue`))
    }
    await world.reopen()
    const again = world.store.queue<string>('q')
    expect(again.count()).toBe(count)
    expect(world.store.stats().cleanBytes + world.store.stats().dirtyBytes).toBeLessThan(1024 * 1024)
    expect(await again.peek()).toBe('item 0 of the queue')
    for (let i = 0; i < count; i++)
      if ((await again.take()) !== `item ${i} of the queue`) expect.fail(`out of order at ${i}`)
    expect(again.count()).toBe(0)
    expect(await again.take('none')).toBe('none')
    await world.store.close()
  })

  test('reads as little to take from a long queue as from a short one', async () => {
    const reads: number[] = []
    for (const count of [10, 5000]) {
      const world = await StructureWorld.open({ durability: 'buffered' })
      await world.store.queue('q').addMany(Array.from({ length: count }, (_, i) => i))
      for (let i = 0; i < count - 5; i++) void world.store.queue('q').take()
      await world.reopen()
      const { misses } = world.store.stats()
      let found = 0
      const getSync = world.backend.getSync.bind(world.backend)
      world.backend.getSync = (key) => {
        found++
        return getSync(key)
      }
      expect(await world.store.queue('q').take()).toBe(count - 5)
      reads.push(found + world.store.stats().misses - misses)
      await world.store.close()
    }
    expect(reads[1]).toBe(reads[0])
  })

  test('that misses an item says so and gives out nothing else instead', async () => {
    const world = await StructureWorld.open()
    await world.store.queue('q').addMany([1, 2])
    await world.reopen()
    const rows = world.backend.iterate({ gte: 'qq/', lt: 'qq0' })
    const [first] = await rows.next(1)
    await rows.close()
    await world.backend.batch([{ key: first?.key as string, value: undefined }], { sync: true })
    const queue = world.store.queue('q')
    const corrupt = expect.objectContaining({ code: 'HOLDFAST_CORRUPT' })
    await expect(queue.take()).rejects.toEqual(corrupt)
    await expect(queue.peek()).rejects.toEqual(corrupt)
    await expect(queue.drain()).rejects.toEqual(corrupt)
    expect((await world.store.verify()).ok).toBe(false)
    await world.store.close()
  })

  test('refuses after close, and everything but reading on a read-only store', async () => {
    const world = await StructureWorld.open()
    const closedQueue = world.store.queue('q')
    await closedQueue.addMany([1, 2, 3])
    await closedQueue.lease({ leaseMs: 1e9 })
    await world.store.close()
    const closed = expect.objectContaining({ code: 'HOLDFAST_CLOSED' })
    expect(() => closedQueue.count()).toThrow(closed)
    await expect(closedQueue.take()).rejects.toEqual(closed)
    await expect(closedQueue.peek()).rejects.toEqual(closed)
    const reader = await open('/disk/store', {
      ...{ fileSystem: world.disk.fileSystem, backend: world.backend, readOnly: true },
    })
    const queue = reader.queue('q')
    expect([queue.count(), await queue.peek(), await queue.deadLetters.list()]).toEqual([2, 2, []])
    await expect(queue.take()).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_READ_ONLY' }))
    await reader.close()
  })
})
