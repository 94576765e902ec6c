/**
 * The behaviour of SuperCache's queues that programs rely on, case by case in numbered order, and its defects, which
 * queues must not have.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/index.ts'
import { StructureWorld } from '../support/structure-world.ts'

let world: StructureWorld
let store: Store

beforeEach(async () => {
  world = await StructureWorld.open({ durability: 'buffered' })
  store = world.store
})

afterEach(() => world.store.close())

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('queues', () => {
  test('51 first in, first out, 1 to 10', async () => {
    const queue = store.queue<number>('q')
    for (let i = 1; i <= 10; i++) await queue.add(i)
    for (let i = 1; i <= 10; i++) expect(await queue.take()).toBe(i)
  })

  test('51 five interleaved queues are independent', async () => {
    const queues = upTo(5).map((i) => store.queue<string>(`queue ${i}`))
    for (let n = 0; n < 20; n++) await Promise.all(queues.map((queue, i) => queue.add(`${i}:${n}`)))
    for (let n = 0; n < 10; n++) {
      expect(await Promise.all(queues.map((queue) => queue.take()))).toEqual(upTo(5).map((i) => `${i}:${n}`))
    }
    expect(await queues[2]?.drain()).toEqual(upTo(10).map((n) => `2:${n + 10}`))
    expect(queues.map((queue) => queue.count())).toEqual([10, 10, 0, 10, 10])
  })

  test('52 an empty queue answers the fallback, and nothing without one', async () => {
    const queue = store.queue<string>('q')
    expect([await queue.take('none'), await queue.take(), await queue.peek('none')]).toEqual([
      'none',
      undefined,
      'none',
    ])
  })

  test('53 a peek does not remove', async () => {
    const queue = store.queue<string>('q')
    await queue.addMany(['a', 'b'])
    expect([await queue.peek(), await queue.peek(), queue.count()]).toEqual(['a', 'a', 2])
    expect(await queue.take()).toBe('a')
  })

  test('54 the count follows adds and takes', async () => {
    const queue = store.queue<number>('q')
    const counts = [queue.count()]
    for (const step of ['add', 'add', 'take', 'add', 'take', 'take', 'take'] as const) {
      await (step === 'add' ? queue.add(1) : queue.take())
      counts.push(queue.count())
    }
    expect(counts).toEqual([0, 1, 2, 1, 2, 1, 0, 0])
  })

  test('55 a drain answers everything in order, leaves nothing, and the queue can be used again', async () => {
    const queue = store.queue<number>('q')
    for (const value of [1, 2, 3]) await queue.add(value)
    expect(await queue.drain()).toEqual([1, 2, 3])
    expect([queue.count(), await queue.drain()]).toEqual([0, []])
    await queue.add(4)
    expect(await queue.take()).toBe(4)
  })
})

describe('a defect that queues do not have', () => {
  test('two takes at once never get the same item', async () => {
    const queue = store.queue<number>('q')
    await queue.addMany(upTo(100))
    const taken = await Promise.all(upTo(100).map(() => queue.take()))
    expect(taken).toEqual(upTo(100))
  })

  test('8,000 items and four takers: each delivered once, none left, whatever the durability', async () => {
    for (const durability of ['buffered', 'volatile', 'sync'] as const) {
      const queue = store.queue<number>(durability, { durability })
      await queue.addMany(upTo(8000))
      const seen: number[] = []
      const take = async (): Promise<void> => {
        for (let item = await queue.take(-1); item !== -1; item = await queue.take(-1)) seen.push(item as number)
      }
      await Promise.all([take(), take(), take(), take()])
      expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(8000))
      expect(queue.count()).toBe(0)
    }
  })

  test('four adders at once of 2,000 each: everything acknowledged is there, each in its own order', async () => {
    const queue = store.queue<readonly [number, number]>('q')
    const add = async (adder: number): Promise<void> => {
      for (let i = 0; i < 2000; i++) await queue.add([adder, i])
    }
    await Promise.all(upTo(4).map(add))
    expect(queue.count()).toBe(8000)
    const items = await queue.drain()
    for (const adder of upTo(4)) expect(items.filter(([from]) => from === adder).map(([, i]) => i)).toEqual(upTo(2000))
  })

  test('emptying it while others add loses nothing and wedges nothing', async () => {
    const queue = store.queue<number>('q')
    const drained: number[] = []
    const add = upTo(500).map((i) => queue.add(i))
    const drain = upTo(100).map(async () => drained.push(...(await queue.drain())))
    const more = upTo(500).map((i) => queue.add(500 + i))
    await Promise.all([...add, ...drain, ...more])
    drained.push(...(await queue.drain()))
    expect(drained.toSorted((a, b) => a - b)).toEqual(upTo(1000))
    await queue.add(-1)
    expect([queue.count(), await queue.take()]).toEqual([1, -1])
  })

  test('a writer that dies in the middle leaves no lock behind: not by a throw, not by a power cut', async () => {
    const failed = store.transact(() => {
      void store.queue('q').add(1)
      void store.queue('q').take()
      throw new Error('died')
    })
    await expect(failed).rejects.toThrow('died')
    await store.queue('q').add(2)
    expect([store.queue('q').count(), await store.queue('q').take()]).toEqual([1, 2])
    const cut = store.queue('q').add(3, { durability: 'sync' })
    cut.catch(() => undefined)
    store = await world.crash('all')
    await store.queue('q').add(4)
    expect((await store.queue('q').drain()).at(-1)).toBe(4)
  })

  test('a name is only a name', async () => {
    const names = [':head', '1', ':_', '_', '*', 'q/1', 'q', '%2F', '0', 'a\u0000b', 'ä', '\u{1f600}']
    for (const name of names) await store.queue(name).addMany([name, `${name} again`])
    for (const name of names) expect(await store.queue(name).take()).toBe(name)
    await store.kv('q').set(0, 'kv')
    await store.stack('q').push('stack')
    await store.kv('q').clear()
    store = await world.reopen()
    for (const name of names) expect(await store.queue(name).drain()).toEqual([`${name} again`])
    expect(await store.stack('q').drain()).toEqual(['stack'])
    expect(() => store.queue('')).toThrow(TypeError)
    expect(() => store.queue(':head\ud800')).toThrow(TypeError)
  })

  test('no layout of other structures has anything to do with it', async () => {
    await store.table('q', { keyPos: 1, partitionPos: 2 }).put(['a', 'b', 'c'])
    await store.kv('q', { type: 'bag' }).set('k', 1)
    const queue = store.queue('q')
    await queue.addMany([1, 1, 1])
    expect(await queue.drain()).toEqual([1, 1, 1])
    expect([store.table('q').count(), store.kv('q').count()]).toEqual([1, 1])
  })

  test('adding under contention is never refused', async () => {
    const queue = store.queue<number>('q')
    const work = upTo(3000).map((i) => (i % 3 === 2 ? queue.take() : queue.add(i)))
    const outcomes = await Promise.allSettled(work)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(queue.count()).toBe(1000)
  })

  test('an emptied queue holds no records', async () => {
    const queue = store.queue('q')
    await queue.addMany(upTo(100))
    await queue.drain()
    await store.checkpoint()
    const rows = world.backend.iterate({ gte: 'q', lt: 'r' })
    expect(await rows.next(10)).toEqual([])
    await rows.close()
    expect(queue.count()).toBe(0)
  })
})
