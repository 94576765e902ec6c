import type { Store, Table, Tuple } from '../../src/index.ts'
import { any } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { expectAnswer, type Operations } from './store-operation.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

const prefix = 'cache/tuples/'
const indexedPrefix = 'cache/indexed/'
const partitions = ['p', 'q'] as const
const keys = [0, 1, 2, 3] as const

/** A bag with key and partition apart: it has an index. The other has neither. */
export const indexed = (store: Store): Table =>
  store.table('crash/indexed', { type: 'bag', keyPos: 1, partitionPos: 0 })
export const table = (store: Store): Table => store.table('crash')

interface Place {
  readonly partition: string
  readonly key: number
}

function somePlace(random: Prng): Place {
  return { partition: partitions[random.below(2)] as string, key: keys[random.below(4)] as number }
}

const factOf = ({ partition, key }: Place): string => `${indexedPrefix}${partition}/${key}`

function tuplesIn(model: StoreModel, place: Place): Tuple[] {
  return JSON.parse(model.facts.get(factOf(place)) ?? '[]') as Tuple[]
}

function withTuples(place: Place, tuples: readonly Tuple[]): Effect {
  return [factOf(place), tuples.length === 0 ? undefined : JSON.stringify(tuples)]
}

const added = (tuples: readonly Tuple[], tuple: Tuple): readonly Tuple[] =>
  tuples.some((other) => JSON.stringify(other) === JSON.stringify(tuple)) ? tuples : [...tuples, tuple]

function tupleAt({ partition, key }: Place, random: Prng): Tuple {
  return [partition, key, random.below(3), 't'.repeat(random.below(200))]
}

export const tableOperations: Operations = [
  {
    ...{ name: 'table-put', weight: 3 },
    make: (store, random) => {
      const tuple: Tuple = [random.below(6), { n: random.below(1e6) }]
      return {
        effects: [[prefix + JSON.stringify(tuple[0]), JSON.stringify(tuple)]],
        call: (options) => table(store).put(tuple, options),
      }
    },
  },
  {
    ...{ name: 'table-delete', weight: 2 },
    make: (store, random) => {
      const key = random.below(6)
      return { effects: [[prefix + key, undefined]], call: (options) => table(store).deleteBy(key, key, options) }
    },
  },
  {
    ...{ name: 'table-put-indexed', weight: 5 },
    make: (store, random, model) => {
      const place = somePlace(random)
      const tuple = tupleAt(place, random)
      return {
        effects: [withTuples(place, added(tuplesIn(model, place), tuple))],
        call: (options) => indexed(store).put(tuple, options),
      }
    },
  },
  {
    ...{ name: 'table-put-many', weight: 2 },
    make: (store, random, model) => {
      const [one, other] = [0, 1].map((key) => ({ partition: 'p', key: key + 2 * random.below(2) })) as [Place, Place]
      const tuples = [tupleAt(one, random), tupleAt(other, random)] as const
      return {
        effects: [
          withTuples(one, added(tuplesIn(model, one), tuples[0])),
          withTuples(other, added(tuplesIn(model, other), tuples[1])),
        ],
        call: (options) => indexed(store).putMany(tuples, options),
      }
    },
  },
  {
    ...{ name: 'table-delete-indexed', weight: 3 },
    make: (store, random) => {
      const place = somePlace(random)
      return {
        effects: [withTuples(place, [])],
        call: (options) => indexed(store).deleteBy(place.key, place.partition, options),
      }
    },
  },
]

async function removeWhere(
  store: Store,
  model: StoreModel,
  pattern: readonly unknown[],
  goes: (tuple: Tuple) => boolean,
): Promise<void> {
  let gone = 0
  const effects = partitions.flatMap((partition) =>
    keys.map((key): Effect => {
      const tuples = tuplesIn(model, { partition, key })
      const kept = tuples.filter((tuple) => !goes(tuple))
      gone += tuples.length - kept.length
      return withTuples({ partition, key }, kept)
    }),
  )
  await model.writeAlone(store, effects, () =>
    expectAnswer(indexed(store).deleteMatch(pattern, { durability: 'sync' }), gone, 'deleteMatch'),
  )
}

async function deleteMatch(store: Store, random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const n = random.below(3)
  const partition = partitions[random.below(2)] as string
  const key = keys[random.below(4)] as number
  const way = random.below(3)
  if (way === 0) return removeWhere(store, model, [any, any, n, any], (tuple) => tuple[2] === n)
  if (way === 1) return removeWhere(store, model, [partition, any, n, any], (t) => t[0] === partition && t[2] === n)
  return removeWhere(store, model, [any, key, any, any], (tuple) => tuple[1] === key)
}

async function clear(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const effects = model.names(indexedPrefix).map((name): Effect => [name, undefined])
  await model.writeAlone(store, effects, () => indexed(store).clear({ durability: 'sync' }))
}

export const tableSteps: readonly StepKind[] = [
  { name: 'table-delete-match', weight: 3, run: deleteMatch },
  { name: 'table-clear', weight: 1, run: clear },
]

/** Every way to find a tuple must lead to the same ones. */
async function readIndexed(store: Store): Promise<Map<string, string>> {
  const each = indexed(store)
  const all: Tuple[] = []
  await each.scan((_, tuple) => void all.push(tuple), undefined)
  const found = new Map<string, string>()
  for (const partition of partitions) {
    for (const key of keys) {
      const tuples = await each.getBy(key, partition)
      if (tuples.length > 0) found.set(factOf({ partition, key }), JSON.stringify(tuples))
    }
    expectSame(
      await each.matchRecords([partition, any, any, any]),
      all.filter((tuple) => tuple[0] === partition),
      partition,
    )
  }
  for (const key of keys)
    expectSame(
      await each.matchRecords([any, key, any, any]),
      all.filter((tuple) => tuple[1] === key),
      `${key}`,
    )
  const items = [...found.values()].reduce((sum, text) => sum + (JSON.parse(text) as unknown[]).length, 0)
  if (items !== all.length || items !== each.count())
    throw new Error(`${items} tuples by key, ${all.length} in a scan, and ${each.count()} are counted`)
  return found
}

function expectSame(some: readonly Tuple[], others: readonly Tuple[], what: string): void {
  const texts = [some, others].map((tuples) =>
    tuples
      .map((tuple) => JSON.stringify(tuple))
      .sort()
      .join(),
  )
  if (texts[0] !== texts[1]) throw new Error(`${what}: ${texts[0]} match, and ${texts[1]} are there`)
}

export const tableDumps: readonly Dump[] = [
  { prefix: indexedPrefix, read: readIndexed },
  {
    prefix,
    read: async (store) => {
      const found = new Map<string, string>()
      await table(store).scan(
        (_, tuple) => void found.set(prefix + JSON.stringify(tuple[0]), JSON.stringify(tuple)),
        undefined,
      )
      if (table(store).count() !== found.size) throw new Error(`${table(store).count()} counted, ${found.size} there`)
      return found
    },
  },
]
