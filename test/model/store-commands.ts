/** What concerns a store as a whole: transactions, batches, flushing, its own checks, the passing of time. */
import fc from 'fast-check'
import { type Command, command, durability, options, suffix, type Weighted } from './command.ts'
import type { Effect, Level, Write } from './operation.ts'
import type { State } from './state.ts'
import type { World } from './world.ts'
import type { Store } from '../../src/index.ts'

interface Plan {
  readonly writes: readonly Write[]
  /** Refused writes are caught and the rest goes on; else the first refusal ends the transaction. */
  readonly catches: boolean
  /** The function throws when it has done everything. */
  readonly throws: boolean
  readonly durability: Level | undefined
}

const thrown = 'the transaction changed its mind'
const strength: readonly (Level | undefined)[] = ['buffered', 'os', 'sync']

function transactionEffect({ writes, catches, throws }: Plan, before: State, store: Store): Effect {
  let state = before
  const answers: unknown[] = []
  for (const write of writes) {
    const effect = write.effect(state, store)
    if ('refused' in effect) {
      if (!catches) return effect
      answers.push('refused')
      continue
    }
    ;({ state } = effect)
    answers.push(effect.answer)
  }
  return throws ? { refused: `Error: ${thrown}` } : { state, answer: answers }
}

/** The writes' own promises settle with the transaction: their answers are part of its answer. */
async function runTransaction(store: Store, { writes, catches, throws, durability: level }: Plan): Promise<unknown> {
  const inner: Promise<unknown>[] = []
  const done = store.transact(() => {
    for (const write of writes) {
      try {
        inner.push(write.call(store))
      } catch (error) {
        if (!catches) throw error
        inner.push(Promise.resolve('refused'))
      }
    }
    if (throws) throw new Error(thrown)
  }, options(level))
  await done
  return Promise.all(inner)
}

/** The strongest that anything in it asked for. */
function levelOf({ writes, durability: level }: Plan, world: World): Level {
  const wanted = [level ?? world.settings.durability, ...writes.map((write) => write.durability)]
  return wanted.reduce((a, b) => (strength.indexOf(b) > strength.indexOf(a) ? b : a)) as Level
}

function transactCommand(plan: Plan, wait: boolean): Command {
  const { writes, catches, throws } = plan
  const how = `${catches ? ', catching' : ''}${throws ? ', then throw' : ''}${suffix(plan.durability)}`
  const label = `${wait ? 'await ' : ''}transact {${writes.map((write) => write.label).join(' | ')}}${how}`
  return command(label, (world) =>
    world.follow(
      world.transact(
        label,
        levelOf(plan, world),
        (store) => runTransaction(store, plan),
        (state) => transactionEffect(plan, state, world.store),
      ),
      wait,
    ),
  )
}

/** Many writes in one step, so that they come together in groups. */
function batchCommand(writes: readonly Write[], wait: boolean): Command {
  const label = `${wait ? 'await ' : ''}batch of ${writes.length} [${writes.map((write) => write.label).join(' | ')}]`
  return command(label, async (world) => {
    await world.follow(
      Promise.all(writes.map((write) => world.write(write))).then(() => undefined),
      wait,
    )
  })
}

function flushCommand(what: 'sync' | 'checkpoint', wait: boolean): Command {
  return command(`${wait ? 'await ' : ''}${what}`, (world) =>
    world.follow(
      world.flush(what, (store) => (what === 'sync' ? store.sync() : store.checkpoint())),
      wait,
    ),
  )
}

const verifyCommand = command('verify', async (world) => {
  await world.settle()
  await world.verify()
})

const checkAll = command('ask everything', async (world) => {
  await world.settle()
  if (world.store.status === 'open' && !world.machine.troubled) await world.assertHolds('in the middle of a run')
})

const settleCommand = command('await everything', (world) => world.settle())

const watchFrom = fc
  .double({ min: 0, max: 1, noNaN: true })
  .map((share) => command(`watch from ${Math.round(share * 100)} % of the log`, (world) => world.watch(share)))

const passTime = fc
  .constantFrom(1, 6, 30, 1200)
  .map((milliseconds) => command(`${milliseconds} ms pass`, (world) => world.pass(milliseconds)))

const elapse = fc
  .constantFrom(20, 100, 1000)
  .map((milliseconds) => command(`the clock goes on ${milliseconds} ms`, (world) => world.elapse(milliseconds)))

export function storeCommands(writes: fc.Arbitrary<Write>): Weighted[] {
  const plan: fc.Arbitrary<Plan> = fc.record({
    writes: fc.array(writes, { minLength: 1, maxLength: 5 }),
    catches: fc.boolean(),
    throws: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    durability,
  })
  const batch = fc.oneof(
    { weight: 3, arbitrary: fc.array(writes, { minLength: 2, maxLength: 8 }) },
    { weight: 1, arbitrary: fc.array(writes, { minLength: 8, maxLength: 64, size: 'max' }) },
  )
  const what = fc.constantFrom('sync' as const, 'checkpoint' as const)
  return [
    { weight: 6, arbitrary: fc.tuple(plan, fc.boolean()).map(([each, wait]) => transactCommand(each, wait)) },
    { weight: 4, arbitrary: fc.tuple(batch, fc.boolean()).map(([list, wait]) => batchCommand(list, wait)) },
    { weight: 4, arbitrary: fc.tuple(what, fc.boolean()).map(([each, wait]) => flushCommand(each, wait)) },
    { weight: 1, arbitrary: fc.constant(verifyCommand) },
    { weight: 1, arbitrary: fc.constant(checkAll) },
    { weight: 2, arbitrary: fc.constant(settleCommand) },
    { weight: 2, arbitrary: watchFrom },
    { weight: 2, arbitrary: passTime },
    { weight: 2, arbitrary: elapse },
  ]
}
