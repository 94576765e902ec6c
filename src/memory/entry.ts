/** Stands in for the value of an entry whose bytes have not been decoded (any decoded value may be `undefined`). */
export const UNDECODED: unique symbol = Symbol('undecoded')

/** The `kind` of an entry that says its key is deleted. */
export const TOMBSTONE = 0

/**
 * `base` of an entry whose key the backend is known not to hold. A fraction, so that V8 keeps the field as a double from
 * the start: it would give every entry a new shape when its fingerprint, too large for a small integer, is filled in.
 */
export const BASE_ABSENT = -1.5
/** `base` of an entry whose key the backend may or may not hold. */
export const BASE_UNKNOWN = -2.5

/** `position` of an entry that is in no list of the tier: superseded, undone, evicted, or not yet applied. */
export const DETACHED = -1

/**
 * Bytes of an entry beside its key's characters and its value, as measured by `bench/memory.ts` on Node 20: 144 for the
 * object, 36 for its slot in the partition's Map, 20 for its places in the generation and domain lists while dirty; a
 * key string's header makes up for the lists once clean.
 */
export const ENTRY_OVERHEAD = 200

/** Up to this length V8 keeps the bytes of a typed array on the heap, without an ArrayBuffer. */
const HEAP_BUFFER_MAX = 64
const HEAP_BUFFER_OVERHEAD = 200
/** Measured as resident memory: view, ArrayBuffer, backing store and the allocator's share. */
const OWN_BUFFER_OVERHEAD = 370

/** What an entry must know of the `Home` it lies in. */
export interface EntryHome {
  readonly domain: string
  readonly entries: ReadonlyMap<unknown, Entry>
  keyOf(id: unknown): string
  set(id: unknown, entry: Entry, previous: Entry | undefined): void
  delete(id: unknown, previous: Entry): void
}

/**
 * One key's state in memory. Key, kind, sequence and bytes never change: an overwrite makes a new entry, so a scan or a
 * running checkpoint may go on using the old one. The tier owns `generation`, `position`, `newer`, `older` and `cost`;
 * the owner of the tier may fill in `value` of an undecoded entry and must call `recost` after it.
 *
 * Fields are only declared, and all set in the constructor: initializers would run as a second pass over every new entry.
 */
export class Entry {
  /** Undefined while nobody has asked for the key of an entry that has a home. */
  declare text: string | undefined
  /** Where it is found instead of in a partition, and by what. */
  declare home: EntryHome | null
  declare id: unknown
  /** 0 is a tombstone: deleted, and the backend does not know yet. */
  declare readonly kind: number
  /** Of the record that wrote it; 0 when it was loaded from the backend. */
  declare readonly sequence: number
  /** Durability level of its write; the owner may raise it until the record is appended. */
  declare level: number
  /**
   * For the owner's accounting: what the backend holds under the key by the time this entry gets there (a fingerprint,
   * BASE_ABSENT or BASE_UNKNOWN); once clean, the fingerprint of this entry itself.
   */
  declare base: number
  declare value: unknown
  /**
   * The encoded envelope is `length` bytes at `offset` of this; null when only the decoded value is kept. A buffer
   * exactly `length` long is taken to own its memory; anything longer is a shared log slab, let go at `settle`.
   */
  declare buffer: Buffer | null
  declare offset: number
  /** Stays when the buffer goes: the cost of the decoded form is estimated from it. */
  declare readonly length: number
  /** The dirty generation it belongs to; 0 when the backend holds the same. */
  declare generation: number
  /** Index in its generation's list, 0 when it is in the clean list, DETACHED when in neither. */
  declare position: number
  /** Read since it was written, loaded or last spared by eviction. */
  declare visited: boolean
  declare newer: Entry | null
  declare older: Entry | null
  /** Bytes of memory it is charged for. */
  declare cost: number

  constructor(
    /** May be left out by an entry with a home: it is made when somebody asks. */
    key: string | undefined,
    kind: number,
    sequence: number,
    level: number,
    value: unknown,
    buffer: Buffer | null,
    offset: number,
    length: number,
    base: number,
    home: EntryHome | null = null,
    id?: unknown,
  ) {
    this.text = key
    this.home = home
    this.id = id
    this.kind = kind
    this.sequence = sequence
    this.level = level
    this.base = base
    this.value = value
    this.buffer = buffer
    this.offset = offset
    this.length = length
    this.generation = 0
    this.position = DETACHED
    this.visited = false
    this.newer = null
    this.older = null
    this.cost = entryCost(this)
  }

  /** It is found in `home` from now on, no longer in a partition. Only for the tier. */
  moveTo(home: EntryHome, id: unknown): void {
    this.home = home
    this.id = id
  }

  /** A byte string: every character is U+0000..U+00FF. */
  get key(): string {
    this.text ??= (this.home as EntryHome).keyOf(this.id)
    return this.text
  }
}

/** True when the bytes lie in a buffer that others share: a small value there would keep megabytes of log alive. */
export function sharesBuffer(entry: Entry): boolean {
  return entry.buffer !== null && entry.buffer.length !== entry.length
}

/** Bytes an entry is charged for; an estimate for decoded values, which cannot be measured cheaply. */
export function entryCost(entry: Entry): number {
  const { buffer, length } = entry
  if (buffer === null) return costWith(entry, 0)
  return costWith(entry, buffer.length === length ? ownBufferCost(length) : length)
}

/** What it will be charged for without its part of a shared buffer, which `releaseShared` trades for its own. */
export function costAlone(entry: Entry): number {
  if (!sharesBuffer(entry)) return entryCost(entry)
  return costWith(entry, entry.value === UNDECODED ? ownBufferCost(entry.length) : 0)
}

/** Lets go of a shared buffer: a decoded value is enough by itself, otherwise the bytes are copied. */
export function releaseShared(entry: Entry): void {
  const { buffer, offset, length } = entry
  if (buffer === null || buffer.length === length) return
  if (entry.value !== UNDECODED) {
    entry.buffer = null
  } else {
    const own = Buffer.allocUnsafeSlow(length)
    buffer.copy(own, 0, offset, offset + length)
    entry.buffer = own
  }
  entry.offset = 0
}

function costWith(entry: Entry, bufferCost: number): number {
  const { value, length } = entry
  const cost = ENTRY_OVERHEAD + keyLength(entry) + bufferCost
  return value === UNDECODED ? cost : cost + decodedCost(value, length)
}

/** Of an entry with a home: that of the id, which its owner may hold anyway. */
function keyLength(entry: Entry): number {
  const { text, id } = entry
  if (entry.home === null) return (text as string).length
  return typeof id === 'string' ? id.length : 16
}

function decodedCost(value: unknown, length: number): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 16
    case 'string':
      return 24 + length
    case 'object':
    case 'function':
      if (value === null) return 0
      return ArrayBuffer.isView(value) ? ownBufferCost(length) : 48 + 2 * length
    default:
      return 0
  }
}

function ownBufferCost(length: number): number {
  return length + (length <= HEAP_BUFFER_MAX ? HEAP_BUFFER_OVERHEAD : OWN_BUFFER_OVERHEAD)
}
