import type { Key, KeyValue, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { expectAnswer, type Operation, type Operations } from './store-operation.ts'
import { deadlineIn, type Effect, type Facts, type StoreModel, untilDeadline } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

/** Names that begin alike, and the same name for structures of several kinds: none may see another. */
const facts = { value: 'cache/value/', bag: 'cache/bag/', bounded: 'cache/bounded/', volatile: 'cache/volatile/' }
const boundedMax = 4

export const values = (store: Store): KeyValue => store.kv('crash')
export const bags = (store: Store): KeyValue => store.kv('crash/bag', { type: 'bag' })
const bounded = (store: Store): KeyValue => store.kv('crash/bounded', { maxEntries: boundedMax })
/** In no log. */
export const volatile = (store: Store): KeyValue => store.kv('crash/volatile', { durability: 'volatile' })

const someKey = (random: Prng): number => random.below(8)

function fact(key: number | string, value: unknown, deadline = 0): Effect {
  return [facts.value + key, value === undefined ? undefined : untilDeadline(deadline, JSON.stringify(value))]
}

function liveAt(model: StoreModel, key: number): { value: unknown; deadline: number } | undefined {
  const found = model.facts.get(facts.value + key)
  if (found === undefined) return undefined
  const deadline = deadlineIn(found)
  return { value: JSON.parse(deadline === 0 ? found : found.slice(found.indexOf(' ') + 1)) as unknown, deadline }
}

/** A write that no other one knows of, and that is always one. */
export function marked(store: Store, random: Prng): Operation {
  const value = random.below(1e6)
  return { effects: [fact('mark', value)], call: (options) => values(store).set('mark', value, options) }
}

function valueOf(random: Prng): unknown {
  return random.below(3) === 0 ? random.below(1e6) : { n: random.below(1e6), text: 'k'.repeat(random.below(400)) }
}

function ttlOf(random: Prng): { ttlMs?: number } {
  return random.below(2) === 0 ? {} : { ttlMs: 1 + random.below(1500) }
}

const deadlineAfter = (model: StoreModel, { ttlMs }: { ttlMs?: number }): number =>
  ttlMs === undefined ? 0 : model.now + ttlMs

export const keyValueOperations: Operations = [
  {
    ...{ name: 'kv-set', weight: 6 },
    make: (store, random, model) => {
      const [key, value, ttl] = [someKey(random), valueOf(random), ttlOf(random)]
      return {
        effects: [fact(key, value, deadlineAfter(model, ttl))],
        call: (options) => values(store).set(key, value, { ...options, ...ttl }),
      }
    },
  },
  {
    ...{ name: 'kv-set-many', weight: 3 },
    make: (store, random, model) => {
      const [first, ttl] = [someKey(random), ttlOf(random)]
      const rows = [0, 1, 2].map((i) => [(first + i) % 8, random.below(1e6)] as const)
      return {
        effects: rows.map(([key, value]) => fact(key, value, deadlineAfter(model, ttl))),
        call: (options) => values(store).setMany(rows, { ...options, ...ttl }),
      }
    },
  },
  {
    ...{ name: 'kv-delete', weight: 3 },
    make: (store, random, model) => {
      const key = someKey(random)
      const was = liveAt(model, key) !== undefined
      return {
        effects: [fact(key, undefined)],
        call: (options) => expectAnswer(values(store).delete(key, options), was, `delete ${key}`),
      }
    },
  },
  {
    ...{ name: 'kv-delete-many', weight: 1 },
    make: (store, random) => {
      const keys = [someKey(random), someKey(random)]
      return {
        effects: keys.map((key) => fact(key, undefined)),
        call: (options) => values(store).deleteMany(keys, options),
      }
    },
  },
  {
    // Keeps the deadline.
    ...{ name: 'kv-update', weight: 3 },
    make: (store, random, model) => {
      const key = someKey(random)
      const old = liveAt(model, key)
      const value = [old?.value ?? null, random.below(1e6)].slice(-1 - random.below(2))
      const wanted = JSON.stringify(value).length < 800 ? value : ['short']
      return {
        effects: [fact(key, wanted, old?.deadline)],
        call: (options) =>
          expectAnswer(
            values(store).update(key, () => wanted, options),
            wanted,
            `update ${key}`,
          ),
      }
    },
  },
  {
    ...{ name: 'kv-increment', weight: 2 },
    make: (store, random, model) => {
      // Nothing else writes to this key.
      const old = liveAt(model, 8)
      const value = ((old?.value as number | undefined) ?? 0) + 1 + random.below(3)
      const step = value - ((old?.value as number | undefined) ?? 0)
      return {
        effects: [fact(8, value, old?.deadline)],
        call: (options) => expectAnswer(values(store).increment(8, step, 0, options), value, 'increment'),
      }
    },
  },
  {
    ...{ name: 'kv-set-if-absent', weight: 2 },
    make: (store, random, model) => {
      const [key, value] = [someKey(random), random.below(1e6)]
      const old = liveAt(model, key)
      return {
        effects: [old === undefined ? fact(key, value) : fact(key, old.value, old.deadline)],
        call: (options) =>
          expectAnswer(values(store).setIfAbsent(key, value, options), old === undefined, 'setIfAbsent'),
      }
    },
  },
  {
    // Values are small numbers: adding one that is there makes it the last.
    ...{ name: 'kv-add', weight: 3 },
    make: (store, random, model) => {
      const [key, value] = [someKey(random), random.below(4)]
      const old = JSON.parse(model.facts.get(facts.bag + key) ?? '[]') as number[]
      const bag = [...old.filter((other) => other !== value), value]
      return {
        effects: [[facts.bag + key, JSON.stringify(bag)]],
        call: (options) => bags(store).set(key, value, options),
      }
    },
  },
  {
    ...{ name: 'kv-replace', weight: 2 },
    make: (store, random) => {
      const [key, bag] = [someKey(random), [1, 2, 3].slice(random.below(4))]
      return {
        effects: [[facts.bag + key, bag.length === 0 ? undefined : JSON.stringify(bag)]],
        call: (options) => bags(store).replace(key, bag, options),
      }
    },
  },
  {
    ...{ name: 'kv-bounded', weight: 3 },
    make: (store, random) => {
      const [key, value] = [someKey(random), random.below(1e6)]
      return {
        effects: [[facts.bounded + key, JSON.stringify(value)]],
        call: (options) => bounded(store).set(key, value, options),
      }
    },
  },
]

async function clear(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  const effects = model.names(facts.value).map((name): Effect => [name, undefined])
  await model.writeAlone(store, effects, () => values(store).clear({ durability: 'sync' }))
}

async function clearBags(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  const effects = model.names(facts.bag).map((name): Effect => [name, undefined])
  await model.writeAlone(store, effects, () => bags(store).clear({ durability: 'sync' }))
}

async function setVolatile(store: Store, random: Prng): Promise<void> {
  const key = someKey(random)
  const { lastSequence } = store
  const written = volatile(store).set(key, 'x'.repeat(100), { ttlMs: 1 + random.below(1500) })
  if (store.lastSequence !== lastSequence) throw new Error('what is volatile was logged')
  await written
}

export const keyValueSteps: readonly StepKind[] = [
  { name: 'kv-clear', weight: 1, run: clear },
  { name: 'kv-clear-bags', weight: 1, run: clearBags },
  { name: 'kv-volatile', weight: 2, run: setVolatile },
]

async function read(kv: KeyValue, prefix: string, all: (key: Key) => Promise<unknown>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let items = 0
  for await (const key of kv.keys()) {
    const value = await all(key)
    items += Array.isArray(value) && prefix === facts.bag ? value.length : 1
    found.set(`${prefix}${String(key)}`, JSON.stringify(value))
  }
  if (kv.count() !== items) throw new Error(`${prefix} counts ${kv.count()} and has ${items}`)
  return found
}

/** By key, before anything sweeps what is past its deadline away. */
async function readTimed(store: Store, now: number): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const key of [...Array(9).keys(), 'mark', 'never']) {
    if (!(await values(store).has(key))) continue
    const ttl = await values(store).ttl(key)
    const text = untilDeadline(ttl === undefined ? 0 : now + ttl, JSON.stringify(await values(store).get(key)))
    found.set(`${facts.value}${key}`, text)
  }
  const scanned = await read(values(store), facts.value, (key) => values(store).get(key))
  if ([...scanned.keys()].sort().join() !== [...found.keys()].sort().join())
    throw new Error(`a scan finds ${[...scanned.keys()].join()}, by key there are ${[...found.keys()].join()}`)
  return found
}

function isSubset(found: Facts, wanted: Facts): string[] {
  const strange = [...found]
    .filter(([name, value]) => wanted.get(name) !== value)
    .map(([name]) => `${name} is not right`)
  return found.size > boundedMax ? [...strange, `${found.size} entries where ${boundedMax} may be`] : strange
}

export const keyValueDumps: readonly Dump[] = [
  {
    prefix: facts.value,
    read: readTimed,
  },
  { prefix: facts.bag, read: (store) => read(bags(store), facts.bag, (key) => bags(store).getAll(key)) },
  // Of what is in no log nothing is left.
  { prefix: facts.volatile, read: (store) => read(volatile(store), facts.volatile, (key) => volatile(store).get(key)) },
]

/** Which entries it gives up is its own business; not how many it keeps, nor what they are. */
export const boundedDump: Dump = {
  prefix: facts.bounded,
  difference: isSubset,
  read: (store) => read(bounded(store), facts.bounded, (key) => bounded(store).get(key)),
}
