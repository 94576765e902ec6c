/**
 * The entries of one namespace, one synchronous step at a time: what `KeyValueNamespace` builds its calls of. A bag is one
 * entry a key, holding the array of its values.
 */
import { decodeKey, encodeKey, type Key } from '../codec/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Deadlines, Expiring } from './deadlines.ts'
import type { KeyValueBounds } from './key-value-bounds.ts'
import type { KeyValueType } from './key-value-options.ts'
import { type Cause, cause } from './payload.ts'
import { NOT_AT_HAND, type Space } from './space.ts'

/** Evictions in one record where many are due at once. */
const evictedMax = 512

export interface KeyValueParts {
  readonly space: Space
  /** When a value was loaded, by its key: of those that `getOrSet` loaded with `staleMs`. */
  readonly loaded: Space
  readonly deadlines: Deadlines
  readonly type: KeyValueType
}

/** Hears of what a caller does to a key: not of expiry and eviction. */
export interface WriteListener {
  /** Whether it wants to hear of anything just now. */
  readonly isListening: boolean
  /** The record that sets or deletes the key (undefined: every key) is in the log. */
  written(key: Key | undefined): void
}

export class KeyValueEntries implements Expiring {
  readonly space: Space
  readonly isBag: boolean
  readonly type: KeyValueType
  bounds: KeyValueBounds | undefined
  listener: WriteListener | undefined
  readonly #loaded: Space
  readonly #deadlines: Deadlines
  #lastRemoved: string | undefined

  constructor(parts: KeyValueParts) {
    this.space = parts.space
    this.#loaded = parts.loaded
    this.#deadlines = parts.deadlines
    this.type = parts.type
    this.isBag = parts.type !== 'set'
  }

  /** Wall clock, milliseconds. */
  now(): number {
    return this.space.engine.clock.now()
  }

  isLive(entry: Entry): boolean {
    const deadline = this.space.deadlineOf(entry)
    return deadline === 0 || deadline > this.now()
  }

  /** The latest applied entry that is not past its deadline. */
  find(key: Key): Entry | undefined {
    return this.#used(key, this.space.find(key))
  }

  /** The same, acknowledged. */
  async fetch(key: Key): Promise<Entry | undefined> {
    return this.#used(key, await this.space.fetch(key))
  }

  /** What `fetch` answers, where that can be said at once. */
  fetchAtHand(key: Key): Entry | undefined | typeof NOT_AT_HAND {
    const entry = this.space.fetchAtHand(key)
    return entry === NOT_AT_HAND ? NOT_AT_HAND : this.#used(key, entry)
  }

  /** What reads answer: of a bag the value added last. */
  valueOf(entry: Entry): unknown {
    const value = this.space.valueOf(entry)
    return this.isBag ? (value as unknown[]).at(-1) : value
  }

  valuesOf(entry: Entry): unknown[] {
    return this.isBag ? [...(this.space.valueOf(entry) as unknown[])] : [this.space.valueOf(entry)]
  }

  /** When `getOrSet` loaded the value, milliseconds since 1970; undefined of what came otherwise. */
  async loadedAt(key: Key): Promise<number | undefined> {
    if (this.#loaded.ledger.entries === 0) return undefined
    const entry = await this.#loaded.fetch(key)
    return entry === undefined ? undefined : (this.#loaded.valueOf(entry) as number)
  }

  /** Without what is past its deadline. */
  count(): number {
    const now = this.now()
    const { space } = this
    return this.#deadlines.settle(now) ? space.count : space.count - this.#deadlines.dueIn(space.domain, now)
  }

  /** Whether no entry that a scan finds now is past its deadline. */
  settle(): boolean {
    return this.#deadlines.settle(this.now())
  }

  /** Only inside `write`. `stored`: of a bag the array of its values. `deadline` 0: none. `loadedAt` 0: not loaded. */
  put(key: Key, stored: unknown, deadline: number, loadedAt = 0): void {
    const { space } = this
    const before = space.find(key)
    const oldDeadline = before === undefined ? 0 : space.deadlineOf(before)
    const change = this.isBag ? (stored as unknown[]).length - this.#countOf(before) : undefined
    space.put(key, stored, before, deadline, change)
    if (deadline !== oldDeadline) this.#moveDeadline(key, oldDeadline, deadline)
    this.#noteLoad(key, loadedAt)
    this.#tell(key)
    this.bounds?.wrote(key, stored, (victim) => this.#evict(victim))
  }

  /** Only inside `write`, of a key that is there, past its deadline or not. */
  remove(key: Key, entry: Entry, why: Cause = cause.delete): void {
    const { space } = this
    const count = this.#countOf(entry)
    const deadline = space.deadlineOf(entry)
    this.#lastRemoved = encodeKey(key)
    space.remove(key, this.isLive(entry) ? why : cause.expire, -count)
    if (deadline !== 0) this.#moveDeadline(key, deadline, 0)
    this.#noteLoad(key, 0)
    if (why === cause.delete) this.#tell(key)
    this.bounds?.removed(key)
  }

  /** Only inside `write`: a delete that found nothing. */
  absent(key: Key): void {
    this.space.observeAbsence(key)
    this.#tell(key)
  }

  /** Only inside `write`: everything there was has been removed. What has gone before is part of that. */
  cleared(): void {
    this.#tell(undefined)
    if (this.#lastRemoved !== undefined) this.space.observeAbsence(decodeKey(this.#lastRemoved))
  }

  expire(encoded: string, at: number): void {
    const key = decodeKey(encoded)
    const entry = this.space.find(key)
    if (entry !== undefined && this.space.deadlineOf(entry) === at) this.remove(key, entry, cause.expire)
  }

  expires(encoded: string, at: number): number {
    const entry = this.space.find(decodeKey(encoded))
    return entry !== undefined && this.space.deadlineOf(entry) === at ? this.#countOf(entry) : 0
  }

  /** Learns what is there from before this opening, then evicts until the bounds hold. */
  async loadBounds(bounds: KeyValueBounds): Promise<void> {
    for await (const entry of this.space.scan()) bounds.found(this.space.keyOf(entry), this.space.valueOf(entry))
    bounds.loaded()
    while (bounds.exceeded && this.space.engine.refusal() === undefined) {
      await this.space.write({ durability: 'buffered' }, () =>
        bounds.shrink((victim) => this.#evict(victim), evictedMax),
      )
    }
  }

  #used(key: Key, entry: Entry | undefined): Entry | undefined {
    if (entry === undefined || !this.isLive(entry)) return undefined
    this.bounds?.used(key)
    return entry
  }

  #evict(key: Key): void {
    const entry = this.space.find(key)
    if (entry === undefined) this.bounds?.removed(key)
    else this.remove(key, entry, cause.evict)
  }

  #moveDeadline(key: Key, from: number, to: number): void {
    const encoded = encodeKey(key)
    if (from !== 0) this.#deadlines.remove(from, this.space.domain, encoded)
    if (to !== 0) this.#deadlines.add(to, this.space.domain, encoded)
  }

  #noteLoad(key: Key, at: number): void {
    const loaded = this.#loaded
    if (at === 0 && loaded.ledger.entries === 0) return
    const before = loaded.find(key)
    if (at !== 0) loaded.put(key, at, before)
    else if (before !== undefined) loaded.remove(key)
  }

  #tell(key: Key | undefined): void {
    const { listener } = this
    if (listener?.isListening === true) this.space.engine.affect({ committed: () => listener.written(key) })
  }

  #countOf(entry: Entry | undefined): number {
    if (entry === undefined) return 0
    return this.isBag ? (this.space.valueOf(entry) as unknown[]).length : 1
  }
}
