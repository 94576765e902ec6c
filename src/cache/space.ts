/**
 * One space: the entries under one domain, found by key, with their count. Everything the structures store goes through
 * here; what a value means is theirs. Single-threaded: all of `write` is one synchronous step and one record.
 */
import { isDeepStrictEqual } from 'node:util'
import { HoldfastError } from '../base/index.ts'
import {
  decodeKey,
  decodePrimitive,
  decodeValue,
  encodeKey,
  envelopeHeaderBytes,
  type Key,
  KeyPrefix,
  NOT_PRIMITIVE,
} from '../codec/index.ts'
import type { Engine, WriteOptions } from '../engine/index.ts'
import { BASE_UNKNOWN, Entry, Home, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { level } from '../wal/index.ts'
import type { Ledger } from './ledger.ts'
import { nameOfDomain, shapeDomain, shapeKey } from './names.ts'
import { cacheKind, type Cause, cause, changeOfPut, deadlineOf, deleteNote, readNote, valueStart } from './payload.ts'
import type { ValueScratch } from './value-scratch.ts'

/** Options of a structure that its stored entries depend on. */
export type Shape = Readonly<Record<string, string | number>>

/** A value with its deadline, as entries of kind `timed` keep it decoded. */
export class Timed {
  readonly value: unknown
  readonly deadline: number

  constructor(value: unknown, deadline: number) {
    this.value = value
    this.deadline = deadline
  }
}

export interface SpaceParts {
  readonly engine: Engine
  readonly ledger: Ledger
  readonly scratch: ValueScratch
}

/** Bounds on the encoded keys of a space; see `encodeKey` and `encodeKeyPrefix`. */
export interface SpaceRange {
  readonly gte?: string
  readonly lt?: string
  readonly reverse?: boolean
  readonly limit?: number
}

/** Above every encoded key. */
const keysEnd = '\xff'

export class Space {
  readonly engine: Engine
  readonly domain: string
  readonly ledger: Ledger
  readonly #scratch: ValueScratch
  readonly #prefix: KeyPrefix
  /** Keys that a Map tells apart exactly as their encodings do are their own ids; the others go by their encoding. */
  readonly #plain: Home<PlainKey>
  readonly #encoded: Home<string>
  #lastRemoved: Entry | undefined
  /** What it is opened as, until that is stored. */
  #undeclared: Shape | undefined

  constructor(parts: SpaceParts) {
    this.engine = parts.engine
    this.ledger = parts.ledger
    const { domain } = parts.ledger
    this.domain = domain
    this.#scratch = parts.scratch
    this.#prefix = new KeyPrefix(domain)
    this.#plain = new Home(domain, (key) => domain + encodeKey(key))
    this.#encoded = new Home(domain, (encoded) => domain + encoded)
    this.#moveIn()
  }

  /**
   * What kind of structure this is: stored with the first entry, and from then on the same at every opening. Throws
   * HOLDFAST_SHAPE_MISMATCH when it is stored as something else.
   */
  declare(shape: Shape): void {
    const entry = this.engine.getSync(shapeKey(this.domain))
    if (entry === undefined) {
      this.#undeclared = shape
      return
    }
    const payload = this.engine.payload(entry) as Buffer
    const stored = decodeValue(payload, 0, payload.length).value
    if (!isDeepStrictEqual(stored, shape)) throw shapeMismatch(this.domain, stored, shape)
  }

  get count(): number {
    return this.ledger.count
  }

  /** Nothing of this space is in the backend alone: what is not in memory does not exist. */
  get complete(): boolean {
    return this.#plain.live + this.#encoded.live === this.ledger.entries
  }

  // ------------------------------------------------------------------ reading

  /** The latest applied entry, acknowledged or not, past its deadline or not. TypeError for what is no key. */
  find(key: Key): Entry | undefined {
    const entry = isPlain(key) ? this.#plain.entries.get(key) : this.#encoded.entries.get(encodeKey(key))
    if (entry === undefined) return this.#findElsewhere(key)
    if (entry.kind === TOMBSTONE) return undefined
    entry.visited = true
    return entry
  }

  /** The entry, never one whose write is not acknowledged: waits for it. Rejects when that write failed. */
  async fetch(key: Key): Promise<Entry | undefined> {
    this.engine.assertReadable()
    const [home, id] = this.#placeOf(key)
    const entry = home.entries.get(id)
    if (entry === undefined) {
      if (this.complete) return undefined
      return this.engine.loadHome(home, id)
    }
    // A removal is waited for as well.
    if (!this.engine.isAcknowledged(entry)) await this.engine.acknowledged(entry)
    if (entry.kind === TOMBSTONE) return undefined
    entry.visited = true
    return entry
  }

  /** The entry when that can be said at once: it, or its absence, is in memory and acknowledged. */
  fetchAtHand(key: Key): Entry | undefined | typeof NOT_AT_HAND {
    this.engine.assertReadable()
    const entry = isPlain(key) ? this.#plain.entries.get(key) : this.#encoded.entries.get(encodeKey(key))
    if (entry === undefined) return NOT_AT_HAND
    if (!this.engine.isAcknowledged(entry)) return NOT_AT_HAND
    if (entry.kind === TOMBSTONE) return undefined
    entry.visited = true
    return entry
  }

  /** Brings these keys into memory in one read of the backend, so that `find` and `fetch` need none. */
  async prefetch(keys: readonly Key[]): Promise<void> {
    if (this.complete) return
    const missing = new Map<Home, unknown[]>()
    for (const key of keys) {
      const [home, id] = this.#placeOf(key)
      if (home.entries.has(id)) continue
      const ids = missing.get(home)
      if (ids === undefined) missing.set(home, [id])
      else ids.push(id)
    }
    for (const [home, ids] of missing) await this.engine.loadHomeMany(home, ids)
  }

  /** What was stored. Primitives and frozen objects are shared; what could be changed is a fresh copy each time. */
  valueOf(entry: Entry): unknown {
    const { value } = entry
    if (value === UNDECODED) return this.#decode(entry)
    return value instanceof Timed ? value.value : value
  }

  /** Milliseconds since 1970; 0 without one. */
  deadlineOf(entry: Entry): number {
    if (entry.kind !== cacheKind.timed) return 0
    if (entry.value instanceof Timed) return entry.value.deadline
    return deadlineOf(entry.kind, entry.buffer as Buffer, entry.offset + envelopeHeaderBytes)
  }

  keyOf(entry: Entry): Key {
    return entry.home === this.#plain ? (entry.id as PlainKey) : decodeKey(entry.key.slice(this.domain.length))
  }

  /** Entries in key order as of this call, each acknowledged; entries past their deadline included. */
  scan(range: SpaceRange = {}): AsyncGenerator<Entry, void, undefined> {
    return this.engine.scan({
      domain: this.domain,
      gte: this.domain + (range.gte ?? ''),
      lt: this.domain + (range.lt ?? keysEnd),
      reverse: range.reverse === true,
      ...(range.limit === undefined ? {} : { limit: range.limit }),
    })
  }

  /** What is in memory, in no order; everything there is when the space is `complete`. */
  inMemory(): Entry[] {
    const found: Entry[] = []
    for (const entry of this.#plain.entries.values()) if (entry.kind !== TOMBSTONE) found.push(entry)
    for (const entry of this.#encoded.entries.values()) if (entry.kind !== TOMBSTONE) found.push(entry)
    return found
  }

  // ------------------------------------------------------------------ writing

  /** Runs `fn` as one record (or joins the transaction); see `Engine.write` and, for what is buffered, `writeStaged`. */
  write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    const durability = options?.durability
    if (durability === 'buffered' || (durability === undefined && this.engine.defaultLevel === level.buffered)) {
      return this.engine.writeStaged(fn)
    }
    return this.engine.write(options, fn)
  }

  /**
   * Only inside `write`. `before` is what `find` answers for the key now. `deadline` 0: none. `countChange` is given where an
   * entry stands for other than one counted item. TypeError, before anything else happened, for what cannot be stored.
   */
  put(key: Key, value: unknown, before: Entry | undefined, deadline = 0, countChange?: number): Entry {
    const isNew = before === undefined
    const change = countChange ?? (isNew ? 1 : 0)
    const plain = isPlain(key)
    const encoded = typeof key === 'string' ? undefined : encodeKey(key)
    const { engine } = this
    const prefix = this.#prefix
    const scratch = this.#scratch.encode(value)
    // The shape needs the scratch itself: it comes first, and the value again after it.
    if (this.#undeclared !== undefined) {
      this.#storeShape(this.#undeclared)
      scratch.encode(value)
    }
    const from = scratch.head(isNew, change, deadline)
    const { buffer, end } = scratch
    const kind = deadline === 0 ? cacheKind.value : cacheKind.timed
    const kept = keptValue(value, deadline)
    const entry = plain
      ? engine.putHome(this.#plain as Home, prefix, key, encoded, kind, buffer, from, end, kept, isNew)
      : engine.putHome(this.#encoded as Home, prefix, encoded, encoded, kind, buffer, from, end, kept, isNew)
    this.ledger.put(entry, isNew ? 1 : 0, change)
    return entry
  }

  /** Only inside `write`, of a key that is there. `countChange` where the entry stands for other than one item. */
  remove(key: Key, why: Cause = cause.delete, countChange = -1): void {
    const plain = isPlain(key)
    const home = (plain ? this.#plain : this.#encoded) as Home
    const id = plain ? key : encodeKey(key)
    const entry = this.engine.deleteHome(home, id, deleteNote(why, countChange))
    this.#lastRemoved = entry
    this.ledger.delete(entry, countChange)
  }

  /** Only inside `write`, for a write with nothing to do because the key is absent: its removal may not be durable yet. */
  observeAbsence(key: Key): void {
    const [home, id] = this.#placeOf(key)
    // The removal itself may have left no trace: then it is not later than the last one.
    const entry = home.entries.get(id) ?? this.#lastRemoved
    if (entry !== undefined) this.engine.observe(entry)
  }

  /**
   * For a promised read whose answer rests on what is no longer there: waits for the latest removal. Undefined when it is
   * acknowledged.
   */
  removalsAcknowledged(): Promise<void> | undefined {
    const removed = this.#lastRemoved
    if (removed === undefined || this.engine.isAcknowledged(removed)) return undefined
    return this.engine.acknowledged(removed)
  }

  // ------------------------------------------------------------------ what happens to it from outside

  /** A put or delete was taken back. */
  undone(entry: Entry): void {
    if (entry.kind === TOMBSTONE) {
      if (entry === this.#lastRemoved) this.#lastRemoved = this.#notLaterThanNow(entry)
      this.ledger.undoDelete(entry, readNote((entry.value as Buffer | undefined) ?? noNote).count)
    } else {
      const { entries, count } = changeOfPut(entry.buffer as Buffer, entry.offset + envelopeHeaderBytes)
      this.ledger.undoPut(entry, entries, count)
    }
  }

  /** In place of a removal that was taken back: which one came before it is not known, but it is in the log. */
  #notLaterThanNow({ level: wanted }: Entry): Entry {
    const { lastSequence } = this.engine
    return new Entry(this.domain, TOMBSTONE, lastSequence, wanted, undefined, null, 0, 0, BASE_UNKNOWN)
  }

  /** What replay left in memory is found here from now on. */
  #moveIn(): void {
    const { tier } = this.engine
    const skip = this.domain.length
    tier.settleIn(this.#plain, (key) => {
      const id = decodeKey(key.slice(skip))
      return isPlain(id) ? id : undefined
    })
    tier.settleIn(this.#encoded, (key) => key.slice(skip))
  }

  #placeOf(key: Key): [Home, unknown] {
    const encoded = encodeKey(key)
    return isPlain(key) ? [this.#plain as Home, key] : [this.#encoded as Home, encoded]
  }

  #findElsewhere(key: Key): Entry | undefined {
    const [home, id] = this.#placeOf(key)
    return this.complete ? undefined : this.engine.loadHomeSync(home, id)
  }

  #storeShape(shape: Shape): void {
    const payload = this.#scratch.encode(shape).bare()
    this.engine.put(shapeKey(this.domain), shapeDomain, cacheKind.shape, payload, payload.length)
    this.#undeclared = undefined
    this.engine.affect({
      undo: () => {
        this.#undeclared = shape
      },
    })
  }

  #decode(entry: Entry): unknown {
    const bytes = entry.buffer as Buffer
    const start = valueStart(entry.kind, bytes, entry.offset + envelopeHeaderBytes)
    const end = entry.offset + entry.length
    let value = decodePrimitive(bytes, start, end)
    let shareable = true
    if (value === NOT_PRIMITIVE) ({ value, shareable } = decodeValue(bytes, start, end))
    if (shareable) {
      entry.value = entry.kind === cacheKind.timed ? new Timed(value, this.deadlineOf(entry)) : value
      this.engine.tier.recost(entry)
    }
    return value
  }
}

/** Not known in this synchronous step. */
export const NOT_AT_HAND: unique symbol = Symbol('not at hand')

const noNote = Buffer.alloc(0)

function shapeMismatch(domain: string, stored: unknown, wanted: Shape): HoldfastError {
  const name = nameOfDomain(domain)
  return new HoldfastError(
    'HOLDFAST_SHAPE_MISMATCH',
    `${JSON.stringify(name)} was written as ${JSON.stringify(stored)} and cannot be opened as ${JSON.stringify(wanted)}; open it as it was written or choose another name`,
    { detail: { name, stored: JSON.stringify(stored), wanted: JSON.stringify(wanted) } },
  )
}

type PlainKey = string | number | bigint | boolean | null

function isPlain(key: Key): key is PlainKey {
  return typeof key !== 'object' || key === null
}

/** What memory may keep of a value beside its bytes: only what nobody can change. */
function keptValue(value: unknown, deadline: number): unknown {
  if (typeof value === 'object' && value !== null) return UNDECODED
  return deadline === 0 ? value : new Timed(value, deadline)
}
