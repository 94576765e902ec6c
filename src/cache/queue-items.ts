/**
 * The items of one queue in their four spaces, one synchronous step at a time: what `FifoQueue` builds its calls of. An
 * item is in exactly one of them and goes from one to another in one record, so none is ever lost or there twice.
 * Format: docs/format.md, "Queues".
 */
import { encodeKey, type Key } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Caches } from './caches.ts'
import { letter } from './names.ts'
import { damaged } from './payload.ts'
import { HeldItem, QueueLeases } from './queue-leases.ts'
import { leaseLost } from './queue-lost.ts'
import { QueueWaiters } from './queue-waiters.ts'
import type { Space } from './space.ts'

/** As stored but for items never handed out, which are their value alone. `at`: returned, died, or the lease runs out. */
type StoredItem = readonly [deliveries: number, at: number, value: unknown]

export interface QueueItem {
  readonly value: unknown
  readonly deliveries: number
}

/** Dead letters put in their place by one call at most: each brings its value into the record. */
const buriedMax = 64

export class QueueItems {
  readonly engine: Engine
  readonly name: string
  readonly waiters: QueueWaiters
  /** In order of adding, at positions [first, last). */
  readonly fresh: Space
  /** In order of their return, at positions [first, last). */
  readonly returned: Space
  /** By number of the lease. */
  readonly leased: Space
  readonly dead: Space
  readonly #leases: QueueLeases
  readonly #maxDeliveries: number
  /** Number of the lease that ended last, to wait for when nothing is left. */
  #lastEnded = -1

  constructor(caches: Caches, name: string, maxDeliveries: number, isVolatile: boolean) {
    this.name = name
    this.fresh = caches.space(letter.queue, name, isVolatile)
    this.returned = caches.space(letter.returned, name, isVolatile)
    this.leased = caches.space(letter.leased, name, isVolatile)
    this.dead = caches.space(letter.dead, name, isVolatile)
    this.engine = this.fresh.engine
    this.#maxDeliveries = maxDeliveries
    this.#leases = new QueueLeases(maxDeliveries, isVolatile ? [] : caches.storedLeases.take(name))
    this.waiters = new QueueWaiters(this.engine, () => this.#leases.nextDeadline)
  }

  // ------------------------------------------------------------------ looking

  /** What can be handed out now. */
  count(): number {
    const waiting = this.fresh.count + this.returned.count
    return this.#leases.size === 0 ? waiting : waiting + this.#advance().due.size
  }

  /** Dead letters, and what is one but for its place. */
  deadCount(): number {
    return this.#leases.size === 0 ? this.dead.count : this.dead.count + this.#advance().spent.size
  }

  /** Where the next item lies. */
  head(): { readonly space: Space; readonly key: number } | undefined {
    const due = this.#leases.size === 0 ? undefined : this.#advance().due.first
    if (this.returned.count > 0 && (due === undefined || this.#returnedBefore(due))) return firstOf(this.returned)
    if (due !== undefined) return { space: this.leased, key: due.number }
    return this.fresh.count > 0 ? firstOf(this.fresh) : undefined
  }

  valueAt(space: Space, key: number): unknown {
    return this.valueOf(space, this.#find(space, key))
  }

  /** What was added, out of the entry of an item. */
  valueOf(space: Space, entry: Entry): unknown {
    const stored = space.valueOf(entry)
    return space === this.fresh ? stored : (stored as StoredItem)[2]
  }

  /** Whether that lease has neither ended nor gone to somebody else. */
  isHeld(number: number): boolean {
    return this.#leases.get(number) !== undefined
  }

  /** Entries of the leases whose items are dead letters but for their place, oldest first. */
  spent(): Entry[] {
    if (this.#leases.size === 0) return []
    const spent = [...this.#advance().spent.items]
    spent.sort((a, b) => a.deadline - b.deadline || a.number - b.number)
    return spent.map(({ number }) => this.#find(this.leased, number))
  }

  /** What has to be acknowledged before it is true that there is nothing to take. */
  emptiness(): (readonly [space: Space, key: number])[] {
    const last = [this.fresh, this.returned].map((space) => [space, space.ledger.first - 1] as const)
    return [...last, [this.leased, this.#lastEnded] as const].filter(([, key]) => key >= 0)
  }

  /** What a promised read that looks for the next item has to wait for. */
  removals(): Promise<void>[] {
    const latest = [this.fresh, this.returned, this.leased].map((space) => space.removalsAcknowledged())
    return latest.filter((removal) => removal !== undefined)
  }

  // ------------------------------------------------------------------ only inside `write`

  add(value: unknown): void {
    const { fresh } = this
    fresh.put(fresh.ledger.last, value, undefined)
    this.waiters.announce()
  }

  /** Removes the next item and answers its value, or `fallback`. */
  take(fallback: unknown): unknown {
    // Nearly always nothing has ever come back: then there is only one place to look.
    if (this.#leases.size === 0 && this.returned.count === 0 && this.fresh.count > 0) return this.#takeFresh()
    const item = this.next()
    return item === undefined ? fallback : item.value
  }

  /** Removes the next item. */
  next(): QueueItem | undefined {
    this.bury(buriedMax)
    const head = this.head()
    if (head === undefined) {
      for (const [space, key] of this.emptiness()) space.observeAbsence(key)
      return undefined
    }
    if (head.space === this.fresh) return { value: this.#takeFresh(), deliveries: 0 }
    const [deliveries, , value] = this.#read(head.space, head.key) as StoredItem
    if (head.space === this.leased) this.#end(this.#leases.get(head.key) as HeldItem)
    else head.space.remove(head.key)
    return { value, deliveries }
  }

  /** Hands out the next item. */
  lease(leaseMs: number): (QueueItem & { readonly number: number; readonly deadline: number }) | undefined {
    const item = this.next()
    if (item === undefined) return undefined
    const number = this.#leases.newNumber()
    const deliveries = item.deliveries + 1
    const deadline = this.engine.clock.now() + leaseMs
    const held = new HeldItem(number, deadline, deliveries)
    this.leased.put(number, [deliveries, deadline, item.value] satisfies StoredItem, undefined)
    this.#leases.add(held)
    this.engine.affect({ undo: () => this.#leases.remove(held) })
    this.waiters.arm()
    return { value: item.value, deliveries, number, deadline }
  }

  /** The item is gone for good. */
  ack(number: number): void {
    this.#end(this.#held(number))
  }

  /** The item is to be handed out again, or is dead. */
  nack(number: number): void {
    const held = this.#held(number)
    if (held.deliveries >= this.#maxDeliveries) {
      this.#bury(held)
      return
    }
    const value = this.valueAt(this.leased, number)
    this.#end(held)
    this.#put(this.returned, held.deliveries, value)
    this.waiters.announce()
  }

  /** Moves up to `max` of the items that ran out of deliveries to their place. */
  bury(max: number): void {
    if (this.#leases.size === 0) return
    const { spent } = this.#advance()
    for (let i = 0; i < max && spent.first !== undefined; i++) this.#bury(spent.first)
  }

  /** All dead letters go back to the end of the queue. */
  redeliver(): number {
    this.bury(Number.POSITIVE_INFINITY)
    const { dead } = this
    const { count } = dead
    for (let i = 0; i < count; i++) {
      const position = dead.ledger.first
      const value = this.valueAt(dead, position)
      dead.remove(position)
      this.add(value)
    }
    if (count === 0) dead.observeAbsence(dead.ledger.first - 1)
    return count
  }

  clearDead(): void {
    const { dead } = this
    if (this.#leases.size > 0) {
      const { spent } = this.#advance()
      while (spent.first !== undefined) this.#end(spent.first)
    }
    if (dead.count === 0) dead.observeAbsence(dead.ledger.first - 1)
    while (dead.count > 0) dead.remove(dead.ledger.first)
  }

  // ------------------------------------------------------------------ inside

  #takeFresh(): unknown {
    const { fresh } = this
    const position = fresh.ledger.first
    const value = this.#read(fresh, position)
    fresh.remove(position)
    return value
  }

  #bury(held: HeldItem): void {
    const value = this.valueAt(this.leased, held.number)
    this.#end(held)
    this.#put(this.dead, held.deliveries, value)
  }

  #put(space: Space, deliveries: number, value: unknown): void {
    const item: StoredItem = [deliveries, this.engine.clock.now(), value]
    space.put(space.ledger.last, item, undefined)
  }

  #end(held: HeldItem): void {
    const before = this.#lastEnded
    this.leased.remove(held.number)
    this.#leases.remove(held)
    this.#lastEnded = held.number
    this.engine.affect({
      undo: () => {
        this.#leases.add(held)
        this.#lastEnded = before
      },
    })
  }

  #held(number: number): HeldItem {
    const held = this.#leases.get(number)
    if (held === undefined) throw leaseLost(this.name, number)
    return held
  }

  /** Leases as of now. Who waits hears of it when one ran out. */
  #advance(): QueueLeases {
    if (this.#leases.advance(this.engine.clock.now())) this.waiters.wake()
    return this.#leases
  }

  #returnedBefore(due: HeldItem): boolean {
    const [, at] = this.#read(this.returned, this.returned.ledger.first) as StoredItem
    return at <= due.deadline
  }

  #read(space: Space, key: number): unknown {
    return space.valueOf(this.#find(space, key))
  }

  #find(space: Space, key: number): Entry {
    const entry = space.find(key)
    if (entry === undefined) throw itemMissing(space, key)
    return entry
  }
}

export function itemMissing(space: Space, key: Key): Error {
  return damaged(space.domain + encodeKey(key), 'an item of the queue is missing')
}

function firstOf(space: Space): { readonly space: Space; readonly key: number } {
  return { space, key: space.ledger.first }
}
