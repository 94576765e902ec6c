import type { KeyValue, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

const facts = { value: 'kv/', bag: 'kvbag/' }

const values = (store: Store): KeyValue => store.kv('crash')
const bags = (store: Store): KeyValue => store.kv('crash/bag', { type: 'bag' })

function fact(key: number, value: unknown): Effect {
  return [facts.value + key, value === undefined ? undefined : JSON.stringify(value)]
}

function someKey(random: Prng): number {
  return random.below(8)
}

/** With a deadline or without: the clock stands, so that none comes, but the index of deadlines has to follow. */
async function set(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const key = someKey(random)
  const value = { n: random.below(1e6), text: 'k'.repeat(random.below(400)) }
  const options = random.below(2) === 0 ? {} : { ttlMs: 1 + random.below(1e6) }
  await model.write(store, random, [fact(key, value)], (durability) =>
    values(store).set(key, value, { ...options, durability }),
  )
}

async function setMany(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const first = someKey(random)
  const rows = [0, 1, 2].map((i) => [(first + i) % 8, random.below(1e6)] as const)
  const effects = rows.map(([key, value]) => fact(key, value))
  await model.write(store, random, effects, (durability) => values(store).setMany(rows, { durability, ttlMs: 5000 }))
}

async function remove(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const key = someKey(random)
  await model.write(store, random, [fact(key, undefined)], (durability) => values(store).delete(key, { durability }))
}

async function clear(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  await store.checkpoint()
  const effects = model.names(facts.value).map((name): Effect => [name, undefined])
  await model.writeAlone(store, effects, () => values(store).clear({ durability: 'sync' }))
}

/** Values are small numbers: adding one that is there makes it the last. */
async function add(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const key = someKey(random)
  const value = random.below(4)
  const old = JSON.parse(model.facts.get(facts.bag + key) ?? '[]') as number[]
  const bag = [...old.filter((other) => other !== value), value]
  await model.write(store, random, [[facts.bag + key, JSON.stringify(bag)]], (durability) =>
    bags(store).set(key, value, { durability }),
  )
}

async function removeBag(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const key = someKey(random)
  await model.write(store, random, [[facts.bag + key, undefined]], (durability) =>
    bags(store).delete(key, { durability }),
  )
}

/** Both namespaces in one record. */
async function both(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const key = someKey(random)
  const value = random.below(1e6)
  const effects: Effect[] = [fact(key, value), [facts.bag + key, '[9]']]
  await model.write(store, random, effects, (durability) =>
    store.transact(
      () => {
        void values(store).set(key, value)
        void bags(store).replace(key, [9])
      },
      { durability },
    ),
  )
}

export const keyValueSteps: readonly StepKind[] = [
  { name: 'kvSet', weight: 6, run: set },
  { name: 'kvSetMany', weight: 3, run: setMany },
  { name: 'kvDelete', weight: 3, run: remove },
  { name: 'kvClear', weight: 1, run: clear },
  { name: 'kvAdd', weight: 3, run: add },
  { name: 'kvRemoveBag', weight: 1, run: removeBag },
  { name: 'kvBoth', weight: 2, run: both },
]

async function read(
  kv: KeyValue,
  prefix: string,
  all: (key: number) => Promise<unknown>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let items = 0
  for await (const key of kv.keys()) {
    const value = await all(key as number)
    items += Array.isArray(value) ? value.length : 1
    found.set(`${prefix}${key as number}`, JSON.stringify(value))
  }
  if (kv.count() !== items) throw new Error(`the namespace counts ${kv.count()} and has ${items}`)
  return found
}

export const keyValueDump: readonly Dump[] = [
  { prefix: facts.value, read: (store) => read(values(store), facts.value, (key) => values(store).get(key)) },
  { prefix: facts.bag, read: (store) => read(bags(store), facts.bag, (key) => bags(store).getAll(key)) },
]
