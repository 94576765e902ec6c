import type { WriteOptions } from '../engine/index.ts'
import type { QueueItems } from './queue-items.ts'

/** What the consumer needs of its queue. */
export interface ConsumerParts {
  readonly items: QueueItems
  readonly leaseMs: number
  readonly signal: AbortSignal | undefined
  write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T>
}

const noMore = { done: true, value: undefined } as const

/**
 * One loop over a queue. Asking for the next item says that the one before is done: acknowledging it and leasing the next
 * are one record. Leaving the loop says that it is not. One call runs at a time, in order.
 */
export class QueueConsumer<V> implements AsyncIterableIterator<V, undefined> {
  readonly #parts: ConsumerParts
  readonly #onAbort = () => this.#wake?.()
  /** Number of the lease of the item whose loop body runs. */
  #held: number | undefined
  #left = false
  #wake: (() => void) | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    parts.signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Rejects, and ends the loop, when the lease of the item before ran out and somebody else has it. */
  next(): Promise<IteratorResult<V, undefined>> {
    this.#parts.items.engine.refuseInTransaction('consume()')
    return this.#inTurn(async () => {
      try {
        return await this.#next()
      } catch (error) {
        this.#leave()
        throw error
      }
    })
  }

  /** Gives back the item whose loop body did not come to its end. */
  return(): Promise<IteratorResult<V, undefined>> {
    this.#parts.items.engine.refuseInTransaction('consume()')
    this.#leave()
    return this.#inTurn(async () => {
      const held = this.#held
      this.#held = undefined
      if (held !== undefined) await this.#giveBack(held)
      return noMore
    })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #next(): Promise<IteratorResult<V, undefined>> {
    const { items } = this.#parts
    for (;;) {
      const done = this.#held
      this.#held = undefined
      if (this.#isOver) {
        if (done !== undefined) await this.#parts.write(undefined, () => items.ack(done))
        this.#leave()
        return noMore
      }
      if (done === undefined && items.count() === 0) {
        await this.#wait()
        continue
      }
      const lease = await this.#parts.write(undefined, () => this.#handOver(done))
      if (lease === undefined) continue
      if (!this.#isOver) {
        this.#held = lease.number
        return { done: false, value: lease.value as V }
      }
      await this.#giveBack(lease.number)
    }
  }

  get #isOver(): boolean {
    return this.#left || this.#parts.signal?.aborted === true
  }

  #handOver(done: number | undefined): ReturnType<QueueItems['lease']> {
    const { items, leaseMs } = this.#parts
    if (done !== undefined) items.ack(done)
    return items.count() === 0 ? undefined : items.lease(leaseMs)
  }

  async #wait(): Promise<void> {
    const { woken, stop } = this.#parts.items.waiters.wait()
    this.#wake = stop
    try {
      await woken
    } finally {
      this.#wake = undefined
    }
  }

  /** Nothing to do for one that ran out: it is back already. */
  #giveBack(number: number): Promise<void> {
    const { items } = this.#parts
    return this.#parts.write(undefined, () => {
      if (items.isHeld(number)) items.nack(number)
    })
  }

  #leave(): void {
    this.#left = true
    this.#parts.signal?.removeEventListener('abort', this.#onAbort)
    this.#wake?.()
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(step)
    this.#turn = result.catch(() => undefined)
    return result
  }
}
