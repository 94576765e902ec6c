/**
 * Goal: tables of every type and layout hold what a plain array of tuples holds, whatever is done to them, also when
 * hardly anything fits in memory, and over restarts and power cuts. Method: random operations, many of them under way at
 * once; every read is compared with the array as it was when the read was called.
 */
import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { any, capture, type CacheValue, type Key, type Store, type Table, type Tuple } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { hardlyAnyMemory, StructureWorld } from '../support/structure-world.ts'

type Type = 'set' | 'ordered-set' | 'bag' | 'duplicate-bag'
interface Layout {
  readonly type: Type
  readonly keyPos: number
  readonly partitionPos: number
}

const keys: readonly Key[] = [0, 1, 'a', 'b', ['a', 1], null]
const others: readonly CacheValue[] = [0, 'a', null, { a: 1, b: [2] }, [1, 'x'], [1, 'y'], new Map([['m', 1]])]
const pad = 'p'.repeat(300)

const keyOf = fc.constantFrom(...keys)
const other = fc.constantFrom(...others)
const tupleOf = ({ keyPos, partitionPos }: Layout) =>
  fc.tuple(keyOf, keyOf, other, other).map(([key, partition, a, b]): Tuple => {
    const tuple: CacheValue[] = [a, b, a, pad]
    tuple[partitionPos] = partition as CacheValue
    tuple[keyPos] = key as CacheValue
    return tuple
  })
const wild = fc.constantFrom<unknown>(any, any, capture(1), capture(2), capture(0))
const nested = fc.constantFrom<unknown>(
  { a: 1, b: [any] },
  [1, capture(2)],
  [capture(1), 'x'],
  new Map([['m', capture(3)]]),
)
const patternOf = ({ keyPos, partitionPos }: Layout) =>
  fc
    .tuple(
      fc.oneof(keyOf, wild),
      fc.oneof(keyOf, wild),
      fc.oneof({ weight: 2, arbitrary: wild }, other, nested),
      fc.constantFrom<unknown>(any, pad),
    )
    .map(([key, partition, item, last]) => {
      const pattern = [item, item, item, last]
      pattern[partitionPos] = partition
      pattern[keyPos] = key
      return pattern
    })
const partitionOf = fc.option(keyOf, { freq: 3 })

/** What a pattern means, read off its definition. */
function captured(pattern: readonly unknown[], tuple: readonly unknown[]): unknown[] | undefined {
  const found = new Map<number, unknown>()
  const fits = (item: unknown, value: unknown): boolean => {
    if (item === any) return true
    if (typeof item === 'object' && item !== null && Object.getPrototypeOf(item).constructor.name === 'Capture') {
      const { number } = item as { number: number }
      if (!found.has(number)) found.set(number, value)
      return isDeepStrictEqual(found.get(number), value)
    }
    if (Array.isArray(item)) {
      return Array.isArray(value) && item.length === value.length && item.every((each, i) => fits(each, value[i]))
    }
    if (item instanceof Map) {
      return (
        value instanceof Map && item.size === value.size && [...item].every(([key, each]) => fits(each, value.get(key)))
      )
    }
    if (typeof item === 'object' && item !== null) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map) return false
      const names = Object.keys(item)
      if (names.length !== Object.keys(value).length) return false
      return names.every((name) => fits(item[name as never], value[name as never]))
    }
    return item === value
  }
  if (!fits(pattern, tuple)) return undefined
  return [...found].sort(([a], [b]) => a - b).map(([, value]) => value)
}

class Model {
  readonly layout: Layout
  tuples: readonly Tuple[] = []

  constructor(layout: Layout) {
    this.layout = layout
  }

  at(tuple: Tuple, key: Key, partition: Key): boolean {
    return (
      isDeepStrictEqual(tuple[this.layout.keyPos], key) && isDeepStrictEqual(tuple[this.layout.partitionPos], partition)
    )
  }

  same(tuple: Tuple, example: Tuple): boolean {
    return this.at(tuple, example[this.layout.keyPos] as Key, example[this.layout.partitionPos] as Key)
  }

  put(tuple: Tuple): void {
    const { type } = this.layout
    if (type === 'bag' && this.tuples.some((each) => isDeepStrictEqual(each, tuple))) return
    const isBag = type === 'bag' || type === 'duplicate-bag'
    this.tuples = [...(isBag ? this.tuples : this.tuples.filter((each) => !this.same(each, tuple))), tuple]
  }

  matching(pattern: readonly unknown[], partition: Key | null | undefined): Tuple[] {
    return this.tuples.filter(
      (tuple) =>
        captured(pattern, tuple) !== undefined &&
        (partition === undefined || isDeepStrictEqual(tuple[this.layout.partitionPos], partition)),
    )
  }
}

type Step = (run: Run) => void | Promise<void>

class Run {
  readonly model: Model
  table: Table
  readonly world: StructureWorld
  #pending: Promise<void>[] = []

  constructor(world: StructureWorld, layout: Layout) {
    this.world = world
    this.model = new Model(layout)
    this.table = open(world.store, layout)
  }

  /** Goes on without waiting. */
  later(promise: Promise<unknown>, check: (answer: never) => void = () => undefined): void {
    this.#pending.push(promise.then((answer) => check(answer as never)))
  }

  async settle(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    await Promise.all(pending)
  }

  moved(store: Store): void {
    this.table = open(store, this.model.layout)
  }
}

function open(store: Store, layout: Layout): Table {
  return store.table('t/%', layout)
}

function sameTuples(found: readonly unknown[], expected: readonly unknown[]): void {
  const left = [...expected]
  for (const each of found) {
    const at = left.findIndex((expectedOne) => isDeepStrictEqual(expectedOne, each))
    expect(at, `${JSON.stringify(each)} is not expected`).toBeGreaterThanOrEqual(0)
    left.splice(at, 1)
  }
  expect(left).toEqual([])
}

const partitionOption = (partition: Key | null) => (partition === null ? undefined : { partition })

function steps(layout: Layout): fc.Arbitrary<Step> {
  const tuple = tupleOf(layout)
  const pattern = patternOf(layout)
  const write: fc.Arbitrary<Step> = fc.oneof(
    ...[tuple, tuple, tuple].map((each) =>
      each.map((given) => (run: Run) => {
        run.model.put(given)
        run.later(run.table.put(given))
      }),
    ),
    fc.array(tuple, { maxLength: 4 }).map((list) => (run: Run) => {
      for (const each of list) run.model.put(each)
      run.later(run.table.putMany(list))
    }),
    tuple.map((given) => (run: Run) => {
      run.model.tuples = run.model.tuples.filter((each) => !run.model.same(each, given))
      run.later(run.table.delete(given))
    }),
    fc.tuple(keyOf, keyOf).map(([key, partition]) => (run: Run) => {
      run.model.tuples = run.model.tuples.filter((each) => !run.model.at(each, key, partition))
      run.later(run.table.deleteBy(key, partition))
    }),
    fc.tuple(pattern, partitionOf).map(([given, partition]) => async (run: Run) => {
      const gone = run.model.matching(given, partition ?? undefined)
      run.model.tuples = run.model.tuples.filter((each) => !gone.includes(each))
      expect(await run.table.deleteMatch(given, partitionOption(partition))).toBe(gone.length)
    }),
    fc.array(tuple, { maxLength: 3 }).map((list) => (run: Run) => {
      const failed = run.world.store.transact(() => {
        for (const each of list) void run.table.put(each)
        for (const each of run.model.tuples.slice(0, 2)) void run.table.delete(each)
        throw new Error('taken back')
      })
      run.later(failed.catch(() => undefined))
    }),
  )
  const read: fc.Arbitrary<Step> = fc.oneof(
    tuple.map((given) => (run: Run) => {
      const expected = run.model.tuples.filter((each) => run.model.same(each, given))
      expect(run.table.getSync(given)).toEqual(expected)
      run.later(run.table.get(given), (found) => expect(found).toEqual(expected))
    }),
    fc.tuple(keyOf, keyOf).map(([key, partition]) => (run: Run) => {
      const expected = run.model.tuples.filter((each) => run.model.at(each, key, partition))
      run.later(run.table.getBy(key, partition), (found) => expect(found).toEqual(expected))
    }),
    fc.tuple(pattern, partitionOf).map(([given, partition]) => (run: Run) => {
      const expected = run.model.matching(given, partition ?? undefined)
      const option = partitionOption(partition)
      run.later(run.table.matchRecords(given, option), (found) => sameTuples(found, expected))
      const values = expected.map((each) => captured(given, each))
      run.later(run.table.match(given, option), (found) => sameTuples(found, values))
    }),
    partitionOf.map((partition) => (run: Run) => {
      const expected = run.model.matching([any, any, any, any], partition ?? undefined)
      const scanned = run.table.scan((list: Tuple[], each) => [...list, each], [], partitionOption(partition))
      run.later(scanned, (found: Tuple[]) => {
        sameTuples(found, expected)
        if (layout.type === 'ordered-set') {
          const places = found.map((each) => keys.findIndex((key) => isDeepStrictEqual(key, each[layout.keyPos])))
          expect(places.map((place) => order[place])).toEqual(
            places.map((place) => order[place] as number).sort((a, b) => a - b),
          )
        }
      })
    }),
    fc.constant((run: Run) => expect(run.table.count()).toBe(run.model.tuples.length)),
  )
  const machine: fc.Arbitrary<Step> = fc.constantFrom<Step[]>(
    (run) => run.settle(),
    (run) => run.later(run.world.store.checkpoint()),
    async (run) => {
      await run.settle()
      run.moved(await run.world.reopen())
    },
    async (run) => {
      await run.settle()
      run.moved(await run.world.crash('strict'))
    },
    async (run) => {
      await run.table.clear()
      run.model.tuples = []
    },
  )
  return fc.oneof({ weight: 8, arbitrary: write }, { weight: 5, arbitrary: read }, { weight: 2, arbitrary: machine })
}

/** Order of `keys`: null before numbers before strings before arrays. */
const order = [1, 2, 3, 4, 5, 0]

const layouts: readonly Layout[] = (['set', 'ordered-set', 'bag', 'duplicate-bag'] as const).flatMap((type) => [
  { type, keyPos: 0, partitionPos: 0 },
  { type, keyPos: 1, partitionPos: 0 },
  { type, keyPos: 0, partitionPos: 2 },
])

for (const layout of layouts) {
  const { type, keyPos, partitionPos } = layout
  test(
    `a ${type} with its key at ${keyPos} and its partition at ${partitionPos} is what a plain array is`,
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps(layout), { maxLength: 30 }), fc.boolean(), async (list, isSmall) => {
          const world = await StructureWorld.open(isSmall ? hardlyAnyMemory : {})
          const run = new Run(world, layout)
          try {
            for (const step of list) await step(run)
            await run.settle()
            run.moved(await world.reopen())
            sameTuples(await run.table.matchRecords([any, any, any, any]), run.model.tuples)
            expect(run.table.count()).toBe(run.model.tuples.length)
            expect((await world.store.verify()).problems).toEqual([])
          } finally {
            await run.settle().catch(() => undefined)
            await world.store.close()
          }
        }),
        { numRuns: effort(6, 40) },
      )
    },
    effort(20_000, 120_000),
  )
}
