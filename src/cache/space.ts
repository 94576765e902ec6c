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
  NOT_PRIMITIVE,
} from '../codec/index.ts'
import type { Engine, WriteOptions } from '../engine/index.ts'
import { type Entry, UNDECODED } from '../memory/index.ts'
import type { Ledger } from './ledger.ts'
import { nameOfDomain, shapeDomain, shapeKey } from './names.ts'
import { cacheKind, type Cause, cause, deadlineOf, deleteNote, valueStart } from './payload.ts'
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
  /**
   * Live entries that are in memory, by key where the key is its own Map key, else by encoded key. When it holds as many
   * as the ledger counts, what is not in here does not exist.
   */
  readonly #byKey = new Map<Key, Entry>()
  readonly #byEncoded = new Map<string, Entry>()
  /** What it is opened as, until that is stored. */
  #undeclared: Shape | undefined

  constructor(parts: SpaceParts) {
    this.engine = parts.engine
    this.ledger = parts.ledger
    this.domain = parts.ledger.domain
    this.#scratch = parts.scratch
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

  /** Nothing of this space is in the backend alone. */
  get complete(): boolean {
    return this.#byKey.size + this.#byEncoded.size === this.ledger.entries
  }

  // ------------------------------------------------------------------ reading

  /** The latest applied entry, acknowledged or not, past its deadline or not. TypeError for what is no key. */
  find(key: Key): Entry | undefined {
    const found = isOwnMapKey(key) ? this.#byKey.get(key) : this.#byEncoded.get(encodeKey(key))
    if (found !== undefined) {
      found.visited = true
      return found
    }
    return this.#findElsewhere(key)
  }

  #findElsewhere(key: Key): Entry | undefined {
    const encoded = encodeKey(key)
    if (this.complete) return undefined
    const entry = this.engine.getSync(this.domain + encoded)
    // A value too large for memory stays outside.
    if (entry !== undefined && this.engine.tier.peek(entry.key) === entry) this.#remember(key, encoded, entry)
    return entry
  }

  /** The entry, never one whose write is not acknowledged: waits for it. Rejects when that write failed. */
  async fetch(key: Key): Promise<Entry | undefined> {
    this.engine.assertReadable()
    const found = isOwnMapKey(key) ? this.#byKey.get(key) : this.#byEncoded.get(encodeKey(key))
    if (found !== undefined && this.engine.isAcknowledged(found)) {
      found.visited = true
      return found
    }
    const encoded = encodeKey(key)
    const full = this.domain + encoded
    // A removal that is not acknowledged waits in the tier as well.
    if (this.complete && this.engine.tier.peek(full) === undefined) return undefined
    const entry = await this.engine.get(full)
    if (entry !== undefined && this.engine.tier.peek(full) === entry) this.#remember(key, encoded, entry)
    return entry
  }

  /** Brings these keys into memory in one read of the backend, so that `find` and `fetch` need none. */
  async prefetch(keys: readonly Key[]): Promise<void> {
    if (this.complete) return
    await this.engine.prefetch(keys.map((key) => this.domain + encodeKey(key)))
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
    return decodeKey(entry.key.slice(this.domain.length))
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

  // ------------------------------------------------------------------ writing

  /** Runs `fn` as one record (or joins the transaction); see `Engine.write`. */
  write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    return this.engine.write(options, fn)
  }

  /**
   * Only inside `write`. `before` is what `find` answers for the key now. `deadline` 0: none. `countChange` is given where an
   * entry stands for other than one counted item. TypeError, before anything else happened, for what cannot be stored.
   */
  put(key: Key, value: unknown, before: Entry | undefined, deadline = 0, countChange?: number): Entry {
    if (this.#undeclared !== undefined) this.#storeShape(this.#undeclared)
    const isNew = before === undefined
    const encoded = encodeKey(key)
    const kind = deadline === 0 ? cacheKind.value : cacheKind.timed
    const change = countChange ?? (isNew ? 1 : 0)
    const payload = this.#scratch.encode(value).payload(isNew, change, deadline)
    const full = this.domain + encoded
    const kept = keptValue(value, deadline)
    const entry = this.engine.put(full, this.domain, kind, payload, payload.length, kept)
    this.ledger.put(full, entry.buffer as Buffer, entry.offset + envelopeHeaderBytes)
    this.#remember(key, encoded, entry)
    return entry
  }

  /** Only inside `write`, of a key that is there. `countChange` where the entry stands for other than one item. */
  remove(key: Key, why: Cause = cause.delete, countChange = -1): void {
    const encoded = encodeKey(key)
    const full = this.domain + encoded
    const note = deleteNote(why, countChange)
    this.engine.delete(full, this.domain, note)
    this.ledger.delete(full, note ?? noNote)
    if (isOwnMapKey(key)) this.#byKey.delete(key)
    else this.#byEncoded.delete(encoded)
  }

  // ------------------------------------------------------------------ what happens to it from outside

  /** Memory let go of a clean entry. */
  gone(entry: Entry): void {
    const encoded = entry.key.slice(this.domain.length)
    const key = decodeKey(encoded)
    if (isOwnMapKey(key)) {
      if (this.#byKey.get(key) === entry) this.#byKey.delete(key)
    } else if (this.#byEncoded.get(encoded) === entry) this.#byEncoded.delete(encoded)
  }

  /** A put or delete was taken back: `previous` (undefined or a tombstone: nothing) is there again. */
  undone(entry: Entry, previous: Entry | undefined): void {
    const { key } = entry
    const encoded = key.slice(this.domain.length)
    if (entry.kind === 0) this.ledger.undoDelete(key, (entry.value as Buffer | undefined) ?? noNote)
    else this.ledger.undoPut(key, entry.buffer as Buffer, entry.offset + envelopeHeaderBytes)
    const own = decodeKey(encoded)
    if (previous !== undefined && previous.kind !== 0 && this.engine.tier.peek(key) === previous) {
      this.#remember(own, encoded, previous)
    } else if (isOwnMapKey(own)) this.#byKey.delete(own)
    else this.#byEncoded.delete(encoded)
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

  #remember(key: Key, encoded: string, entry: Entry): void {
    if (isOwnMapKey(key)) this.#byKey.set(key, entry)
    else this.#byEncoded.set(encoded, entry)
  }

  #decode(entry: Entry): unknown {
    const bytes = entry.buffer as Buffer
    const payloadStart = entry.offset + envelopeHeaderBytes
    const start = valueStart(entry.kind, bytes, payloadStart)
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

const noNote = Buffer.alloc(0)

function shapeMismatch(domain: string, stored: unknown, wanted: Shape): HoldfastError {
  const name = nameOfDomain(domain)
  return new HoldfastError(
    'HOLDFAST_SHAPE_MISMATCH',
    `${JSON.stringify(name)} was written as ${JSON.stringify(stored)} and cannot be opened as ${JSON.stringify(wanted)}; open it as it was written or choose another name`,
    { detail: { name, stored: JSON.stringify(stored), wanted: JSON.stringify(wanted) } },
  )
}

/** Keys that a Map tells apart exactly as their encodings do. */
function isOwnMapKey(key: Key): key is string | number | boolean | null {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'boolean':
      return true
    default:
      return key === null
  }
}

/** What memory may keep of a value beside its bytes: only what nobody can change. */
function keptValue(value: unknown, deadline: number): unknown {
  if (typeof value === 'object' && value !== null) return UNDECODED
  return deadline === 0 ? value : new Timed(value, deadline)
}
