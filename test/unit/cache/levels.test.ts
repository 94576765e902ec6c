import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { open, type Store } from '../../../src/index.ts'
import { FaultInjector, MemoryBackend, SimulatedDisk } from '../../../src/testing/index.ts'
import { effort } from '../../support/effort.ts'
import { StructureWorld } from '../../support/structure-world.ts'
import { kvWorld, turns } from './kv-world.ts'

/** One write and one read of each kind of structure. */
interface Kind {
  readonly name: string
  readonly write: (store: Store, i: number) => Promise<unknown>
  readonly count: (store: Store) => number
}

const volatile = { durability: 'volatile' } as const
const volatileKinds: readonly Kind[] = [
  {
    name: 'kv',
    write: (store, i) => store.kv('v', volatile).set(i, i),
    count: (store) => store.kv('v').count(),
  },
  {
    name: 'a bag',
    write: (store, i) => store.kv('b', { ...volatile, type: 'bag', ttlMs: 1e9 }).set(1, i),
    count: (store) => store.kv('b').count(),
  },
  {
    name: 'a table',
    write: (store, i) => store.table('v', { ...volatile, keyPos: 1 }).put([i, i]),
    count: (store) => store.table('v').count(),
  },
  {
    name: 'a queue',
    write: (store, i) => store.queue('v', volatile).add(i),
    count: (store) => store.queue('v').count(),
  },
  {
    name: 'a stack',
    write: (store, i) => store.stack('v', volatile).push(i),
    count: (store) => store.stack('v').count(),
  },
  {
    name: 'records',
    write: (store, i) => store.records('v', volatile).add({ id: i }),
    count: (store) => store.records('v').count(),
  },
]

/** Digests: the files of the log are large. */
function filesOf(world: StructureWorld): Map<string, string> {
  const digest = (file: string) => createHash('sha256').update(world.disk.readBytes(file)).digest('hex')
  return new Map(world.disk.files().map((file) => [file, digest(file)]))
}

describe.each(volatileKinds)('volatile: $name', ({ write, count }) => {
  test('is acknowledged at once, leaves nothing in the log or on disk, and is gone after a restart', async () => {
    const world = await StructureWorld.open({ segmentBytes: 64 * 1024 })
    await world.store.kv('durable').set('k', 1)
    const { lastSequence } = world.store
    const before = filesOf(world)
    for (let i = 0; i < 50; i++) await write(world.store, i)
    expect(count(world.store)).toBe(50)
    await world.store.sync()
    expect(world.store.lastSequence).toBe(lastSequence)
    expect(filesOf(world)).toEqual(before)
    expect(world.store.stats().dirtyEntries).toBeLessThanOrEqual(3)
    await world.reopen()
    await write(world.store, 0)
    expect(count(world.store)).toBe(1)
    expect((await world.store.verify()).problems).toEqual([])
    await world.store.close()
  })

  test('takes part in a transaction: a throw undoes both halves, and both happen without one', async () => {
    const { store } = await StructureWorld.open()
    await write(store, 0)
    const failed = store.transact(() => {
      void write(store, 1)
      void store.kv('durable').set('k', 1)
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect([count(store), store.kv('durable').count()]).toEqual([1, 0])
    await store.transact(() => {
      void store.kv('durable').set('k', 1)
      void write(store, 2)
    })
    expect([count(store), store.kv('durable').count()]).toEqual([2, 1])
    await store.close()
  })

  test('is closed with its store', async () => {
    const { store } = await StructureWorld.open()
    await write(store, 0)
    await store.close()
    await expect(write(store, 1)).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_CLOSED' }))
    expect(() => count(store)).toThrow(expect.objectContaining({ code: 'HOLDFAST_CLOSED' }))
  })
})

describe('a volatile structure', () => {
  test('is never logged, whatever a call asks for', async () => {
    const { store } = await StructureWorld.open()
    for (const durability of ['sync', 'os', 'buffered'] as const) {
      const options = { durability }
      await expect(store.kv('v', volatile).set(1, 1, options)).rejects.toThrow(TypeError)
      await expect(store.queue('v', volatile).add(1, options)).rejects.toThrow(TypeError)
      await expect(store.queue('v').take(1, options)).rejects.toThrow(TypeError)
      await expect(store.stack('v', volatile).push(1, options)).rejects.toThrow(TypeError)
    }
    await store.queue('v').add(1, volatile)
    await expect(store.queue('logged').add(1, volatile)).rejects.toThrow(TypeError)
    expect(store.lastSequence).toBe(0)
    await store.close()
  })

  test('has a space of its own beside a logged one of that name', async () => {
    const world = await StructureWorld.open()
    await world.store.queue('q').addMany([1, 2])
    await world.reopen()
    const queue = world.store.queue('q', volatile)
    expect(queue.count()).toBe(0)
    await queue.add(3)
    expect(await queue.drain()).toEqual([3])
    await world.reopen()
    expect(await world.store.queue('q').drain()).toEqual([1, 2])
    await world.store.close()
  })

  test('leases, gives back and buries as a logged one does', async () => {
    const { store, clock } = await kvWorld()
    const queue = store.queue('q', { ...volatile, maxDeliveries: 1 })
    await queue.addMany([1, 2, 3])
    const lease = await queue.lease({ leaseMs: 10 })
    await (await queue.lease({ leaseMs: 10 }))?.nack()
    await lease?.ack()
    await queue.lease({ leaseMs: 10 })
    clock.advance(10)
    expect([queue.count(), await queue.deadLetters.list()]).toEqual([0, [2, 3]])
    await store.close()
  })
})

describe('buffered writes', () => {
  test('are acknowledged at once, before anything reaches the disk', async () => {
    const world = await StructureWorld.open({ durability: 'buffered', bufferedIntervalMs: 1e9 })
    const queue = world.store.queue('q')
    const { durableSequence } = world.store
    for (let i = 0; i < 100; i++) await queue.add(i)
    expect(world.store.durableSequence).toBe(durableSequence)
    await world.store.sync()
    expect(world.store.durableSequence).toBe(world.store.lastSequence)
    await world.store.close()
  })

  test('of two to one key in one step always end with the last, 200 times, and after a restart', async () => {
    const world = await StructureWorld.open({ durability: 'buffered' })
    const kv = world.store.kv('k')
    for (let round = 0; round < 200; round++) {
      void kv.set(round, 'first')
      void kv.set(round, 'last')
      if (round % 20 === 0) await turns(1)
    }
    await world.reopen()
    for (let round = 0; round < 200; round++) expect(await world.store.kv('k').get(round)).toBe('last')
    await world.store.close()
  })

  test('lose no more than their end in a power cut, in order across structures', async () => {
    let lossy = 0
    for (let seed = 1; seed <= effort(6, 40); seed++) {
      const small = { segmentBytes: 64 * 1024, bufferedIntervalMs: 1e9 }
      const world = await StructureWorld.open({ durability: 'buffered', ...small })
      const { store } = world
      const total = 60
      for (let i = 0; i < total; i++) {
        void (i % 3 === 0 ? store.kv('k').set(i, i) : i % 3 === 1 ? store.queue('q').add(i) : store.stack('s').push(i))
        if (i % 7 === 0) await turns(1)
        if (i === 20) await store.sync()
      }
      await turns()
      await world.crash(seed % 2 === 0 ? 'strict' : 'subset', seed)
      const found = [
        ...(await world.store.queue<number>('q').drain()),
        ...(await world.store.stack<number>('s').drain()),
      ]
      for await (const key of world.store.kv('k').keys()) found.push(key as number)
      found.sort((a, b) => a - b)
      expect(found, `seed ${seed}`).toEqual(Array.from({ length: found.length }, (_, i) => i))
      expect(found.length, `seed ${seed}`).toBeGreaterThan(20)
      if (found.length < total) lossy++
      await world.store.close()
    }
    expect(lossy).toBeGreaterThan(0)
  })

  test('hold writers up once more than 16 MiB wait for the disk', async () => {
    const faults = new FaultInjector(new SimulatedDisk().fileSystem)
    const { fileSystem } = faults
    const store = await open('/disk/store', { fileSystem, backend: new MemoryBackend(), durability: 'buffered' })
    const queue = store.queue('q')
    const held = faults.hold({ operation: 'datasync', path: '/wal/' })
    // Two of a step, as the disk call of a lone record cannot be held up.
    const synced = ['a', 'b'].map((key) => store.kv('k').set(key, 1, { durability: 'sync' }))
    await held.reached
    const item = 'x'.repeat(64 * 1024)
    let acknowledged = 0
    const writes = Array.from({ length: 400 }, () => queue.add(item).then(() => acknowledged++))
    await turns()
    expect(acknowledged).toBeGreaterThan(100)
    expect(acknowledged * item.length).toBeLessThan(17 * 1024 * 1024)
    held.resume()
    await Promise.all([...synced, ...writes])
    expect([acknowledged, queue.count()]).toEqual([400, 400])
    await store.close()
  })
})
