/** Key-value namespaces: plain ones with and without deadlines, and bags. */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { KeyRange, KeyValue, Store } from '../../src/index.ts'
import { durability, type Family, options, suffix } from './command.ts'
import { effectOf, type Level, type LongWrite, type Query, Refusal, type Write } from './operation.ts'
import { type CacheKey, type State, type Timed, withEntry, withoutKeys } from './state.ts'

const keys: readonly CacheKey[] = [1, 2, 10, 'a', 'ab', 'b']
const key = fc.constantFrom(...keys)
const number = fc.integer({ min: 0, max: 5 })
const value = fc.oneof(number, fc.constantFrom('text', null, { n: 1 }, ['x'.repeat(300)]))
const ttl = fc.constantFrom(undefined, undefined, 50, 200)

const values = (store: Store): KeyValue => store.kv('model')
/** A name that the other one is a part of. */
const bags = (store: Store): KeyValue => store.kv('model/bag', { type: 'bag' })

function put(state: State, at: CacheKey, each: unknown, deadline: number): State {
  return { ...state, values: withEntry<CacheKey, Timed>(state.values, at, { value: each, deadline }) }
}

const deadlineOf = (state: State, ttlMs: number | undefined): number => (ttlMs === undefined ? 0 : state.now + ttlMs)
const without = (state: State, gone: readonly CacheKey[]): State =>
  gone.some((each) => state.values.has(each))
    ? { ...state, values: withoutKeys(state.values, (each) => gone.includes(each)) }
    : state

function withTtl(level: Level | undefined, ttlMs: number | undefined): { durability?: Level; ttlMs?: number } {
  return { ...options(level), ...(ttlMs === undefined ? {} : { ttlMs }) }
}

const set = fc.tuple(key, value, ttl, durability).map(
  ([at, each, ttlMs, level]): Write => ({
    label: `kv set ${at} = ${JSON.stringify(each).slice(0, 20)}, ttl ${ttlMs}${suffix(level)}`,
    durability: level,
    call: (store) => values(store).set(at, each, withTtl(level, ttlMs)),
    effect: (state) => ({ state: put(state, at, each, deadlineOf(state, ttlMs)), answer: undefined }),
  }),
)

const setMany = fc.tuple(fc.array(fc.tuple(key, number), { maxLength: 4 }), ttl, fc.boolean(), durability).map(
  ([rows, ttlMs, isBroken, level]): Write => ({
    label: `kv set ${JSON.stringify(rows)}${isBroken ? ' and what is no key' : ''}${suffix(level)}`,
    durability: level,
    call: (store) =>
      values(store).setMany(isBroken ? [...rows, [undefined as unknown as CacheKey, 1]] : rows, withTtl(level, ttlMs)),
    effect: (state) =>
      isBroken
        ? { refused: 'TypeError' }
        : {
            state: rows.reduce((each, [at, n]) => put(each, at, n, deadlineOf(state, ttlMs)), state),
            answer: undefined,
          },
  }),
)

const remove = fc.tuple(key, durability).map(
  ([at, level]): Write => ({
    label: `kv delete ${at}${suffix(level)}`,
    durability: level,
    call: (store) => values(store).delete(at, options(level)),
    effect: (state) => ({ state: without(state, [at]), answer: state.values.has(at) }),
  }),
)

const removeMany = fc.tuple(fc.array(key, { maxLength: 3 }), durability).map(
  ([gone, level]): Write => ({
    label: `kv delete ${gone.join()}${suffix(level)}`,
    durability: level,
    call: (store) => values(store).deleteMany(gone, options(level)),
    effect: (state) => ({ state: without(state, gone), answer: undefined }),
  }),
)

const update = fc.tuple(key, fc.boolean(), durability).map(
  ([at, throws, level]): Write => ({
    label: `kv update ${at}${throws ? ', and throw' : ''}${suffix(level)}`,
    durability: level,
    call: (store) =>
      values(store).update(
        at,
        (old) => {
          if (throws) throw new Refusal('EXAMPLE')
          return [typeof old]
        },
        options(level),
      ),
    effect: (state) => {
      if (throws) return { refused: 'EXAMPLE' }
      const old = state.values.get(at)
      const answer = [typeof old?.value]
      return { state: put(state, at, answer, old?.deadline ?? 0), answer }
    },
  }),
)

const increment = fc.tuple(key, durability).map(
  ([at, level]): Write => ({
    label: `kv increment ${at}${suffix(level)}`,
    durability: level,
    call: (store) => values(store).increment(at, 2, 10, options(level)),
    effect: (state) =>
      effectOf(() => {
        const old = state.values.get(at)
        const before = old === undefined ? 10 : old.value
        if (typeof before !== 'number') throw new Refusal('TypeError')
        return { state: put(state, at, before + 2, old?.deadline ?? 0), answer: before + 2 }
      }),
  }),
)

const setIfAbsent = fc.tuple(key, number, ttl, durability).map(
  ([at, n, ttlMs, level]): Write => ({
    label: `kv set ${at} if absent${suffix(level)}`,
    durability: level,
    call: (store) => values(store).setIfAbsent(at, n, withTtl(level, ttlMs)),
    effect: (state) =>
      state.values.has(at)
        ? { state, answer: false }
        : { state: put(state, at, n, deadlineOf(state, ttlMs)), answer: true },
  }),
)

const compareAndSet = fc.tuple(key, fc.oneof(number, fc.constant(undefined)), number, durability).map(
  ([at, expected, n, level]): Write => ({
    label: `kv set ${at} = ${n} if it is ${expected}${suffix(level)}`,
    durability: level,
    call: (store) => values(store).compareAndSet(at, expected, n, options(level)),
    effect: (state) => {
      const found = state.values.get(at)
      return isDeepStrictEqual(found?.value, expected)
        ? { state: put(state, at, n, 0), answer: true }
        : { state, answer: false }
    },
  }),
)

function putBag(state: State, at: CacheKey, bag: readonly unknown[]): State {
  if (bag.length === 0) {
    return state.bags.has(at) ? { ...state, bags: withoutKeys(state.bags, (each) => each === at) } : state
  }
  return { ...state, bags: withEntry(state.bags, at, bag) }
}

const distinct = (list: readonly number[]): number[] => list.filter((n, i) => !list.includes(n, i + 1))

const add = fc.tuple(key, number, durability).map(
  ([at, n, level]): Write => ({
    label: `bag ${at} add ${n}${suffix(level)}`,
    durability: level,
    call: (store) => bags(store).set(at, n, options(level)),
    effect: (state) => ({
      state: putBag(state, at, [...(state.bags.get(at) ?? []).filter((each) => each !== n), n]),
      answer: undefined,
    }),
  }),
)

const replace = fc.tuple(key, fc.array(number, { maxLength: 3 }), durability).map(
  ([at, list, level]): Write => ({
    label: `bag ${at} = [${list.join()}]${suffix(level)}`,
    durability: level,
    call: (store) => bags(store).replace(at, list, options(level)),
    effect: (state) => ({ state: putBag(state, at, distinct(list)), answer: undefined }),
  }),
)

const removeBag = fc.tuple(key, durability).map(
  ([at, level]): Write => ({
    label: `bag delete ${at}${suffix(level)}`,
    durability: level,
    call: (store) => bags(store).delete(at, options(level)),
    effect: (state) => ({ state: putBag(state, at, []), answer: state.bags.has(at) }),
  }),
)

const clearValues: LongWrite = {
  label: 'kv clear',
  call: (store) => values(store).clear(),
  effect: (state) => ({ state: without(state, [...state.values.keys()]), answer: undefined }),
}

const clearBags: LongWrite = {
  label: 'bag clear',
  call: (store) => bags(store).clear(),
  effect: (state) => ({ state: { ...state, bags: new Map() }, answer: undefined }),
}

// ------------------------------------------------------------------ reading

/** In the order of the store: numbers, then strings. */
export function inKeyOrder<V>(map: ReadonlyMap<CacheKey, V>): [CacheKey, V][] {
  const rank = (each: CacheKey): number => (typeof each === 'number' ? 0 : 1)
  return [...map].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function queriesOf(at: CacheKey): Query[] {
  return [
    {
      label: `kv get ${at}`,
      ask: (store) => values(store).get(at, 'none'),
      askSync: (store) => values(store).getSync(at, 'none'),
      expected: (state) => (state.values.has(at) ? state.values.get(at)?.value : 'none'),
    },
    {
      label: `kv ttl ${at}`,
      ask: (store) => values(store).ttl(at),
      expected: (state) => {
        const deadline = state.values.get(at)?.deadline ?? 0
        return deadline === 0 ? undefined : deadline - state.now
      },
    },
    {
      label: `bag ${at}`,
      ask: (store) => bags(store).getAll(at),
      expected: (state) => state.bags.get(at) ?? [],
    },
    {
      label: `last of bag ${at}`,
      ask: (store) => bags(store).get(at),
      askSync: (store) => bags(store).getSync(at),
      expected: (state) => state.bags.get(at)?.at(-1),
    },
  ]
}

function rangeQuery(label: string, range: KeyRange, fits: (at: CacheKey) => boolean): Query {
  return {
    label: `kv entries ${label}`,
    ask: (store) => allOf(values(store).entries(range)),
    expected: (state) => {
      const found = inKeyOrder(state.values)
        .filter(([at]) => fits(at))
        .map(([at, each]) => [at, each.value])
      if (range.reverse === true) found.reverse()
      return found.slice(0, range.limit)
    },
  }
}

const wholes: readonly Query[] = [
  rangeQuery('all', {}, () => true),
  rangeQuery('from 2 to a', { gte: 2, lte: 'a' }, (at) => at === 'a' || (typeof at === 'number' && at >= 2)),
  rangeQuery('of a', { prefix: 'a' }, (at) => typeof at === 'string' && at.startsWith('a')),
  rangeQuery('last two', { reverse: true, limit: 2 }, () => true),
  {
    label: 'kv has a',
    ask: (store) => values(store).has('a'),
    expected: (state) => state.values.has('a'),
  },
  {
    label: 'kv count',
    askSync: (store) => values(store).count(),
    expected: (state) => state.values.size,
  },
  {
    label: 'bag count',
    askSync: (store) => bags(store).count(),
    expected: (state) => [...state.bags.values()].reduce((sum, bag) => sum + bag.length, 0),
  },
  {
    label: 'bag keys',
    ask: (store) => allOf(bags(store).keys()),
    expected: (state) => inKeyOrder(state.bags).map(([at]) => at),
  },
]

export const keyValueFamily: Family = {
  name: 'kv',
  writes: fc.oneof(
    { weight: 5, arbitrary: set },
    { weight: 2, arbitrary: setMany },
    { weight: 3, arbitrary: remove },
    { weight: 1, arbitrary: removeMany },
    { weight: 2, arbitrary: update },
    { weight: 2, arbitrary: increment },
    { weight: 1, arbitrary: setIfAbsent },
    { weight: 1, arbitrary: compareAndSet },
    { weight: 3, arbitrary: add },
    { weight: 1, arbitrary: replace },
    { weight: 1, arbitrary: removeBag },
  ),
  longWrites: fc.constantFrom(clearValues, clearBags),
  queries: [...keys.flatMap(queriesOf), ...wholes],
}
