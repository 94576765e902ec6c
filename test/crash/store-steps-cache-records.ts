import type { Records, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { expectAnswer, type Operations } from './store-operation.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

interface Person {
  readonly name: string
  readonly age: number
}

const prefix = 'cache/records/'

export const people = (store: Store): Records<Person> => store.records('crash', { key: 'name' })

const fact = (person: Person): Effect => [prefix + person.name, JSON.stringify(person)]

function somebody(random: Prng): Person {
  return { name: `n${random.below(5)}`, age: random.below(1000) }
}

export const recordOperations: Operations = [
  {
    ...{ name: 'record-add', weight: 3 },
    make: (store, random) => {
      const person = somebody(random)
      return { effects: [fact(person)], call: (options) => people(store).add(person, options) }
    },
  },
  {
    ...{ name: 'record-add-many', weight: 1 },
    make: (store, random) => {
      const persons = [somebody(random), somebody(random)]
      return { effects: persons.map(fact), call: (options) => people(store).addMany(persons, options) }
    },
  },
  {
    ...{ name: 'record-remove', weight: 2 },
    make: (store, random, model) => {
      const { name } = somebody(random)
      const was = model.facts.has(prefix + name)
      return {
        effects: [[prefix + name, undefined]],
        call: (options) => expectAnswer(people(store).remove(name, options), was, `remove ${name}`),
      }
    },
  },
]

async function removeAll(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const effects = model.names(prefix).map((name): Effect => [name, undefined])
  await model.writeAlone(store, effects, () => people(store).removeAll({ durability: 'sync' }))
}

export const recordSteps: readonly StepKind[] = [{ name: 'record-remove-all', weight: 1, run: removeAll }]

export const recordDump: Dump = {
  prefix,
  read: async (store) => {
    const all = await people(store).getAll()
    if (people(store).count() !== all.length) throw new Error(`${people(store).count()} counted, ${all.length} there`)
    const found = new Map<string, string>()
    for (const { name } of all) found.set(prefix + name, JSON.stringify(await people(store).get(name)))
    return found
  },
}
