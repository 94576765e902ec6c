/**
 * The behaviour of SuperCache's tuple tables that programs rely on, case by
 * case in numbered order, and its defects, each of which a table must not have.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { any, capture, type Store, type Tuple } from '../../src/index.ts'
import { StructureWorld } from '../support/structure-world.ts'

let world: StructureWorld
let store: Store

beforeEach(async () => {
  world = await StructureWorld.open()
  store = world.store
})

afterEach(() => world.store.close())

/** Key in front, partition behind it: as most of the cases have it. */
const layout = { keyPos: 0, partitionPos: 1 }

describe('tuples', () => {
  test('1 what was put is got', async () => {
    const table = store.table('t', layout)
    await table.put(['a', 'user', 'Alice', 30])
    expect(await table.get(['a', 'user'])).toEqual([['a', 'user', 'Alice', 30]])
    expect(await table.get(['a', 'user', 'ignored'])).toEqual([['a', 'user', 'Alice', 30]])
  })

  test('2 an empty tuple is refused', async () => {
    await expect(store.table('t', layout).put([])).rejects.toThrow('not 0')
  })

  test('3 what is not there is no tuple', async () => {
    expect(await store.table('t', layout).get(['none', 'user'])).toEqual([])
  })

  test('4 a set keeps the newest of a key', async () => {
    const table = store.table('t', layout)
    await table.put(['a', 'user', 1])
    await table.put(['a', 'user', 2])
    expect(await table.get(['a', 'user'])).toEqual([['a', 'user', 2]])
    expect(table.count()).toBe(1)
  })

  test('5 a bag keeps two values of a key', async () => {
    const table = store.table('t', { ...layout, type: 'bag' })
    await table.put(['a', 'user', 1])
    await table.put(['a', 'user', 2])
    await table.put(['a', 'user', 2])
    expect(await table.get(['a', 'user'])).toEqual([
      ['a', 'user', 1],
      ['a', 'user', 2],
    ])
  })

  test('6 a duplicate-bag keeps equal ones, an ordered-set scans in order of keys', async () => {
    const twice = store.table('twice', { ...layout, type: 'duplicate-bag' })
    await twice.put(['a', 'user', 1])
    await twice.put(['a', 'user', 1])
    expect(await twice.get(['a', 'user'])).toHaveLength(2)
    const ordered = store.table('ordered', { ...layout, type: 'ordered-set' })
    for (const key of [3, 1, 2]) await ordered.put([key, `p${key % 2}`])
    expect(await ordered.scan((list: unknown[], [key]) => [...list, key], [])).toEqual([1, 2, 3])
  })

  test('7 with the key behind the partition, tuples of one partition are told apart by key', async () => {
    const table = store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.put(['user', 'a', 1])
    await table.put(['user', 'b', 2])
    expect(await table.get(['user', 'a'])).toEqual([['user', 'a', 1]])
    expect(await table.get(['user', 'b'])).toEqual([['user', 'b', 2]])
  })

  test('8 by key and partition the same is found as by tuple', async () => {
    const table = store.table('t', layout)
    await table.put(['a', 'user', 1])
    expect(await table.getBy('a', 'user')).toEqual(await table.get(['a', 'user']))
    expect(await table.getBy('user', 'a')).toEqual([])
  })

  test('9 where key and partition are one item, one value finds it', async () => {
    const table = store.table('t')
    await table.put(['a', 1])
    expect(await table.getBy('a', 'a')).toEqual([['a', 1]])
    await table.deleteBy('a', 'a')
    expect(await table.getBy('a', 'a')).toEqual([])
  })

  test('10 a removal takes its target alone', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      ['a', 'user', 1],
      ['b', 'user', 2],
      ['a', 'other', 3],
    ])
    await table.delete(['a', 'user'])
    expect(await table.get(['a', 'user'])).toEqual([])
    expect(table.count()).toBe(2)
  })

  test('11 the removal of what is not there is no error', async () => {
    const table = store.table('t', layout)
    await expect(table.delete(['a', 'user'])).resolves.toBeUndefined()
    await expect(table.deleteBy('a', 'user')).resolves.toBeUndefined()
    expect(await table.deleteMatch([any, any])).toBe(0)
  })

  test('12 a pattern answers its captures', async () => {
    const table = store.table('t', layout)
    await table.put([1, 'x', 'c', 4, 'v'])
    await table.put([2, 'x', 'd', 4, 'w'])
    expect(await table.match([any, any, 'c', any, capture(1)])).toEqual([['v']])
  })

  test('13 a pattern without captures answers an empty list for each match', async () => {
    const table = store.table('t', layout)
    await table.put([1, 'x'])
    expect(await table.match([any, 'x'])).toEqual([[]])
  })

  test('14 a pattern within a partition leaves the others out', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      [1, 'x', 'v'],
      [2, 'y', 'v'],
    ])
    expect(await table.matchRecords([any, any, 'v'], { partition: 'x' })).toEqual([[1, 'x', 'v']])
  })

  test('15 a pattern without a partition reaches all', async () => {
    const table = store.table('t', layout)
    const tuples = Array.from({ length: 50 }, (_, i): Tuple => [i, `p${i % 7}`, 'v'])
    await table.putMany(tuples)
    expect(await table.matchRecords([any, any, 'v'])).toHaveLength(50)
  })

  test('16 what nothing matches answers nothing', async () => {
    const table = store.table('t', layout)
    await table.put([1, 'x', 'v'])
    expect(await table.match([any, any, 'w'])).toEqual([])
    expect(await table.matchRecords([any, any, 'w'], { partition: 'x' })).toEqual([])
    expect(await table.matchRecords([any, any, any], { partition: 'none' })).toEqual([])
  })

  test('17 captures come in every match', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      ['a', 'x', 1],
      ['b', 'x', 2],
    ])
    expect(await table.match([capture(1), 'x', capture(2)])).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })

  test('18 a scan folds over a partition', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      [1, 'x', 10],
      [2, 'x', 20],
      [3, 'y', 40],
    ])
    const sum = (total: number, tuple: Tuple) => total + (tuple[2] as number)
    expect(await table.scan(sum, 0, { partition: 'x' })).toBe(30)
    expect(await table.scan(sum, 0)).toBe(70)
  })

  test('19 a scan over nothing answers what it was given', async () => {
    expect(await store.table('t', layout).scan((n) => n + 1, 7)).toBe(7)
  })

  test('20 a removal by pattern in a partition keeps what does not match', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      [1, 'x', 'v'],
      [2, 'x', 'w'],
      [3, 'y', 'v'],
    ])
    expect(await table.deleteMatch([any, any, 'v'], { partition: 'x' })).toBe(1)
    expect(await table.get([1, 'x'])).toEqual([])
    expect(table.count()).toBe(2)
  })

  test('21 a removal by pattern reaches all partitions', async () => {
    const table = store.table('t', layout)
    await table.putMany(Array.from({ length: 20 }, (_, i): Tuple => [i, `p${i}`, i % 2]))
    expect(await table.deleteMatch([any, any, 1])).toBe(10)
    expect(table.count()).toBe(10)
  })

  test('22 after everything was removed puts work', async () => {
    const table = store.table('t', layout)
    await table.putMany(Array.from({ length: 20 }, (_, i): Tuple => [i, `p${i}`]))
    await table.clear()
    await table.put(['a', 'x'])
    expect(await table.get(['a', 'x'])).toEqual([['a', 'x']])
    expect(table.count()).toBe(1)
  })

  test('23 the removal of the odd of twenty leaves the even intact', async () => {
    const table = store.table('t', layout)
    const tuples = Array.from({ length: 20 }, (_, i): Tuple => [i, 'p', `v${i}`])
    await table.putMany(tuples)
    for (let i = 1; i < 20; i += 2) await table.delete([i, 'p'])
    for (let i = 0; i < 20; i++) expect(await table.get([i, 'p'])).toEqual(i % 2 === 0 ? [tuples[i]] : [])
  })

  test('24 many of none are no error', async () => {
    const before = store.lastSequence
    await expect(store.table('t', layout).putMany([])).resolves.toBeUndefined()
    expect(store.lastSequence).toBe(before)
  })

  test('25 of a thousand over many partitions all can be read', async () => {
    const table = store.table('t', layout)
    const tuples = Array.from({ length: 1000 }, (_, i): Tuple => [i, `p${i % 40}`, `v${i}`])
    await table.putMany(tuples)
    for (const tuple of tuples) expect(await table.get(tuple)).toEqual([tuple])
  })

  test('26 many overwrite each other in their order', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      ['a', 'x', 1],
      ['a', 'x', 2],
      ['a', 'x', 3],
    ])
    expect(await table.get(['a', 'x'])).toEqual([['a', 'x', 3]])
  })

  test('27 the count is 0 after everything was removed, and grows with puts', async () => {
    const table = store.table('t', layout)
    await table.putMany([
      ['a', 'x'],
      ['b', 'x'],
    ])
    await table.clear()
    expect(table.count()).toBe(0)
    await table.put(['a', 'x'])
    expect(table.count()).toBe(1)
  })

  test('28 what is no tuple is refused by a rejected promise, never thrown', async () => {
    const table = store.table('t', layout)
    for (const wrong of ['text', 5, null, undefined, {}, new Set(['a', 'b'])]) {
      await expect(table.put(wrong as never)).rejects.toThrow(TypeError)
      await expect(table.get(wrong as never)).rejects.toThrow(TypeError)
      await expect(table.delete(wrong as never)).rejects.toThrow(TypeError)
    }
  })
})

describe('lifecycle', () => {
  test('29 without options a table is a set whose first item is key and partition', async () => {
    const table = store.table('t')
    await table.put(['a', 1])
    await table.put(['a', 2])
    expect(await table.getBy('a', 'a')).toEqual([['a', 2]])
  })

  test('30 wrong options are each refused with an error that names them', () => {
    expect(() => store.table('t', { type: 'tree' as never })).toThrow('type')
    expect(() => store.table('t', { keyPos: -1 })).toThrow('keyPos')
    expect(() => store.table('t', { partitionPos: 1.5 })).toThrow('partitionPos')
    expect(() => store.table('t', { durability: 'strong' as never })).toThrow('durability')
    expect(() => store.table('t', { replication: 2 } as never)).toThrow('replication')
    expect(() => store.table('')).toThrow('name')
    expect(store.table('t').count()).toBe(0)
  })

  test('32 a restart with another number of partitions finds everything', async () => {
    const other = await StructureWorld.open({ partitions: 2 })
    await other.store.table('t').put(['a', 1])
    await other.store.close()
    const { open } = await import('../../src/index.ts')
    const options = { fileSystem: other.disk.fileSystem, backend: other.backend, partitions: 5 }
    const again = await open('/disk/store', options)
    expect(await again.table('t').get(['a'])).toEqual([['a', 1]])
    await again.close()
  })

  test('34 what was put buffered can be read at once and is there after a close', async () => {
    const table = store.table('t', { durability: 'buffered' })
    void table.put(['a', 1])
    expect(table.getSync(['a'])).toEqual([['a', 1]])
    expect(await (await world.reopen()).table('t', { durability: 'buffered' }).get(['a'])).toEqual([['a', 1]])
  })
})

describe('defects of SuperCache that a table does not have', () => {
  test('a second start does not wipe the data', async () => {
    await store.table('t').put(['a', 1])
    expect(await store.table('t').get(['a'])).toEqual([['a', 1]])
    expect(await (await world.reopen()).table('t').get(['a'])).toEqual([['a', 1]])
  })

  test('many tuples are atomic: one that is refused leaves none of them', async () => {
    const table = store.table('t', layout)
    await expect(table.putMany([['a', 'x'], ['b'], ['c', 'x']])).rejects.toThrow(TypeError)
    expect(table.count()).toBe(0)
    const before = store.lastSequence
    await table.putMany([
      ['a', 'x'],
      ['b', 'y'],
    ])
    expect(store.lastSequence).toBe(before + 1)
  })

  test('a tuple too short for the key is refused as one too short for the partition is', async () => {
    const table = store.table('t', { keyPos: 3, partitionPos: 1 })
    await expect(table.put(['a'])).rejects.toThrow('at least 4 items')
    await expect(table.put(['a', 'b', 'c'])).rejects.toThrow('at least 4 items')
  })

  test('captures reach nested values', async () => {
    const table = store.table('t')
    await table.put(['a', ['x', { deep: [1, 2] }]])
    expect(await table.match(['a', ['x', { deep: [any, capture(1)] }]])).toEqual([[2]])
  })

  test('captures come by number, not by place, and each once', async () => {
    const table = store.table('t')
    await table.put(['a', 'first', 'second'])
    await table.put(['b', 'same', 'same'])
    expect(await table.match(['a', capture(2), capture(1)])).toEqual([['second', 'first']])
    expect(await table.match([capture(1), capture(2), capture(2)])).toEqual([['b', 'same']])
  })

  test('a scan is a snapshot', async () => {
    const table = store.table('t')
    await table.putMany(Array.from({ length: 100 }, (_, i): Tuple => [i, 'old']))
    const seen = table.scan((values: unknown[], [, value]) => [...values, value], [])
    const writes = [table.put([5, 'new']), table.delete([6]), table.put([100, 'new'])]
    expect(await seen).toEqual(Array.from({ length: 100 }, () => 'old'))
    await Promise.all(writes)
  })

  test('a scan whose function writes to the table does not see what it writes', async () => {
    const table = store.table('t')
    await table.putMany([
      [1, 'a'],
      [2, 'b'],
    ])
    const writes: Promise<void>[] = []
    const seen = await table.scan((n, [key]) => {
      writes.push(table.put([['copy of', key], 'c'] as Tuple), table.delete([key]))
      return n + 1
    }, 0)
    expect(seen).toBe(2)
    await Promise.all(writes)
    expect(table.count()).toBe(2)
  })

  test('no name, key or partition is a wildcard', async () => {
    for (const name of ['_', ':_', '*', '%', '/', 'a/b', '$1']) await store.table(name, layout).put([name, name, name])
    const table = store.table('_', layout)
    for (const key of [':_', '$1', '*', 'any', 'Symbol(any)']) await table.put([key, '_', key])
    expect(await table.match(['*', '_', capture(1)])).toEqual([['*']])
    expect(await table.matchRecords([any, any, any], { partition: ':_' })).toEqual([])
    await table.deleteMatch(['_', any, any])
    expect(table.count()).toBe(5)
    await table.clear()
    for (const name of [':_', '*', '%', '/', 'a/b', '$1']) expect(store.table(name, layout).count()).toBe(1)
  })

  test('an ordered set is in order over all partitions, not in each alone', async () => {
    const table = store.table('t', { ...layout, type: 'ordered-set' })
    await table.putMany(Array.from({ length: 40 }, (_, i): Tuple => [(i * 17) % 40, `p${i % 5}`]))
    const keys = await table.scan((list: unknown[], [key]) => [...list, key], [])
    expect(keys).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  test('1 and 1n are two keys in every type of table', async () => {
    for (const type of ['set', 'ordered-set'] as const) {
      const table = store.table(type, { type })
      await table.put([1, 'number'])
      await table.put([1n, 'bigint'])
      expect(await table.get([1])).toEqual([[1, 'number']])
      expect(await table.get([1n])).toEqual([[1n, 'bigint']])
    }
  })

  test('puts that nobody waits for take effect in their order', async () => {
    const table = store.table('t', { durability: 'buffered' })
    for (let i = 0; i < 500; i++) void table.put(['a', i])
    expect(await table.get(['a'])).toEqual([['a', 499]])
    expect(await (await world.reopen()).table('t', { durability: 'buffered' }).get(['a'])).toEqual([['a', 499]])
  })

  test('what other structures hold is in no table', async () => {
    await store.table('t').put(['a', 1])
    await store.stack('t').push(1)
    await store.records('t').add({ id: 1 })
    expect(store.table('t').count()).toBe(1)
    await store.table('t').clear()
    expect(store.stack('t').count()).toBe(1)
    expect(store.records('t').count()).toBe(1)
  })
})
