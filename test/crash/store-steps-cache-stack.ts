import type { Stack, Store } from '../../src/index.ts'
import { expectAnswer, firstDifference, type Operations } from './store-operation.ts'
import type { Effect, Facts } from './store-facts.ts'
import type { Proof } from './store-steps.ts'

const name = 'cache/stack'

export const stack = (store: Store): Stack<number> => store.stack('crash')

/** Bottom first. */
const itemsIn = (facts: Facts): number[] => JSON.parse(facts.get(name) ?? '[]') as number[]
const fact = (items: readonly number[]): Effect => [name, items.length === 0 ? undefined : JSON.stringify(items)]

export const stackOperations: Operations = [
  {
    ...{ name: 'stack-push', weight: 3 },
    make: (store, random, { facts }) => {
      const item = random.below(1e6)
      return { effects: [fact([...itemsIn(facts), item])], call: (options) => stack(store).push(item, options) }
    },
  },
  {
    ...{ name: 'stack-push-many', weight: 1 },
    make: (store, random, { facts }) => {
      const items = [random.below(1e6), random.below(1e6)]
      return {
        effects: [fact([...itemsIn(facts), ...items])],
        call: (options) => stack(store).pushMany(items, options),
      }
    },
  },
  {
    ...{ name: 'stack-pop', weight: 3 },
    make: (store, _random, { facts }) => {
      const items = itemsIn(facts)
      return {
        effects: [fact(items.slice(0, -1))],
        call: (options) => expectAnswer(stack(store).pop(-1, options), items.at(-1) ?? -1, 'pop'),
      }
    },
  },
  {
    ...{ name: 'stack-drain', weight: 1 },
    make: (store, _random, { facts }) => ({
      effects: [fact([])],
      call: (options) => expectAnswer(stack(store).drain(options), itemsIn(facts).toReversed(), 'drain'),
    }),
  },
]

export const stackProof: Proof = {
  look: async (store, facts) => {
    const items = itemsIn(facts)
    return firstDifference([
      ['the count of the stack', stack(store).count(), items.length],
      ['its top', await stack(store).peek(-1), items.at(-1) ?? -1],
    ])
  },
  takeAll: (store, { facts }) => ({
    effects: [fact(itemsIn(facts))],
    call: async () => {
      const items = itemsIn(facts)
      let drained: Promise<number[]> | undefined
      await store.transact(() => {
        drained = stack(store).drain()
        void stack(store).pushMany(items)
      })
      await expectAnswer(drained as Promise<number[]>, items.toReversed(), 'drain')
    },
  }),
}
