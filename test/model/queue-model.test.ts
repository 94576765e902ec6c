/** Random calls of a queue against a model on plain arrays: leases, transactions, restarts and power cuts included. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasCode } from '../../src/base/index.ts'
import type { Lease, OpenOptions, Queue, Store } from '../../src/index.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { type KvWorld, kvWorld, turns } from '../unit/cache/kv-world.ts'
import { maxDeliveries, QueueModel } from './queue-model.ts'

type Call =
  | { readonly do: 'add'; readonly count: number }
  | { readonly do: 'take' | 'peek' | 'drain' | 'redeliver' | 'clear' }
  | { readonly do: 'lease'; readonly leaseMs: number }
  | { readonly do: 'ack' | 'nack'; readonly which: number }

type Step =
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'transact'; readonly calls: readonly Call[]; readonly throws: boolean }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'sync' | 'checkpoint' | 'reopen' | 'crash' }

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('lease' as const), leaseMs: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('ack' as const, 'nack' as const), which: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom<'peek' | 'redeliver'>('peek', 'redeliver') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom<'drain' | 'clear'>('drain', 'clear') }) },
)

const anyStep = (whole: 'reopen' | 'sync'): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('call' as const), call: anyCall }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('transact' as const),
        calls: fc.array(anyCall, { minLength: 1, maxLength: 5 }),
        throws: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom(...(whole === 'sync' ? (['sync'] as const) : (['checkpoint', 'reopen', 'crash'] as const))),
      }),
    },
  )

class Run {
  world: KvWorld
  model = new QueueModel()
  /** As it was after each step since everything was last known to be durable. */
  history: QueueModel[] = []
  readonly #leases: { id: number; lease: Lease<number>; ended?: string }[] = []
  #next = 0

  constructor(world: KvWorld) {
    this.world = world
    this.history.push(this.model.clone())
  }

  get store(): Store {
    return this.world.store
  }

  get queue(): Queue<number> {
    return this.store.queue('q', { maxDeliveries })
  }

  async step(step: Step): Promise<void> {
    if (step.do === 'call') await this.call(step.call)()
    else if (step.do === 'transact') await this.#transact(step.calls, step.throws)
    else if (step.do === 'advance') this.#advance(step.ms)
    else if (step.do === 'checkpoint') await this.store.checkpoint()
    else if (step.do === 'sync') await this.store.sync()
    else {
      this.world = await (step.do === 'reopen' ? this.world.reopen() : this.world.crash('strict'))
      // Those who held leases are gone.
      this.#leases.length = 0
    }
    if (step.do === 'sync') this.history = []
    this.history.push(this.model.clone())
    expect([this.queue.count(), this.queue.deadLetters.count()]).toEqual([this.model.count, this.model.deadList.length])
  }

  /** Calls the queue and the model; answers how to check what the queue answers. */
  call(call: Call): () => Promise<void> {
    const { queue, model } = this
    const equal = (answer: Promise<unknown>, expected: unknown) => async () => expect(await answer).toEqual(expected)
    switch (call.do) {
      case 'add': {
        const values = Array.from({ length: call.count }, () => this.#next++)
        model.fresh.push(...values)
        return equal(values.length === 1 ? queue.add(values[0] as number) : queue.addMany(values), undefined)
      }
      case 'take':
        return equal(queue.take(-1), model.next()?.value ?? -1)
      case 'peek':
        return equal(queue.peek(-1), model.peek() ?? -1)
      case 'drain':
        return equal(queue.drain(), model.drain())
      case 'redeliver':
        return equal(queue.deadLetters.redeliver(), model.redeliver())
      case 'clear':
        model.clearDead()
        return equal(queue.deadLetters.clear(), undefined)
      case 'lease':
        return this.#lease(call.leaseMs)
      default:
        return this.#end(call.do, call.which)
    }
  }

  /** Everything, destructively: dead letters, and what can be had once all leases ran out. */
  async contents(): Promise<readonly [dead: number[], rest: number[]]> {
    this.#advance(1000)
    return [await this.queue.deadLetters.list(), await this.queue.drain()]
  }

  #lease(leaseMs: number): () => Promise<void> {
    const answer = this.queue.lease({ leaseMs })
    const id = this.#next++
    const expected = this.model.lease(id, leaseMs)
    return async () => {
      const lease = await answer
      expect([lease?.value, lease?.deliveries, lease?.deadline]).toEqual([
        ...[expected?.value, expected?.deliveries, expected?.deadline],
      ])
      if (lease !== undefined) this.#leases.push({ id, lease })
    }
  }

  #end(how: 'ack' | 'nack', which: number): () => Promise<void> {
    const held = this.#leases[which % Math.max(1, this.#leases.length)]
    if (held === undefined) return async () => undefined
    const stands = held.ended === how || (held.ended === undefined && this.model.end(held.id, how))
    if (stands) held.ended = how
    let done: Promise<void>
    try {
      done = held.lease[how]()
    } catch (error) {
      // As it is inside a transaction.
      done = Promise.reject(error)
    }
    const outcome = done.then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, 'HOLDFAST_LEASE_LOST')) return false
        throw error
      },
    )
    // Of a transaction that throws nobody looks.
    outcome.catch(() => undefined)
    return async () => expect(await outcome).toBe(stands)
  }

  async #transact(calls: readonly Call[], throws: boolean): Promise<void> {
    const before = this.model.clone()
    const endedBefore = this.#leases.map(({ ended }) => ended)
    const checks: (() => Promise<void>)[] = []
    const done = this.store.transact(() => {
      for (const each of calls) checks.push(this.call(each))
      if (throws) throw new Error('on purpose')
    })
    if (!throws) {
      await done
      for (const check of checks) await check()
      return
    }
    await expect(done).rejects.toThrow('on purpose')
    this.model = before
    this.#leases.forEach((held, i) => {
      if (endedBefore[i] === undefined) delete held.ended
    })
  }

  #advance(ms: number): void {
    this.world.clock.advance(ms)
    this.model.now += ms
  }
}

function contentsOf(model: QueueModel): readonly [number[], number[]] {
  const copy = model.clone()
  copy.now += 1000
  return [copy.deadList, copy.drain()]
}

async function begin(options: OpenOptions): Promise<Run> {
  return new Run(await kvWorld({ segmentBytes: 64 * 1024, ...options }))
}

describe('a queue under random calls', () => {
  test('does what its model does, through restarts and power cuts', async (context) => {
    let calls = 0
    const runs = effort(40, 1000)
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep('reopen'), { minLength: 20, maxLength: 60, size: 'max' }), async (steps) => {
        const run = await begin({})
        for (const each of steps) await run.step(each)
        calls += steps.length
        expect((await run.store.verify()).problems).toEqual([])
        const expected = contentsOf(run.model)
        run.world = await run.world.crash('strict')
        expect(await run.contents()).toEqual(expected)
        await run.store.close()
      }),
      { numRuns: runs, seed: 4711 + firstSeed() },
    )
    reportLayer(context, 'L5', { 'queue histories': runs, 'queue calls': calls })
  })

  test('at level buffered is after a power cut as it was at some moment since the last sync', async (context) => {
    const runs = effort(40, 1000)
    let lossy = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyStep('sync'), { minLength: 10, maxLength: 40, size: 'max' }),
        fc.constantFrom('strict' as const, 'all' as const, 'subset' as const),
        async (steps, mode) => {
          const run = await begin({ durability: 'buffered', bufferedIntervalMs: 1e9 })
          for (const [i, each] of steps.entries()) {
            await run.step(each)
            if (i % 5 === 0) await turns(1)
          }
          const possible = run.history.map((model) => {
            model.now = run.model.now
            return JSON.stringify(contentsOf(model))
          })
          run.world = await run.world.crash(mode)
          const found = JSON.stringify(await run.contents())
          if (found !== possible.at(-1)) lossy++
          expect(possible).toContain(found)
          expect((await run.store.verify()).problems).toEqual([])
          await run.store.close()
        },
      ),
      { numRuns: runs, seed: 815 + firstSeed() },
    )
    expect(lossy).toBeGreaterThan(0)
    reportLayer(context, 'L5', { 'queue power cuts': runs })
  })
})
