/**
 * What the crash workload does to the cache structures. An operation says what it makes true before it is called, and
 * checks its own answer; it is taken alone, or several together in a transaction or in one turn.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import {
  bags,
  boundedDump,
  keyValueDumps,
  keyValueOperations,
  keyValueSteps,
  marked,
  values,
  volatile,
} from './store-steps-cache-kv.ts'
import { queue, queueOperations, queueProof, queueSteps } from './store-steps-cache-queue.ts'
import { people, recordDump, recordOperations, recordSteps } from './store-steps-cache-records.ts'
import { stack, stackOperations, stackProof } from './store-steps-cache-stack.ts'
import { indexed, tableDumps, tableOperations, tableSteps } from './store-steps-cache-table.ts'
import type { Operation, OperationKind, Operations } from './store-operation.ts'
import type { StoreModel } from './store-facts.ts'
import type { Dump, Proof, StepKind } from './store-steps.ts'

const operations: Operations = [
  ...keyValueOperations,
  ...tableOperations,
  ...queueOperations,
  ...stackOperations,
  ...recordOperations,
]

const alone: readonly StepKind[] = operations.map(({ name, weight, make, rests }) => ({
  ...{ name, weight },
  run: (store, random, model) => {
    const { effects, call } = make(store, random, model)
    return model.write(store, random, effects, (durability) => call({ durability }), rests)
  },
}))

/** One of each structure: they do not know of each other. */
function severalOf(
  store: Store,
  random: Prng,
  model: StoreModel,
  fits: (kind: OperationKind) => boolean = () => true,
): Operation[] {
  const kinds = [keyValueOperations, tableOperations, queueOperations, stackOperations, recordOperations]
  const chosen = kinds.filter(() => random.below(3) > 0)
  return (chosen.length > 0 ? chosen : kinds).map((list) => {
    const fitting = list.filter(fits)
    return (fitting[random.below(fitting.length)] as OperationKind).make(store, random, model)
  })
}

/** All in one record, with an entry that is in no log. */
async function together(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const several = severalOf(store, random, model)
  const effects = several.flatMap((each) => each.effects)
  await model.write(store, random, effects, async (durability) => {
    const answers: Promise<unknown>[] = []
    const done = store.transact(
      () => {
        for (const { call } of several) answers.push(call(undefined))
        void volatile(store).set(random.below(8), 1)
      },
      { durability },
    )
    await done
    await Promise.all(answers)
  })
}

/** Everything is taken back, and what is counted with it. */
async function takenBack(store: Store, random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const several = severalOf(store, random, model)
  const before = countsOf(store)
  const { lastSequence } = store
  const thrown = new Error('taken back')
  const failed = store.transact(() => {
    for (const { call } of several) void call(undefined).catch(() => undefined)
    throw thrown
  })
  if (store.lastSequence !== lastSequence) throw new Error('a transaction that threw left a record')
  if (!isDeepStrictEqual(countsOf(store), before)) throw new Error('a transaction that threw left its counts')
  const error: unknown = await failed.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error !== thrown) throw new Error('a transaction that threw did not reject with that', { cause: error })
}

/**
 * In one turn: buffered writes, which share a record, among them one that fails half way, then one at `sync`, which
 * comes after them in the log.
 */
async function burst(store: Store, random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const several = severalOf(store, random, model, ({ alwaysSync }) => alwaysSync !== true)
  // Of the same entry: one must be under the other.
  const [first, last] = [marked(store, random), marked(store, random)]
  const effects = [first, ...several].flatMap((each) => each.effects)
  await model.writeTogether(store, effects, last.effects, () => {
    const buffered = [first, ...several].map(({ call }) => call({ durability: 'buffered' }))
    const broken = [['never', 1], 'no pair'] as unknown as [string, number][]
    const refused = values(store)
      .setMany(broken, { durability: 'buffered' })
      .then(
        () => Promise.reject(new Error('what is no pair was set')),
        (error: unknown) => (error instanceof TypeError ? undefined : Promise.reject(error as Error)),
      )
    return { buffered: [...buffered, refused], synced: last.call({ durability: 'sync' }) }
  })
}

function countsOf(store: Store): number[] {
  const structures = [values(store), bags(store), indexed(store), queue(store), stack(store), people(store)]
  return structures.map((each) => each.count())
}

/** Deadlines come, leases run out. */
async function later(_store: Store, random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  model.pass(400 * (1 + random.below(4)))
}

export const cacheSteps: readonly StepKind[] = [
  ...alone,
  ...keyValueSteps,
  ...tableSteps,
  ...queueSteps,
  ...recordSteps,
  { name: 'together', weight: 8, run: together },
  { name: 'taken-back', weight: 3, run: takenBack },
  { name: 'burst', weight: 6, run: burst },
  { name: 'later', weight: 3, run: later },
]

export const cacheDumps: readonly Dump[] = [...keyValueDumps, boundedDump, ...tableDumps, recordDump]

export const cacheProofs: readonly Proof[] = [queueProof, stackProof]
