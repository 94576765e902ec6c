/**
 * Keys of the index of deadlines, and the nearest of them in memory: a heap with a bound. What is in it may have gone from
 * the index since; what is below its horizon and in the index is in it. Pure.
 */
import { decodeKey, encodeKey } from '../codec/index.ts'
import { deadlineDomain } from './names.ts'

export interface Deadline {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of the space, and the encoded key in it. */
  readonly domain: string
  readonly encoded: string
}

const atBytes = encodeKey(0).length
/** Above every key of the index. */
export const indexEnd = `${deadlineDomain}\xff`

/** In order of time. */
export function indexKey(at: number, domain: string, encoded: string): string {
  return deadlineDomain + encodeKey(at) + domain + encoded
}

export function parseIndexKey(key: string): Deadline {
  const rest = key.slice(deadlineDomain.length + atBytes)
  const slash = rest.indexOf('/') + 1
  return { at: timeOf(key), domain: rest.slice(0, slash), encoded: rest.slice(slash) }
}

function timeOf(key: string): number {
  return decodeKey(key.slice(deadlineDomain.length, deadlineDomain.length + atBytes)) as number
}

interface Item {
  readonly at: number
  readonly key: string
}

export class DeadlineWindow {
  readonly #max: number
  #heap: Item[] = []
  /** Every key of the index below it is in the heap. */
  #horizon: string = deadlineDomain
  #horizonAt = Number.NEGATIVE_INFINITY

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#heap.length
  }

  get horizon(): string {
    return this.#horizon
  }

  /** All of the index is in here. */
  get isWhole(): boolean {
    return this.#horizon === indexEnd
  }

  /** Of the nearest; Infinity when there is none. */
  get next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY
  }

  /** Whether nothing up to `now` can be in the index without being in here. */
  reaches(now: number): boolean {
    return this.#horizonAt > now
  }

  /** A key that was just put into the index. False when it is beyond the horizon, and so not taken. */
  add(at: number, key: string): boolean {
    if (key >= this.#horizon) return false
    this.#push({ at, key })
    if (this.#heap.length > this.#max) this.#trim()
    return true
  }

  /** Keys that the index has from the horizon on; `end` says that there are no more after them. */
  extend(keys: readonly string[], end: boolean): void {
    const last = keys.at(-1)
    if (end || last === undefined) this.#moveHorizon(indexEnd)
    else this.#moveHorizon(`${last}\x00`)
    for (const key of keys) this.#push({ at: timeOf(key), key })
  }

  /** Takes the nearest out. */
  pop(): string | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return undefined
    if (heap.length > 0) this.#sink(last)
    return first.key
  }

  /** All that is due at `now`, in no order. */
  *due(now: number): Generator<string, void, undefined> {
    for (const { at, key } of this.#heap) if (at <= now) yield key
  }

  /** Forgets everything: the index has to be read from its beginning. */
  reset(): void {
    this.#heap = []
    this.#horizon = deadlineDomain
    this.#horizonAt = Number.NEGATIVE_INFINITY
  }

  /** The farther half goes; the index has it. */
  #trim(): void {
    // A sorted array is a heap.
    this.#heap.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    const kept = this.#max >> 1
    this.#moveHorizon((this.#heap[kept] as Item).key)
    this.#heap.length = kept
  }

  #moveHorizon(key: string): void {
    this.#horizon = key
    this.#horizonAt = key === indexEnd ? Number.POSITIVE_INFINITY : timeOf(key)
  }

  #push(item: Item): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(item)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if ((heap[parent] as Item).key <= item.key) break
      heap[i] = heap[parent] as Item
      i = parent
    }
    heap[i] = item
  }

  #sink(item: Item): void {
    const heap = this.#heap
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Item).key < (heap[child] as Item).key) child++
      if ((heap[child] as Item).key >= item.key) break
      heap[i] = heap[child] as Item
      i = child
    }
    heap[i] = item
  }
}
