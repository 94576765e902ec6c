import { describe, expect, test } from 'vitest'
import { FaultInjector, anySync } from '../../../src/testing/index.ts'
import { open } from '../../../src/index.ts'
import { MemoryBackend, SimulatedDisk } from '../../../src/testing/index.ts'
import { kvWorld, turns } from './kv-world.ts'

const leaseMs = 1000

describe('consuming a queue', () => {
  test('acknowledges each item when the loop goes on, in one record with leasing the next', async () => {
    let world = await kvWorld()
    const queue = world.store.queue<number>('q')
    await queue.addMany([1, 2, 3])
    const stop = new AbortController()
    const seen: number[] = []
    const before = world.store.lastSequence
    for await (const item of queue.consume({ leaseMs, signal: stop.signal })) {
      seen.push(item)
      if (item === 3) stop.abort()
    }
    expect(seen).toEqual([1, 2, 3])
    expect(world.store.lastSequence).toBe(before + 4)
    world = await world.crash()
    world.clock.advance(10 * leaseMs)
    expect(world.store.queue('q').count()).toBe(0)
    await world.store.close()
  })

  test('returns the item whose body did not come to its end, by a throw and by a break', async () => {
    const { store } = await kvWorld()
    const queue = store.queue<number>('q')
    await queue.addMany([1, 2, 3])
    const thrown = (async () => {
      for await (const item of queue.consume({ leaseMs })) if (item === 2) throw new Error(`failed at ${item}`)
    })()
    await expect(thrown).rejects.toThrow('failed at 2')
    expect(queue.count()).toBe(2)
    for await (const item of queue.consume({ leaseMs })) {
      expect(item).toBe(2)
      break
    }
    const again = await queue.lease({ leaseMs })
    expect([again?.value, again?.deliveries]).toEqual([2, 3])
    expect(await queue.drain()).toEqual([3])
    await store.close()
  })

  test('waits for items, also for those of a transaction, and hears of none that was taken back', async () => {
    const { store } = await kvWorld()
    const queue = store.queue<number>('q')
    const stop = new AbortController()
    const seen: number[] = []
    const loop = (async () => {
      for await (const item of queue.consume({ leaseMs, signal: stop.signal })) seen.push(item)
    })()
    await turns()
    const failed = store.transact(() => {
      void queue.add(0)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await queue.add(1)
    await turns()
    await store.transact(() => void queue.addMany([2, 3]))
    await turns()
    expect(seen).toEqual([1, 2, 3])
    stop.abort()
    await loop
    expect([queue.count(), (await queue.drain()).length]).toEqual([0, 0])
    await store.close()
  })

  test('hands out what was given back to a loop that waits', async () => {
    const { store } = await kvWorld()
    const queue = store.queue<number>('q', { maxDeliveries: 2 })
    await queue.add(1)
    const lease = await queue.lease({ leaseMs })
    const loop = queue.consume({ leaseMs })[Symbol.asyncIterator]()
    const next = loop.next()
    await turns()
    await lease?.nack()
    expect((await next).value).toBe(1)
    await loop.return?.()
    expect(queue.deadLetters.count()).toBe(1)
    const waiting = queue.consume({ leaseMs })[Symbol.asyncIterator]()
    const redelivered = waiting.next()
    await turns()
    await queue.deadLetters.redeliver()
    expect((await redelivered).value).toBe(1)
    await store.close()
  })

  test('hands out a lease that ran out, as any call finds out', async () => {
    const { store, clock } = await kvWorld()
    const queue = store.queue<number>('q')
    await queue.add(1)
    await queue.lease({ leaseMs: 100_000 })
    const loop = queue.consume({ leaseMs })[Symbol.asyncIterator]()
    const next = loop.next()
    await turns()
    clock.advance(100_000)
    expect(queue.count()).toBe(1)
    expect((await next).value).toBe(1)
    await loop.return?.()
    await store.close()
  })

  test('hands out a lease that ran out without anybody calling', async () => {
    const disk = new SimulatedDisk()
    const store = await open('/disk/store', { fileSystem: disk.fileSystem, backend: new MemoryBackend() })
    const queue = store.queue<number>('q')
    await queue.add(1)
    await queue.lease({ leaseMs: 20 })
    // The timer by itself would not keep the process.
    const keep = setInterval(() => undefined, 1000)
    for await (const item of queue.consume({ leaseMs })) {
      expect(item).toBe(1)
      break
    }
    clearInterval(keep)
    await store.close()
  })

  test('ends without an error when the signal is aborted, before, while it waits and while it leases', async () => {
    const { store } = await kvWorld()
    const queue = store.queue<number>('q')
    for await (const _ of queue.consume({ leaseMs, signal: AbortSignal.abort() })) expect.fail('aborted before')
    const waiting = new AbortController()
    const next = queue.consume({ leaseMs, signal: waiting.signal })[Symbol.asyncIterator]().next()
    await turns()
    waiting.abort()
    expect((await next).done).toBe(true)
    await queue.add(1)
    const leasing = new AbortController()
    const last = queue.consume({ leaseMs, signal: leasing.signal })[Symbol.asyncIterator]().next()
    await Promise.resolve()
    leasing.abort()
    expect((await last).done).toBe(true)
    expect(await queue.drain()).toEqual([1])
    await store.close()
  })

  test('ends when it is returned while it waits', async () => {
    const { store } = await kvWorld()
    const queue = store.queue<number>('q')
    const loop = queue.consume({ leaseMs })[Symbol.asyncIterator]()
    const next = loop.next()
    await turns()
    expect(await loop.return?.()).toEqual({ done: true, value: undefined })
    expect((await next).done).toBe(true)
    expect((await loop.next()).done).toBe(true)
    await queue.add(1)
    expect(queue.count()).toBe(1)
    await store.close()
  })

  test('says so when a body took so long that somebody else has the item', async () => {
    const { store, clock } = await kvWorld()
    const queue = store.queue<number>('q')
    await queue.addMany([1, 2])
    const loop = queue.consume({ leaseMs })[Symbol.asyncIterator]()
    expect((await loop.next()).value).toBe(1)
    clock.advance(leaseMs)
    expect(await queue.take()).toBe(1)
    await expect(loop.next()).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_LEASE_LOST' }))
    expect((await loop.next()).done).toBe(true)
    expect(await queue.drain()).toEqual([2])
    await store.close()
  })

  test('rejects when the store closes', async () => {
    for (const durability of ['sync', 'volatile'] as const) {
      const { store } = await kvWorld()
      const next = store.queue('q', { durability }).consume({ leaseMs })[Symbol.asyncIterator]().next()
      await turns()
      const rejected = expect(next).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_CLOSED' }))
      await store.close()
      await rejected
    }
  })

  test('rejects when the store fails', async () => {
    const faults = new FaultInjector(new SimulatedDisk().fileSystem)
    const store = await open('/disk/store', { fileSystem: faults.fileSystem, backend: new MemoryBackend() })
    const next = store.queue('q').consume({ leaseMs })[Symbol.asyncIterator]().next()
    await turns()
    faults.inject({ operation: anySync, path: '/wal/', repeat: true, code: 'EIO' })
    const rejected = expect(next).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_POISONED' }))
    await expect(store.kv('k').set('a', 1)).rejects.toThrow()
    await rejected
    await store.close().catch(() => undefined)
  })

  test('by four loops hands out each of 8,000 items exactly once', async () => {
    const { store } = await kvWorld({ durability: 'buffered' })
    const queue = store.queue<number>('q')
    const stop = new AbortController()
    const seen: number[] = []
    const loops = Array.from({ length: 4 }, async () => {
      for await (const item of queue.consume({ leaseMs, signal: stop.signal })) {
        seen.push(item)
        if (seen.length === 8000) stop.abort()
      }
    })
    for (let i = 0; i < 8000; i += 100) await queue.addMany(Array.from({ length: 100 }, (_, j) => i + j))
    await Promise.all(loops)
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 8000 }, (_, i) => i))
    expect(queue.count()).toBe(0)
    await store.close()
  })
})
