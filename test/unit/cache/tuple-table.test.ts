import { describe, expect, test } from 'vitest'
import { any, capture, type TableOptions, type Tuple } from '../../../src/index.ts'
import { hardlyAnyMemory, StructureWorld } from '../../support/structure-world.ts'

const pad = 'x'.repeat(400)
const byFirst = (a: readonly unknown[], b: readonly unknown[]): number => ((a[0] as string) < (b[0] as string) ? -1 : 1)

/** A table most of which is in the backend alone. */
async function coldTable(options: TableOptions, tuples: readonly Tuple[]): Promise<StructureWorld> {
  const world = await StructureWorld.open({ ...hardlyAnyMemory, durability: 'buffered' })
  await world.store.table('t', options).putMany(tuples)
  await world.reopen()
  return world
}

describe('a table', () => {
  test('answers tuples that nobody can change in the store: frozen, or copies', async () => {
    const { store } = await StructureWorld.open()
    for (const type of ['set', 'bag'] as const) {
      const table = store.table(type, { type })
      const given = ['k', { list: [1] }, Uint8Array.of(1)]
      await table.put(given)
      ;(given[1] as { list: number[] }).list.push(2)
      ;(given[2] as Uint8Array)[0] = 9
      const expected = [['k', { list: [1] }, Uint8Array.of(1)]]
      for (const found of [table.getSync(['k']), await table.get(['k']), await table.matchRecords([any, any, any])]) {
        expect(found).toEqual(expected)
        const tuple = found[0] as unknown as [string, { list: number[] }, Uint8Array]
        tuple[2][0] = 7
        expect(() => tuple[1].list.push(3)).toThrow(TypeError)
        expect(() => tuple.push('more')).toThrow(TypeError)
        found.push(['another'])
      }
      const captured = (await table.match(['k', any, capture(1)]))[0]?.[0] as Uint8Array
      captured[0] = 7
      expect(table.getSync(['k'])).toEqual(expected)
      expect(await table.get(['k'])).toEqual(expected)
    }
    await store.close()
  })

  test('takes 0 and -0 for one key and stores either as it is', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t')
    await table.put([0, 'a'])
    await table.put([-0, 'b'])
    expect(table.count()).toBe(1)
    expect(await table.get([0])).toStrictEqual([[-0, 'b']])
    expect(await table.match([0, capture(1)])).toEqual([['b']])
    expect(await table.match([-0, capture(1)])).toEqual([['b']])
    await store.close()
  })

  test('keeps keys of different types apart and orders them: null, booleans, numbers, bytes, strings, arrays', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { type: 'ordered-set' })
    const keys = [null, false, true, -1, 1, 1n, 2, Uint8Array.of(0), '', '1', 'b', [], [1], [1, 'x']]
    await table.putMany([...keys].reverse().map((key) => [key, 'v']))
    expect(table.count()).toBe(keys.length)
    const inMemory = await table.scan((found: unknown[], [key]) => [...found, key], [])
    expect(inMemory).toEqual(keys)
    await store.close()
  })

  test('of type ordered-set scans in order of keys over all partitions, also from the backend', async () => {
    const options = { type: 'ordered-set', keyPos: 1, partitionPos: 0 } as const
    const world = await coldTable(
      options,
      Array.from({ length: 200 }, (_, i) => [`p${i % 3}`, 199 - i, pad]),
    )
    const table = world.store.table('t', options)
    const keys = await table.scan((found: unknown[], [, key]) => [...found, key], [])
    expect(keys).toEqual(Array.from({ length: 200 }, (_, i) => i))
    const ofOne = await table.scan((found: unknown[], [, key]) => [...found, key], [], { partition: 'p1' })
    expect(ofOne).toEqual(keys.filter((key) => (199 - (key as number)) % 3 === 1))
    await world.store.close()
  })

  test('reads what is only in the backend by key and partition, by partition, by key and by pattern', async () => {
    for (const type of ['set', 'ordered-set', 'bag', 'duplicate-bag'] as const) {
      const options = { type, keyPos: 1, partitionPos: 0 }
      const tuples = Array.from({ length: 240 }, (_, i): Tuple => [`p${i % 6}`, `k${Math.floor(i / 6)}`, i % 2, pad])
      const world = await coldTable(options, tuples)
      const table = world.store.table('t', options)
      expect(await table.match(['p1', 'k7', capture(1), any]), type).toEqual([[1]])
      expect(table.getSync(['p1', 'k7']), type).toEqual([['p1', 'k7', 1, pad]])
      expect(await table.matchRecords([any, any, any, any], { partition: 'p2' })).toHaveLength(40)
      expect(await table.matchRecords([any, 'k3', any, any])).toHaveLength(6)
      expect(await table.match([capture(1), 'k3', 0, any])).toEqual([['p0'], ['p2'], ['p4']])
      expect(await table.matchRecords([any, any, 1, any])).toHaveLength(120)
      expect(await table.matchRecords(['p1', any, any, any], { partition: 'p2' })).toEqual([])
      expect(await table.matchRecords(['p2', 'k3', any, any], { partition: 'p2' })).toHaveLength(1)
      await world.store.close()
    }
  })

  test('reads as of the call, whatever is written before the answer comes', async () => {
    for (const type of ['set', 'ordered-set'] as const) {
      const options = { type, keyPos: 1, partitionPos: 0 }
      const tuples = Array.from({ length: 60 }, (_, i): Tuple => [i, 'k', 'old', pad])
      const world = await coldTable(options, tuples)
      const table = world.store.table('t', options)
      const reads = [
        table.match([any, 'k', capture(1), any]),
        table.match([any, any, capture(1), any]),
        table.match([any, any, capture(1), any], { partition: 7 }),
        table.scan((list: unknown[][], [, , value]) => [...list, [value]], []),
      ]
      const writes = [
        table.putMany(tuples.map(([i]) => [i as number, 'k', 'new', pad])),
        table.put([100, 'k', 'added', pad]),
        table.delete([7, 'k']),
      ]
      const [byKey, all, one, scanned] = await Promise.all(reads)
      expect(byKey, type).toEqual(tuples.map(() => ['old']))
      expect(all).toEqual(byKey)
      expect(one).toEqual([['old']])
      expect(scanned).toEqual(byKey)
      await Promise.all(writes)
      expect(await table.match([any, 'k', 'new', any])).toHaveLength(59)
      expect(table.count()).toBe(60)
      await world.store.close()
    }
  })

  test('never shows those who wait what is not acknowledged, nor a removal that is not', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t')
    const log: string[] = []
    const reads = [
      () => table.get(['k']),
      () => table.match(['k', any]),
      () => table.matchRecords([any, any]),
      () => table.scan((list: Tuple[], tuple) => [...list, tuple], []),
    ]
    for (const [i, read] of reads.entries()) {
      const put = table.put(['k', i]).then(() => log.push(`put ${i}`))
      expect(await read()).toHaveLength(1)
      expect(log.at(-1)).toBe(`put ${i}`)
      await put
    }
    const gone = table.delete(['k']).then(() => log.push('gone'))
    expect(table.getSync(['k'])).toEqual([])
    expect(await table.matchRecords([any, any])).toEqual([])
    expect(log.at(-1)).toBe('gone')
    await gone
    await store.close()
  })

  test('of type bag keeps one of equal tuples and the order of adding, a duplicate-bag all', async () => {
    const { store } = await StructureWorld.open()
    const bag = store.table('bag', { type: 'bag' })
    const twice = store.table('twice', { type: 'duplicate-bag' })
    const tuples = [
      ['k', { a: 1 }],
      ['k', 2],
      ['k', { a: 1 }],
      ['j', 2],
      ['k', 0],
      ['k', -0],
      ['k', Buffer.from('x')],
    ]
    for (const table of [bag, twice]) for (const tuple of tuples) await table.put(tuple)
    await bag.put(['k', Uint8Array.of(120)])
    expect(await bag.get(['k'])).toStrictEqual([
      ['k', { a: 1 }],
      ['k', 2],
      ['k', 0],
      ['k', -0],
      ['k', Uint8Array.of(120)],
    ])
    expect(bag.count()).toBe(6)
    expect(await twice.get(['k'])).toHaveLength(6)
    expect(twice.count()).toBe(7)
    expect(await twice.deleteMatch(['k', { a: any }])).toBe(2)
    expect(await twice.deleteMatch(['k', 2])).toBe(1)
    expect(await twice.get(['k'])).toStrictEqual([
      ['k', 0],
      ['k', -0],
      ['k', Uint8Array.of(120)],
    ])
    await twice.delete(['k', 'whatever'])
    expect(twice.count()).toBe(1)
    await store.close()
  })

  test('of type bag acknowledges a tuple that is there already when it is there for good', async () => {
    const world = await StructureWorld.open()
    const bag = world.store.table('bag', { type: 'bag' })
    await bag.put(['k', 1], { durability: 'buffered' })
    await bag.put(['k', 1], { durability: 'sync' })
    expect(await (await world.crash('strict')).table('bag', { type: 'bag' }).get(['k'])).toEqual([['k', 1]])
    await world.store.close()
  })

  test('puts many as one record, all or none', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.put(['p', 0])
    const before = store.lastSequence
    await table.putMany([
      ['p', 1],
      ['p', 2],
    ])
    expect(store.lastSequence).toBe(before + 1)
    await table.putMany([])
    for (const wrong of [['p'], ['p', 3, () => 1], 'text', ['p', {}], [Number.NaN, 1]]) {
      await expect(table.putMany([['p', 9], wrong as never])).rejects.toThrow(TypeError)
    }
    await expect(table.putMany(5 as never)).rejects.toThrow(TypeError)
    expect(table.count()).toBe(3)
    expect(await table.matchRecords([any, 9])).toEqual([])
    expect(store.lastSequence).toBe(before + 1)
    await store.close()
  })

  test('refuses what is no tuple or key, saying what it needs, and stores nothing', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { keyPos: 2, partitionPos: 0 })
    await expect(table.put(['a', 'b'])).rejects.toThrow(
      'at least 3 items (its key is item 2, its partition item 0), not 2',
    )
    await expect(table.put({ 0: 'a' } as never)).rejects.toThrow('a tuple must be an array')
    await expect(table.put(['a', 'b', undefined])).rejects.toThrow(
      'the key of a tuple, its item 2, cannot be undefined',
    )
    await expect(table.get(['a'])).rejects.toThrow(TypeError)
    expect(() => table.getSync(['a'])).toThrow(TypeError)
    await expect(table.delete(['a'])).rejects.toThrow(TypeError)
    await expect(table.getBy({} as never, 'a')).rejects.toThrow(TypeError)
    await expect(table.deleteBy('a', undefined as never)).rejects.toThrow(TypeError)
    await expect(table.match('a' as never)).rejects.toThrow('a pattern must be an array')
    await expect(table.match([any, any, new Map()])).rejects.toThrow(TypeError)
    await expect(table.match([any], 5 as never)).rejects.toThrow(TypeError)
    await expect(table.matchRecords([Symbol('x')])).rejects.toThrow(TypeError)
    await expect(table.deleteMatch([Symbol('x')])).rejects.toThrow(TypeError)
    await expect(table.scan(5 as never, 0)).rejects.toThrow(TypeError)
    await expect(table.put(['a', 'b', 'c'], { durability: 'fast' as never })).rejects.toThrow(TypeError)
    await expect(table.put(['a', 'b', 'c'], 5 as never)).rejects.toThrow(TypeError)
    expect(store.lastSequence).toBe(0)
    await store.close()
  })

  test('takes an undefined partition for a mistake, not for every partition', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.put(['p', 1])
    const partition = undefined as never
    await expect(table.deleteMatch([any, any], { partition })).rejects.toThrow('leave it out')
    await expect(table.match([any, any], { partition })).rejects.toThrow('leave it out')
    await expect(table.scan((n) => n, 0, { partition })).rejects.toThrow('leave it out')
    expect(table.count()).toBe(1)
    await store.close()
  })

  test('finds nothing by a key and a partition that cannot both be, where they are one item', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t')
    await table.put(['k', 1])
    expect(await table.getBy('k', 'k')).toEqual([['k', 1]])
    expect(await table.getBy('k', 'p')).toEqual([])
    expect(await table.match(['k', capture(1)], { partition: 'p' })).toEqual([])
    expect(await table.match(['k', capture(1)], { partition: 'k' })).toEqual([[1]])
    await table.deleteBy('k', 'p')
    expect(table.count()).toBe(1)
    await table.deleteBy('k', 'k')
    expect(table.count()).toBe(0)
    await store.close()
  })

  test('answers nothing for a pattern shorter or longer than its tuples', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.put(['p', 1, 'x'])
    for (const pattern of [[], ['p'], ['p', 1], [any, any], ['p', 1, 'x', any], [any, any, any, any]]) {
      expect(await table.matchRecords(pattern)).toEqual([])
      expect(await table.deleteMatch(pattern)).toBe(0)
    }
    expect(table.count()).toBe(1)
    await store.close()
  })

  test('cannot be opened with another type or other positions than it was written with', async () => {
    const world = await StructureWorld.open()
    await world.store.table('t', { type: 'bag', keyPos: 1 }).put(['p', 1])
    await world.reopen()
    for (const options of [
      {},
      { type: 'bag' },
      { type: 'set', keyPos: 1 },
      { type: 'bag', keyPos: 1, partitionPos: 1 },
    ]) {
      expect(() => world.store.table('t', options as TableOptions)).toThrow(
        expect.objectContaining({ code: 'HOLDFAST_SHAPE_MISMATCH' }),
      )
    }
    expect(await world.store.table('t', { type: 'bag', keyPos: 1 }).get(['p', 1])).toEqual([['p', 1]])
    await world.store.close()
  })

  test('that is volatile is gone at close and refuses to be logged', async () => {
    const world = await StructureWorld.open()
    const options = { durability: 'volatile', keyPos: 1, partitionPos: 0 } as const
    const table = world.store.table('v', options)
    await table.putMany([
      ['p', 1],
      ['q', 1],
    ])
    expect(await table.matchRecords([any, 1])).toHaveLength(2)
    await expect(table.put(['p', 2], { durability: 'sync' })).rejects.toThrow(TypeError)
    expect(await table.deleteMatch([any, 1], { partition: 'p' })).toBe(1)
    expect(world.store.lastSequence).toBe(0)
    expect((await world.reopen()).table('v', options).count()).toBe(0)
    await world.store.close()
  })
})

describe('removing from a table', () => {
  test('counts what went, in one record', async () => {
    const { store } = await StructureWorld.open()
    const table = store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.putMany(Array.from({ length: 20 }, (_, i) => [`p${i % 2}`, i, i % 5]))
    const before = store.lastSequence
    expect(await table.deleteMatch([any, any, 0], { partition: 'p0' })).toBe(2)
    expect(await table.deleteMatch([any, any, 0])).toBe(2)
    expect(await table.deleteMatch(['p1', 7, any])).toBe(1)
    expect(await table.deleteMatch([any, 8, any])).toBe(1)
    expect(store.lastSequence).toBe(before + 4)
    expect(await table.deleteMatch([any, any, 0])).toBe(0)
    expect(store.lastSequence).toBe(before + 4)
    expect(table.count()).toBe(14)
    await store.close()
  })

  test('takes exactly what matches when it is applied, though it had to read the backend first', async () => {
    for (const type of ['set', 'duplicate-bag'] as const) {
      const options = { type, keyPos: 1, partitionPos: 0 }
      const tuples = Array.from({ length: 100 }, (_, i): Tuple => ['p', i, 'old', pad])
      const world = await coldTable(options, tuples)
      const table = world.store.table('t', options)
      const removal = table.deleteMatch([any, any, 'old', any])
      await table.delete(['p', 0])
      const late = Promise.all([
        table.put(['p', 1, 'new', pad]),
        table.put(['p', 200, 'old', pad]),
        table.put(['q', 201, 'kept', pad]),
      ])
      const removed = await removal
      await late
      const left = await table.match([any, capture(1), capture(2), any])
      expect(left.sort(byFirst), type).toEqual([
        [1, 'new'],
        [201, 'kept'],
      ])
      expect(removed).toBe(type === 'set' ? 99 : 100)
      expect(table.count()).toBe(2)
      const after = (await world.reopen()).table('t', options)
      expect(after.count()).toBe(2)
      expect(await after.matchRecords([any, 200, any, any])).toEqual([])
      await world.store.close()
    }
  })

  test('in one partition leaves the others alone, also what is written to them meanwhile', async () => {
    for (const type of ['set', 'ordered-set'] as const) {
      const options = { type, keyPos: 1, partitionPos: 0 }
      const tuples = Array.from({ length: 60 }, (_, i): Tuple => [i % 2, i, pad])
      const world = await coldTable(options, tuples)
      const table = world.store.table('t', options)
      const removal = table.deleteMatch([any, any, any], { partition: 1 })
      await Promise.all([table.put([0, 100, 'late']), table.put([1, 101, 'late'])])
      expect(await removal, type).toBe(31)
      expect(table.count()).toBe(31)
      expect(await table.deleteMatch([any, 1, any], { partition: 0 })).toBe(0)
      expect(await table.matchRecords([any, any, any], { partition: 1 })).toEqual([])
      expect(await table.deleteMatch([any, 100, any])).toBe(1)
      await table.put([0, [1], 'nested'])
      expect(await table.deleteMatch([any, any, 'nested'], { partition: 1 })).toBe(0)
      expect(table.count()).toBe(31)
      await world.store.close()
    }
  })

  test('clears everything of this table alone', async () => {
    for (const options of [{}, { keyPos: 1, partitionPos: 0 }, { type: 'bag' }] as TableOptions[]) {
      const world = await coldTable(
        options,
        Array.from({ length: 100 }, (_, i) => [`p${i}`, i, pad]),
      )
      await world.store.table('t2', options).put(['p', 1])
      const table = world.store.table('t', options)
      await table.clear()
      expect(table.count()).toBe(0)
      expect(await table.matchRecords([any, any, any])).toEqual([])
      expect(await table.matchRecords([any, 5, any])).toEqual([])
      await table.put(['p', 1, 'again'])
      await table.clear()
      await table.put(['p', 1, 'again'])
      expect(await table.matchRecords([any, any, any])).toEqual([['p', 1, 'again']])
      expect(world.store.table('t2', options).count()).toBe(1)
      expect((await world.reopen()).table('t', options).count()).toBe(1)
      expect((await world.store.verify()).problems).toEqual([])
      await world.store.close()
    }
  })

  test('that finds nothing waits for the write that left nothing', async () => {
    const world = await StructureWorld.open()
    const table = world.store.table('t', { keyPos: 1, partitionPos: 0 })
    await table.putMany([
      ['p', 1],
      ['p', 2],
      ['p', 3],
    ])
    await table.delete(['p', 1], { durability: 'buffered' })
    await table.delete(['p', 1], { durability: 'sync' })
    const first = await world.crash('strict')
    expect(await first.table('t', { keyPos: 1, partitionPos: 0 }).get(['p', 1])).toEqual([])
    const again = first.table('t', { keyPos: 1, partitionPos: 0 })
    expect(await again.deleteMatch([any, any], { durability: 'buffered' })).toBe(2)
    expect(await again.deleteMatch([any, any], { durability: 'sync' })).toBe(0)
    expect((await world.crash('strict')).table('t', { keyPos: 1, partitionPos: 0 }).count()).toBe(0)
    await world.store.close()
  })

  test('inside a transaction is taken back with it, index and counts too', async () => {
    const { store } = await StructureWorld.open()
    for (const type of ['set', 'ordered-set', 'bag'] as const) {
      const table = store.table(type, { type, keyPos: 1, partitionPos: 0 })
      await table.putMany([
        ['p', 1, 'a'],
        ['q', 1, 'b'],
        ['p', 2, 'c'],
      ])
      const failed = store.transact(() => {
        void table.delete(['p', 1])
        void table.put(['r', 1, 'd'])
        void table.deleteMatch([any, any, 'c'])
        void table.clear()
        void table.put(['s', 1, 'e'])
        throw new Error('no')
      })
      await expect(failed).rejects.toThrow('no')
      expect(table.count()).toBe(3)
      expect((await table.match([capture(1), 1, any])).flat()).toEqual(['p', 'q'])
      expect(await table.matchRecords([any, any, any], { partition: 'p' })).toHaveLength(2)
      expect(await table.matchRecords([any, any, any])).toHaveLength(3)
    }
    await store.close()
  })

  test('inside a transaction is refused while parts are only on disk, and leaves the rest of it alone', async () => {
    const world = await coldTable(
      {},
      Array.from({ length: 100 }, (_, i) => [i, pad]),
    )
    const table = world.store.table('t')
    const done = world.store.transact(() => {
      void table.put(['new'])
      expect(() => table.clear()).toThrow('only on disk')
      expect(() => table.deleteMatch([any, any])).toThrow('only on disk')
      void table.deleteMatch([5, any])
    })
    await done
    expect(table.count()).toBe(100)
    expect(table.getSync([5])).toEqual([])
    await world.store.close()
  })
})

test('a table holds in a power cut what was acknowledged, with an index that fits', async () => {
  for (const mode of ['strict', 'subset', 'all', 'directory-first'] as const) {
    const options = { keyPos: 1, partitionPos: 0 }
    const world = await StructureWorld.open()
    const table = world.store.table('t', options)
    await table.putMany([
      ['p', 1, 'a'],
      ['q', 1, 'b'],
      ['p', 2, 'c'],
    ])
    await world.store.checkpoint()
    await table.delete(['q', 1])
    await table.put(['r', 1, 'd'])
    const after = (await world.crash(mode)).table('t', options)
    expect((await after.match([capture(1), 1, capture(2)])).sort(byFirst), mode).toEqual([
      ['p', 'a'],
      ['r', 'd'],
    ])
    expect(after.count()).toBe(3)
    expect((await world.store.verify()).problems).toEqual([])
    await world.store.close()
  }
})
