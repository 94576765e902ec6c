/**
 * Goal: a stack is an array with a top and records are a Map, whatever is done to them, over restarts and power cuts.
 * Method: random operations, several under way at once, against an array and a Map.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Key, Store } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { hardlyAnyMemory, StructureWorld } from '../support/structure-world.ts'

interface Item {
  readonly key: Key
  readonly value: unknown
  readonly pad: string
}

/** What was under way is awaited before the machine stops: then everything is acknowledged and must stay. */
class Run {
  readonly world: StructureWorld
  stack: unknown[] = []
  items = new Map<string, Item>()
  #pending: Promise<unknown>[] = []

  constructor(world: StructureWorld) {
    this.world = world
  }

  get store(): Store {
    return this.world.store
  }

  later(promise: Promise<unknown>, ...expected: unknown[]): void {
    this.#pending.push(promise.then((answer) => expected.length > 0 && expect(answer).toStrictEqual(expected[0])))
  }

  async settle(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    await Promise.all(pending)
  }

  sorted(): Item[] {
    return keys.map((key) => this.items.get(nameOf(key))).filter((item) => item !== undefined)
  }
}

type Step = (run: Run) => unknown

const keys: readonly Key[] = [null, false, -1, 0, 7n, Uint8Array.of(1), 'a', 'b', ['a']]
const nameOf = (key: Key): string =>
  String(keys.findIndex((other) => JSON.stringify(other, big) === JSON.stringify(key, big)))
const big = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
const value = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, -0, Number.NaN, 'text', true),
  fc.constant({ a: [1, new Date(5)] }),
  fc.constant(new Map([[1, new Set(['x'])]])),
)
const none = 'none'

const stackStep: fc.Arbitrary<Step> = fc.oneof(
  ...[1, 2].map(() =>
    value.map((pushed) => (run: Run) => {
      run.stack = [...run.stack, pushed]
      run.later(run.store.stack('s').push(pushed))
    }),
  ),
  fc.array(value, { maxLength: 4 }).map((list) => (run: Run) => {
    run.stack = [...run.stack, ...list]
    run.later(run.store.stack('s').pushMany(list))
  }),
  fc.constantFrom<Step>(
    (run) => {
      const top = run.stack.length > 0 ? run.stack.at(-1) : none
      run.stack = run.stack.slice(0, -1)
      run.later(run.store.stack('s').pop(none), top)
    },
    (run) => run.later(run.store.stack('s').peek(none), run.stack.length > 0 ? run.stack.at(-1) : none),
    (run) => expect(run.store.stack('s').count()).toBe(run.stack.length),
    (run) => {
      const expected = [...run.stack].reverse()
      run.stack = []
      run.later(run.store.stack('s').drain(), expected)
    },
    (run) => {
      const stack = run.store.stack('s')
      const failed = run.store.transact(() => {
        for (const each of [stack.push(1), stack.pop(), stack.pop(), stack.push(2), stack.drain()]) void each
        throw new Error('taken back')
      })
      run.later(failed.catch(() => undefined))
    },
  ),
)

const item = fc.record({ key: fc.constantFrom(...keys), value, pad: fc.constant('p'.repeat(300)) })
const recordStep: fc.Arbitrary<Step> = fc.oneof(
  ...[1, 2].map(() =>
    item.map((added: Item) => (run: Run) => {
      run.items.set(nameOf(added.key), added)
      run.later(run.store.records<Item>('o', { key: 'key' }).add(added))
    }),
  ),
  fc.constantFrom(...keys).map((key) => (run: Run) => {
    const records = run.store.records<Item>('o', { key: 'key' })
    expect(records.getSync(key)).toStrictEqual(run.items.get(nameOf(key)))
    run.later(records.get(key), run.items.get(nameOf(key)))
  }),
  fc.constantFrom(...keys).map((key) => (run: Run) => {
    run.later(run.store.records('o', { key: 'key' }).remove(key), run.items.delete(nameOf(key)))
  }),
  fc.constantFrom<Step>(
    (run) => run.later(run.store.records('o', { key: 'key' }).getAll(), run.sorted()),
    (run) => expect(run.store.records('o', { key: 'key' }).count()).toBe(run.items.size),
    async (run) => {
      await run.store.records('o', { key: 'key' }).removeAll()
      run.items.clear()
    },
  ),
)

const machineStep: fc.Arbitrary<Step> = fc.constantFrom<Step>(
  (run) => run.settle(),
  (run) => run.later(run.store.checkpoint()),
  async (run) => {
    await run.settle()
    await run.world.reopen()
  },
  async (run) => {
    await run.settle()
    await run.world.crash('strict')
  },
  async (run) => {
    await run.settle()
    await run.world.crash('subset')
  },
)

test(
  'a stack is what an array is and records what a Map is, over restarts and power cuts',
  async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: stackStep },
      { weight: 6, arbitrary: recordStep },
      { weight: 3, arbitrary: machineStep },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (list, isSmall) => {
        const world = await StructureWorld.open(isSmall ? hardlyAnyMemory : {})
        const run = new Run(world)
        try {
          for (const each of list) await each(run)
          await run.settle()
          await world.reopen()
          expect(await run.store.records('o', { key: 'key' }).getAll()).toStrictEqual(run.sorted())
          expect(await run.store.stack('s').drain()).toStrictEqual([...run.stack].reverse())
          expect((await run.store.verify()).problems).toEqual([])
        } finally {
          await run.settle().catch(() => undefined)
          await world.store.close()
        }
      }),
      { numRuns: effort(20, 100) },
    )
  },
  effort(30_000, 180_000),
)
