/**
 * What of a queue is handed out, in memory: each lease's number, deadline and deliveries, found by number and by
 * deadline. The entries are the truth; this follows them, through undo as well. Pure.
 */
import { assert } from '../base/index.ts'

/** One item that was handed out. */
export class HeldItem {
  readonly number: number
  /** Milliseconds since 1970. */
  readonly deadline: number
  /** How often the item has been handed out, this time included. */
  readonly deliveries: number
  /** Where it is found: only the heaps change these. */
  heap: LeaseHeap | undefined
  index = 0

  constructor(number: number, deadline: number, deliveries: number) {
    this.number = number
    this.deadline = deadline
    this.deliveries = deliveries
  }
}

/** Binary heap by deadline, then number, whose items know their places: any of them goes in logarithmic time. */
export class LeaseHeap {
  readonly #items: HeldItem[] = []

  get size(): number {
    return this.#items.length
  }

  get first(): HeldItem | undefined {
    return this.#items[0]
  }

  /** In no order. */
  get items(): readonly HeldItem[] {
    return this.#items
  }

  add(item: HeldItem): void {
    item.heap = this
    this.#place(item, this.#items.length)
    this.#rise(item)
  }

  remove(item: HeldItem): void {
    assert(item.heap === this, 'an item is removed from the heap it is in')
    item.heap = undefined
    const last = this.#items.pop() as HeldItem
    if (last === item) return
    this.#place(last, item.index)
    this.#rise(last)
    this.#sink(last)
  }

  #rise(item: HeldItem): void {
    while (item.index > 0) {
      const parent = this.#items[(item.index - 1) >> 1] as HeldItem
      if (!before(item, parent)) return
      this.#swap(item, parent)
    }
  }

  #sink(item: HeldItem): void {
    for (;;) {
      const left = this.#items[2 * item.index + 1]
      const right = this.#items[2 * item.index + 2]
      if (left === undefined) return
      const least = right !== undefined && before(right, left) ? right : left
      if (!before(least, item)) return
      this.#swap(item, least)
    }
  }

  #swap(a: HeldItem, b: HeldItem): void {
    const { index } = a
    this.#place(a, b.index)
    this.#place(b, index)
  }

  #place(item: HeldItem, index: number): void {
    this.#items[index] = item
    item.index = index
  }
}

function before(a: HeldItem, b: HeldItem): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.number < b.number)
}

export class QueueLeases {
  readonly #byNumber = new Map<number, HeldItem>()
  readonly #running = new LeaseHeap()
  /** Past their deadline, to be handed out again. */
  readonly #due = new LeaseHeap()
  /** Past their deadline with no deliveries left: dead letters in all but place. */
  readonly #spent = new LeaseHeap()
  readonly #maxDeliveries: number
  #next = 0

  constructor(maxDeliveries: number, stored: readonly HeldItem[]) {
    this.#maxDeliveries = maxDeliveries
    for (const item of stored) this.add(item)
  }

  get size(): number {
    return this.#byNumber.size
  }

  get due(): LeaseHeap {
    return this.#due
  }

  get spent(): LeaseHeap {
    return this.#spent
  }

  /** The next to run out; Infinity when none is running. */
  get nextDeadline(): number {
    return this.#running.first?.deadline ?? Number.POSITIVE_INFINITY
  }

  /** Never given twice, so that a lease that was lost is never taken for another one. */
  newNumber(): number {
    return this.#next++
  }

  get(number: number): HeldItem | undefined {
    return this.#byNumber.get(number)
  }

  add(item: HeldItem): void {
    this.#byNumber.set(item.number, item)
    if (item.number >= this.#next) this.#next = item.number + 1
    this.#running.add(item)
  }

  remove(item: HeldItem): void {
    this.#byNumber.delete(item.number)
    item.heap?.remove(item)
  }

  /** Finds out which have run out by `now`. What has run out stays so, even should the clock go back. True if any did. */
  advance(now: number): boolean {
    let item = this.#running.first
    if (item === undefined || item.deadline > now) return false
    for (; item !== undefined && item.deadline <= now; item = this.#running.first) {
      this.#running.remove(item)
      const heap = item.deliveries >= this.#maxDeliveries ? this.#spent : this.#due
      heap.add(item)
    }
    return true
  }
}
