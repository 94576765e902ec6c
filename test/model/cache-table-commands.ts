/** A table with an index, and records. */
import fc from 'fast-check'
import { any, capture, type Records, type Store, type Table, type Tuple } from '../../src/index.ts'
import { inKeyOrder } from './cache-key-value-commands.ts'
import { durability, type Family, options, suffix } from './command.ts'
import type { LongWrite, Query, Write } from './operation.ts'
import { type CacheRecord, type State, withEntry, withoutKeys } from './state.ts'

const partitions = ['p', 'q'] as const
const keys = [1, 2, 3] as const

const table = (store: Store): Table => store.table('model', { type: 'bag', keyPos: 1, partitionPos: 0 })

const tuple: fc.Arbitrary<Tuple> = fc.tuple(
  fc.constantFrom(...partitions),
  fc.constantFrom(...keys),
  fc.integer({ min: 0, max: 3 }),
)
const place = fc.tuple(fc.constantFrom(...partitions), fc.constantFrom(...keys))
const textOf = (each: readonly unknown[]): string => JSON.stringify(each)
const placeOf = (partition: unknown, key: unknown): string => `${String(partition)}/${String(key)}`

function added(state: State, each: Tuple): State {
  const at = placeOf(each[0], each[1])
  const old = state.tuples.get(at) ?? []
  if (old.some((other) => textOf(other) === textOf(each))) return state
  return { ...state, tuples: withEntry(state.tuples, at, [...old, each]) }
}

/** In order of partition and key. */
function tuplesIn(state: State): Tuple[] {
  return [...state.tuples].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, tuples]) => tuples)
}

function removed(state: State, goes: (each: Tuple) => boolean): { state: State; answer: number } {
  const all = tuplesIn(state)
  const gone = all.filter(goes)
  if (gone.length === 0) return { state, answer: 0 }
  const tuples = new Map<string, readonly Tuple[]>()
  for (const [at, list] of state.tuples) {
    const kept = list.filter((each) => !goes(each))
    if (kept.length > 0) tuples.set(at, kept)
  }
  return { state: { ...state, tuples }, answer: gone.length }
}

const put = fc.tuple(tuple, durability).map(
  ([each, level]): Write => ({
    label: `table put ${textOf(each)}${suffix(level)}`,
    durability: level,
    call: (store) => table(store).put(each, options(level)),
    effect: (state) => ({ state: added(state, each), answer: undefined }),
  }),
)

const putMany = fc.tuple(fc.array(tuple, { maxLength: 3 }), durability).map(
  ([list, level]): Write => ({
    label: `table put ${list.map(textOf).join(' | ')}${suffix(level)}`,
    durability: level,
    call: (store) => table(store).putMany(list, options(level)),
    effect: (state) => ({ state: list.reduce(added, state), answer: undefined }),
  }),
)

const removeAt = fc.tuple(place, fc.boolean(), durability).map(
  ([[partition, key], byTuple, level]): Write => ({
    label: `table delete ${partition}/${key}${suffix(level)}`,
    durability: level,
    call: (store) =>
      byTuple
        ? table(store).delete([partition, key], options(level))
        : table(store).deleteBy(key, partition, options(level)),
    effect: (state) => ({
      state: removed(state, (each) => each[0] === partition && each[1] === key).state,
      answer: undefined,
    }),
  }),
)

/** Of one key: a single step, and so part of transactions. */
const removeMatchAt = fc.tuple(place, fc.integer({ min: 0, max: 3 }), durability).map(
  ([[partition, key], n, level]): Write => ({
    label: `table delete what matches ${partition},${key},${n}${suffix(level)}`,
    durability: level,
    call: (store) => table(store).deleteMatch([partition, key, n], options(level)),
    effect: (state) => removed(state, (each) => textOf(each) === textOf([partition, key, n])),
  }),
)

interface Shape {
  readonly label: string
  readonly pattern: readonly unknown[]
  readonly fits: (each: Tuple) => boolean
}

const shapes: readonly Shape[] = [
  { label: '_,_,_', pattern: [any, any, any], fits: () => true },
  { label: 'p,_,_', pattern: ['p', any, any], fits: (each) => each[0] === 'p' },
  { label: '_,2,_', pattern: [any, 2, any], fits: (each) => each[1] === 2 },
  { label: 'q,_,1', pattern: ['q', any, 1], fits: (each) => each[0] === 'q' && each[2] === 1 },
  { label: '_,_,0', pattern: [any, any, 0], fits: (each) => each[2] === 0 },
]

const removeMatch = fc.constantFrom(...shapes.slice(1)).map(
  ({ label, pattern, fits }): LongWrite => ({
    label: `table delete what matches ${label}`,
    call: (store) => table(store).deleteMatch(pattern),
    effect: (state) => removed(state, fits),
  }),
)

const clear: LongWrite = {
  label: 'table clear',
  call: (store) => table(store).clear(),
  effect: (state) => ({ state: removed(state, () => true).state, answer: undefined }),
}

const sorted = (tuples: readonly (readonly unknown[])[]): string[] => tuples.map(textOf).sort()

const tableQueries: readonly Query[] = [
  ...partitions.flatMap((partition) =>
    keys.map(
      (key): Query => ({
        label: `table get ${partition}/${key}`,
        ask: (store) => table(store).getBy(key, partition),
        askSync: (store) => table(store).getSync([partition, key]),
        expected: (state) => state.tuples.get(placeOf(partition, key)) ?? [],
      }),
    ),
  ),
  ...shapes.flatMap(({ label, pattern, fits }): Query[] => [
    {
      label: `table records ${label}`,
      ask: async (store) => sorted(await table(store).matchRecords(pattern)),
      expected: (state) => sorted(tuplesIn(state).filter(fits)),
    },
    {
      label: `table records ${label} in p`,
      ask: async (store) => sorted(await table(store).matchRecords(pattern, { partition: 'p' })),
      expected: (state) => sorted(tuplesIn(state).filter((each) => fits(each) && each[0] === 'p')),
    },
  ]),
  {
    label: 'table match',
    ask: async (store) => sorted(await table(store).match([capture(0), 2, capture(1)])),
    expected: (state) =>
      sorted(
        tuplesIn(state)
          .filter((each) => each[1] === 2)
          .map((each) => [each[0], each[2]]),
      ),
  },
  {
    label: 'table scan',
    ask: (store) => table(store).scan((sum: number, each) => sum + 100 + (each[2] as number), 0),
    expected: (state) => tuplesIn(state).reduce((sum, each) => sum + 100 + (each[2] as number), 0),
  },
  {
    label: 'table count',
    askSync: (store) => table(store).count(),
    expected: (state) => tuplesIn(state).length,
  },
]

export const tableFamily: Family = {
  name: 'table',
  writes: fc.oneof(
    { weight: 4, arbitrary: put },
    { weight: 2, arbitrary: putMany },
    { weight: 2, arbitrary: removeAt },
    { weight: 1, arbitrary: removeMatchAt },
  ),
  longWrites: fc.oneof({ weight: 3, arbitrary: removeMatch }, { weight: 1, arbitrary: fc.constant(clear) }),
  queries: tableQueries,
}

// ------------------------------------------------------------------ records

const ids = [1, 2, 'a'] as const
const records = (store: Store): Records<CacheRecord> => store.records('model')
const record: fc.Arbitrary<CacheRecord> = fc.record({
  id: fc.constantFrom(...ids),
  n: fc.integer({ min: 0, max: 3 }),
})

const withRecord = (state: State, each: CacheRecord): State => ({
  ...state,
  records: withEntry(state.records, each.id, each),
})

const addRecords = fc.tuple(fc.array(record, { minLength: 1, maxLength: 3 }), durability).map(
  ([list, level]): Write => ({
    label: `records add ${JSON.stringify(list)}${suffix(level)}`,
    durability: level,
    call: (store) =>
      list.length === 1
        ? records(store).add(list[0] as CacheRecord, options(level))
        : records(store).addMany(list, options(level)),
    effect: (state) => ({ state: list.reduce(withRecord, state), answer: undefined }),
  }),
)

const removeRecord = fc.tuple(fc.constantFrom(...ids), durability).map(
  ([id, level]): Write => ({
    label: `records remove ${id}${suffix(level)}`,
    durability: level,
    call: (store) => records(store).remove(id, options(level)),
    effect: (state) =>
      state.records.has(id)
        ? { state: { ...state, records: withoutKeys(state.records, (each) => each === id) }, answer: true }
        : { state, answer: false },
  }),
)

const removeAll: LongWrite = {
  label: 'records remove all',
  call: (store) => records(store).removeAll(),
  effect: (state) => ({ state: { ...state, records: new Map() }, answer: undefined }),
}

export const recordFamily: Family = {
  name: 'records',
  writes: fc.oneof({ weight: 2, arbitrary: addRecords }, { weight: 1, arbitrary: removeRecord }),
  longWrites: fc.constant(removeAll),
  queries: [
    ...ids.map(
      (id): Query => ({
        label: `record ${id}`,
        ask: (store) => records(store).get(id),
        askSync: (store) => records(store).getSync(id),
        expected: (state) => state.records.get(id),
      }),
    ),
    {
      label: 'all records',
      ask: (store) => records(store).getAll(),
      expected: (state) => inKeyOrder(state.records).map(([, each]) => each),
    },
    {
      label: 'count of records',
      askSync: (store) => records(store).count(),
      expected: (state) => state.records.size,
    },
  ],
}
