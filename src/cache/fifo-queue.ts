import type { WriteOptions } from '../engine/index.ts'
import type { Caches } from './caches.ts'
import { checkOptions, LeveledWrites, WriteLevels } from './leveled-writes.ts'
import { QueueConsumer } from './queue-consumer.ts'
import { QueueDeadLetters } from './queue-dead-letters.ts'
import { itemMissing, QueueItems } from './queue-items.ts'
import { QueueLease } from './queue-lease.ts'
import type { ConsumeOptions, Lease, LeaseOptions, Queue, QueueOptions } from './types.ts'

/** Looking for the next item and removing it is one synchronous step, so no two calls get the same item. */
export class FifoQueue<V = unknown> implements Queue<V> {
  readonly name: string
  readonly deadLetters: QueueDeadLetters<V>
  readonly #items: QueueItems
  readonly #writes: LeveledWrites

  constructor(caches: Caches, name: string, options: QueueOptions) {
    checkOptions(options, 'queue', ['maxDeliveries'])
    const maxDeliveries = checkedDeliveries(options.maxDeliveries)
    const levels = new WriteLevels(options.durability)
    this.name = name
    this.#items = new QueueItems(caches, name, maxDeliveries, levels.isVolatile)
    this.#writes = new LeveledWrites(this.#items.fresh, levels)
    this.deadLetters = new QueueDeadLetters(this.#items, this.#writes)
  }

  add(value: V, options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => this.#items.add(value))
  }

  addMany(values: readonly V[], options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => {
      if (!Array.isArray(values)) throw new TypeError('addMany takes an array of values')
      for (const value of values) this.#items.add(value)
    })
  }

  take(fallback?: V, options?: WriteOptions): Promise<V | undefined> {
    return this.#writes.run(options, () => this.#items.take(fallback) as V | undefined)
  }

  peek(fallback?: V): Promise<V | undefined> {
    const { engine } = this.#items
    return engine.inTransaction ? engine.write(undefined, () => this.#peekNow(fallback)) : this.#peek(fallback)
  }

  count(): number {
    this.#items.engine.assertReadable()
    return this.#items.count()
  }

  drain(options?: WriteOptions): Promise<V[]> {
    return this.#writes.run(options, () => {
      const values: V[] = []
      for (let left = this.#items.count(); left > 0; left--) values.push(this.#items.take(undefined) as V)
      if (values.length === 0) this.#items.take(undefined)
      return values
    })
  }

  lease(options: LeaseOptions): Promise<Lease<V> | undefined> {
    return this.#writes.run(undefined, () => {
      const lease = this.#items.lease(checkedLeaseMs(options))
      return lease === undefined ? undefined : new QueueLease<V>(this.#items, this.#writes, lease)
    })
  }

  consume(options: ConsumeOptions): QueueConsumer<V> {
    this.#items.engine.refuseInTransaction('consume()')
    const leaseMs = checkedLeaseMs(options)
    const { signal } = options
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new TypeError('the option signal must be an AbortSignal')
    }
    const write: LeveledWrites['run'] = (level, fn) => this.#writes.run(level, fn)
    return new QueueConsumer<V>({ items: this.#items, leaseMs, signal, write })
  }

  #peekNow(fallback: V | undefined): V | undefined {
    const head = this.#items.head()
    return head === undefined ? fallback : (this.#items.valueAt(head.space, head.key) as V)
  }

  async #peek(fallback: V | undefined): Promise<V | undefined> {
    const items = this.#items
    items.engine.assertReadable()
    for (let head = items.head(); head !== undefined; ) {
      const { space, key } = head
      // Which one is next rests on the removal of those before it.
      const [entry] = await Promise.all([space.fetch(key), ...items.removals()])
      if (entry !== undefined) return items.valueOf(space, entry) as V
      // It was taken meanwhile.
      head = items.head()
      if (head?.space === space && head.key === key) throw itemMissing(space, key)
    }
    await Promise.all(items.removals())
    return fallback
  }
}

function checkedDeliveries(value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`the option maxDeliveries must be a whole number above 0, not ${String(value)}`)
}

function checkedLeaseMs(options: LeaseOptions): number {
  const leaseMs: unknown = typeof options === 'object' && options !== null ? options.leaseMs : undefined
  if (typeof leaseMs === 'number' && leaseMs > 0 && Number.isFinite(leaseMs)) return leaseMs
  throw new TypeError(`the option leaseMs must be a number of milliseconds above 0, not ${String(leaseMs)}`)
}
