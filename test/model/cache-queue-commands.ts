/** A queue with leases and dead letters, and a stack. */
import fc from 'fast-check'
import type { Lease, Queue, Stack, Store } from '../../src/index.ts'
import {
  ack,
  availableIn,
  deadIn,
  headOf,
  leaseFrom,
  nack,
  type QueueState,
  redeliver,
  takeFrom,
} from '../support/queue-model.ts'
import { durability, type Family, options, suffix } from './command.ts'
import type { Query, Write } from './operation.ts'
import type { State } from './state.ts'

const maxDeliveries = 2
const leaseMs = 90

const queue = (store: Store): Queue<string> => store.queue('model', { maxDeliveries })

/** What this process has in hand. */
const leases = new WeakMap<Store, Lease<string>[]>()

function inHand(store: Store): Lease<string>[] {
  const known = leases.get(store) ?? []
  leases.set(store, known)
  return known
}

const changed = (state: State, after: QueueState): State => (after === state.queue ? state : { ...state, queue: after })

/** The model numbers the items, so that no two are the same. */
const add = fc.tuple(fc.integer({ min: 1, max: 3 }), durability).map(([count, level]): Write => {
  let items = ['?']
  return {
    label: `queue add ${count}${suffix(level)}`,
    durability: level,
    call: (store) =>
      count === 1 ? queue(store).add(items[0] as string, options(level)) : queue(store).addMany(items, options(level)),
    effect: (state) => {
      items = Array.from({ length: count }, (_, i) => `item ${state.items + i}`)
      const fresh = [...state.queue.fresh, ...items]
      return { state: { ...state, items: state.items + count, queue: { ...state.queue, fresh } }, answer: undefined }
    },
  }
})

const take = durability.map(
  (level): Write => ({
    label: `queue take${suffix(level)}`,
    durability: level,
    call: (store) => queue(store).take('nothing', options(level)),
    effect: (state) => {
      const { state: after, item } = takeFrom(state.queue, state.now, maxDeliveries)
      return { state: changed(state, after), answer: item?.value ?? 'nothing' }
    },
  }),
)

const drain = durability.map(
  (level): Write => ({
    label: `queue drain${suffix(level)}`,
    durability: level,
    call: (store) => queue(store).drain(options(level)),
    effect: (state) => {
      const answer = availableIn(state.queue, state.now, maxDeliveries)
      let after = state.queue
      for (let i = 0; i < Math.max(answer.length, 1); i++)
        ({ state: after } = takeFrom(after, state.now, maxDeliveries))
      return { state: changed(state, after), answer }
    },
  }),
)

const lease: Write = {
  label: 'queue lease',
  durability: undefined,
  call: (store) => {
    const answer = queue(store)
      .lease({ leaseMs })
      .then((leased) => {
        if (leased === undefined) return undefined
        inHand(store).push(leased)
        const { value, deliveries, deadline } = leased
        return { value, deliveries, deadline }
      })
    // Unlike the promise it follows from, it needs a handler in a transaction that throws.
    answer.catch(() => undefined)
    return answer
  },
  effect: (state) => {
    const { state: after, item } = leaseFrom(state.queue, state.now, maxDeliveries, leaseMs)
    return { state: changed(state, after), answer: item }
  },
}

const end = fc.tuple(fc.boolean(), fc.nat({ max: 5 })).map(([isAck, choice]): Write => {
  let chosen: Lease<string> | undefined
  return {
    label: `queue ${isAck ? 'ack' : 'nack'} ${choice}`,
    durability: undefined,
    call: (store) => {
      if (chosen === undefined) return store.transact(() => 'none')
      leases.set(
        store,
        inHand(store).filter((each) => each !== chosen),
      )
      return isAck ? chosen.ack() : chosen.nack()
    },
    effect: (state, store) => {
      const held = inHand(store).flatMap((hand) => {
        const item = state.queue.leased.find(
          ({ value, deliveries }) => value === hand.value && deliveries === hand.deliveries,
        )
        return item === undefined ? [] : [{ hand, item }]
      })
      const picked = held[choice % Math.max(held.length, 1)]
      chosen = picked?.hand
      if (picked === undefined) return { state, answer: 'none' }
      const { item } = picked
      const after = isAck ? ack(state.queue, item) : nack(state.queue, item, state.now, maxDeliveries)
      return { state: changed(state, after), answer: undefined }
    },
  }
})

const redeliverDead: Write = {
  label: 'queue redeliver',
  durability: undefined,
  call: (store) => queue(store).deadLetters.redeliver(),
  effect: (state) => {
    const { state: after, count } = redeliver(state.queue, state.now, maxDeliveries)
    return count === 0 ? { state, answer: 0 } : { state: changed(state, after), answer: count }
  },
}

const clearDead: Write = {
  label: 'queue clear the dead letters',
  durability: undefined,
  call: (store) => queue(store).deadLetters.clear(),
  effect: (state) => {
    const { state: after, count } = redeliver({ ...state.queue, fresh: [] }, state.now, maxDeliveries)
    if (count === 0) return { state, answer: undefined }
    return { state: changed(state, { ...after, fresh: state.queue.fresh }), answer: undefined }
  },
}

const available = (state: State): string[] => availableIn(state.queue, state.now, maxDeliveries)

export const queueFamily: Family = {
  name: 'queue',
  writes: fc.oneof(
    { weight: 5, arbitrary: add },
    { weight: 3, arbitrary: take },
    { weight: 1, arbitrary: drain },
    { weight: 4, arbitrary: fc.constant(lease) },
    { weight: 4, arbitrary: end },
    { weight: 1, arbitrary: fc.constant(redeliverDead) },
    { weight: 1, arbitrary: fc.constant(clearDead) },
  ),
  queries: [
    {
      label: 'queue peek',
      ask: (store) => queue(store).peek('nothing'),
      expected: (state) => headOf(state.queue, state.now, maxDeliveries)?.value ?? 'nothing',
    },
    {
      label: 'queue count',
      askSync: (store) => queue(store).count(),
      expected: (state) => available(state).length,
    },
    {
      label: 'queue dead letters',
      ask: (store) => queue(store).deadLetters.list(),
      expected: (state) => deadIn(state.queue, state.now, maxDeliveries),
    },
    {
      label: 'queue count of dead letters',
      askSync: (store) => queue(store).deadLetters.count(),
      expected: (state) => deadIn(state.queue, state.now, maxDeliveries).length,
    },
  ] satisfies Query[],
}

// ------------------------------------------------------------------ stack

const stack = (store: Store): Stack => store.stack('model')

const push = fc.tuple(fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 3 }), durability).map(
  ([items, level]): Write => ({
    label: `stack push ${items.join()}${suffix(level)}`,
    durability: level,
    call: (store) =>
      items.length === 1 ? stack(store).push(items[0], options(level)) : stack(store).pushMany(items, options(level)),
    effect: (state) => ({ state: { ...state, stack: [...state.stack, ...items] }, answer: undefined }),
  }),
)

const pop = durability.map(
  (level): Write => ({
    label: `stack pop${suffix(level)}`,
    durability: level,
    call: (store) => stack(store).pop('nothing', options(level)),
    effect: (state) =>
      state.stack.length === 0
        ? { state, answer: 'nothing' }
        : { state: { ...state, stack: state.stack.slice(0, -1) }, answer: state.stack.at(-1) },
  }),
)

const drainStack = durability.map(
  (level): Write => ({
    label: `stack drain${suffix(level)}`,
    durability: level,
    call: (store) => stack(store).drain(options(level)),
    effect: (state) => ({
      state: state.stack.length === 0 ? state : { ...state, stack: [] },
      answer: state.stack.toReversed(),
    }),
  }),
)

export const stackFamily: Family = {
  name: 'stack',
  writes: fc.oneof({ weight: 3, arbitrary: push }, { weight: 3, arbitrary: pop }, { weight: 1, arbitrary: drainStack }),
  queries: [
    {
      label: 'stack peek',
      ask: (store) => stack(store).peek('nothing'),
      expected: (state) => state.stack.at(-1) ?? 'nothing',
    },
    {
      label: 'stack count',
      askSync: (store) => stack(store).count(),
      expected: (state) => state.stack.length,
    },
  ],
}
