import type { Lease, Queue, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { expectAnswer, firstDifference, type Operations } from './store-operation.ts'
import type { Effect, Facts, StoreModel } from './store-facts.ts'
import type { Proof, StepKind } from './store-steps.ts'
import {
  ack,
  availableIn,
  deadIn,
  emptyQueue,
  headOf,
  isEmpty,
  leaseFrom,
  type LeasedItem,
  nack,
  type QueueState,
  redeliver,
  takeFrom,
} from '../support/queue-model.ts'

const name = 'cache/queue'
const maxDeliveries = 2
const leaseMs = 700

export const queue = (store: Store): Queue<string> => store.queue('crash', { maxDeliveries })

const stateIn = (facts: Facts): QueueState => {
  const text = facts.get(name)
  return text === undefined ? emptyQueue : (JSON.parse(text) as QueueState)
}
const fact = (state: QueueState): Effect => [name, isEmpty(state) ? undefined : JSON.stringify(state)]

/** What this process has in hand: leases by value and delivery. */
const inHand = new WeakMap<Store, Map<string, Lease<string>>>()

function handsOf(store: Store): Map<string, Lease<string>> {
  let hands = inHand.get(store)
  if (hands === undefined) {
    hands = new Map()
    inHand.set(store, hands)
  }
  return hands
}

const handOf = ({ value, deliveries }: Pick<LeasedItem, 'value' | 'deliveries'>): string => `${value} ${deliveries}`

/** No two items are the same. */
const newItem = (store: Store, i = 0): string => `${store.lastSequence + 1}.${i}`

export const queueOperations: Operations = [
  {
    ...{ name: 'queue-add', weight: 5 },
    make: (store, _random, { facts }) => {
      const state = stateIn(facts)
      const item = newItem(store)
      return {
        effects: [fact({ ...state, fresh: [...state.fresh, item] })],
        call: (options) => queue(store).add(item, options),
      }
    },
  },
  {
    ...{ name: 'queue-add-many', weight: 2 },
    make: (store, _random, { facts }) => {
      const state = stateIn(facts)
      const items = [0, 1, 2].map((i) => newItem(store, i))
      return {
        effects: [fact({ ...state, fresh: [...state.fresh, ...items] })],
        call: (options) => queue(store).addMany(items, options),
      }
    },
  },
  {
    ...{ name: 'queue-take', weight: 4, rests: false },
    make: (store, _random, { facts, now }) => {
      const { state, item } = takeFrom(stateIn(facts), now, maxDeliveries)
      return {
        effects: [fact(state)],
        call: (options) => expectAnswer(queue(store).take('nothing', options), item?.value ?? 'nothing', 'take'),
      }
    },
  },
  {
    ...{ name: 'queue-drain', weight: 1, rests: false },
    make: (store, _random, { facts, now }) => {
      const values = availableIn(stateIn(facts), now, maxDeliveries)
      let state = stateIn(facts)
      for (let i = 0; i < Math.max(values.length, 1); i++) ({ state } = takeFrom(state, now, maxDeliveries))
      return {
        effects: [fact(state)],
        call: (options) => expectAnswer(queue(store).drain(options), values, 'drain'),
      }
    },
  },
  {
    ...{ name: 'queue-lease', weight: 5, rests: false, alwaysSync: true },
    make: (store, _random, { facts, now }) => {
      const { state, item } = leaseFrom(stateIn(facts), now, maxDeliveries, leaseMs)
      return {
        effects: [fact(state)],
        call: async () => {
          const lease = await queue(store).lease({ leaseMs })
          const { value, deliveries, deadline } = lease ?? {}
          await expectAnswer(
            Promise.resolve([value, deliveries, deadline]),
            [item?.value, item?.deliveries, item?.deadline],
            'lease',
          )
          if (lease !== undefined) handsOf(store).set(handOf(lease), lease)
        },
      }
    },
  },
]

/** Ends a lease that this process holds, one way or the other. */
async function end(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const state = stateIn(model.facts)
  const held = state.leased.filter((item) => handsOf(store).has(handOf(item)))
  const item = held[random.below(Math.max(held.length, 1))]
  if (item === undefined) return
  const lease = handsOf(store).get(handOf(item)) as Lease<string>
  const isAck = random.below(2) === 0
  const after = isAck ? ack(state, item) : nack(state, item, model.now, maxDeliveries)
  await model.write(store, random, [fact(after)], () => (isAck ? lease.ack() : lease.nack()))
}

async function redeliverDead(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const state = stateIn(model.facts)
  const { state: after, count } = redeliver(state, model.now, maxDeliveries)
  await model.write(
    store,
    random,
    [fact(after)],
    () => expectAnswer(queue(store).deadLetters.redeliver(), count, 'redeliver'),
    false,
  )
}

export const queueSteps: readonly StepKind[] = [
  { name: 'queue-end', weight: 6, run: end },
  { name: 'queue-redeliver', weight: 1, run: redeliverDead },
]

export const queueProof: Proof = {
  look: async (store, facts, now) => {
    const state = stateIn(facts)
    const dead = deadIn(state, now, maxDeliveries)
    return firstDifference([
      ['the count of the queue', queue(store).count(), availableIn(state, now, maxDeliveries).length],
      ['its head', await queue(store).peek('nothing'), headOf(state, now, maxDeliveries)?.value ?? 'nothing'],
      ['its dead letters', await queue(store).deadLetters.list(), dead],
      ['their count', queue(store).deadLetters.count(), dead.length],
    ])
  },
  /** In the order in which they are taken. */
  takeAll: (store, { facts, now }) => {
    const values = availableIn(stateIn(facts), now, maxDeliveries)
    let state = stateIn(facts)
    for (let i = 0; i < Math.max(values.length, 1); i++) ({ state } = takeFrom(state, now, maxDeliveries))
    return {
      effects: [fact({ ...state, fresh: values })],
      call: async () => {
        let drained: Promise<string[]> | undefined
        await store.transact(() => {
          drained = queue(store).drain()
          void queue(store).addMany(values)
        })
        await expectAnswer(drained as Promise<string[]>, values, 'drain')
      },
    }
  },
}
