/** The index of slots and the head of each process: what `assignments` rests on. Content is another room's. */
import { HoldfastError } from '../base/index.ts'
import { kind } from '../codec/index.ts'
import { type Engine, releasing } from '../engine/index.ts'
import { type Entry, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import {
  decodeHead,
  decodeTarget,
  encodeHead,
  encodeTarget,
  type Head,
  headDomain,
  headBytesMax,
  headKey,
  headPrefix,
  indexDomain,
  indexKey,
  indexRange,
  parseIndexKey,
} from './keys.ts'

export interface IndexedSlot {
  readonly slot: number
  readonly id: string
}

export interface SlotRange {
  readonly run: readonly IndexedSlot[]
  /** What follows the run; undefined when nothing does. It holds a snapshot open. */
  readonly rest: AsyncGenerator<IndexedSlot, void, undefined> | undefined
}

export class SlotIndex {
  readonly #engine: Engine
  readonly #names = new Map<string, ProcessNames>()
  /** Payloads are built here and copied into the log at once. */
  #scratch: Buffer = Buffer.allocUnsafe(256)

  constructor(engine: Engine) {
    this.#engine = engine
  }

  headSync(process: string): Head | undefined {
    const entry = this.#engine.getSync(this.#namesOf(process).headKey)
    return entry === undefined ? undefined : this.headOf(entry, process)
  }

  async head(process: string): Promise<Head | undefined> {
    const entry = await this.#engine.get(this.#namesOf(process).headKey)
    return entry === undefined ? undefined : this.headOf(entry, process)
  }

  headOf(entry: Entry, process: string): Head {
    if (entry.value !== UNDECODED) return entry.value as Head
    if (entry.kind !== kind.head) throw wrongKind(entry)
    const head = decodeHead(this.#engine.payload(entry) as Buffer, process)
    entry.value = head
    this.#engine.tier.recost(entry)
    return head
  }

  idSync(process: string, slot: number): string | undefined {
    const entry = this.#engine.getSync(indexKey(process, slot))
    return entry === undefined ? undefined : this.idOf(entry)
  }

  async id(process: string, slot: number): Promise<string | undefined> {
    const entry = await this.#engine.get(indexKey(process, slot))
    return entry === undefined ? undefined : this.idOf(entry)
  }

  idOf(entry: Entry): string {
    if (entry.value !== UNDECODED) return entry.value as string
    if (entry.kind !== kind.link) throw wrongKind(entry)
    const id = decodeTarget(this.#engine.payload(entry) as Buffer)
    entry.value = id
    this.#engine.tier.recost(entry)
    return id
  }

  /** Inside a write: the slot's entry as it stands now, without a read when the head shows that it is free. */
  taken(process: string, slot: number, head: Head | undefined): Entry | undefined {
    if (head === undefined || slot > head.slot) return undefined
    return this.#engine.getSync(indexKey(process, slot))
  }

  /** Inside a write. `replacing` says that the slot is taken and its entry is overwritten. Answers the head to be put. */
  set(
    process: string,
    slot: number,
    id: string,
    hashChain: string | undefined,
    head: Head | undefined,
    replacing: boolean,
  ): Head {
    const length = encodeTarget(id, this.#scratch)
    const entry = this.#engine.put(
      indexKey(process, slot),
      this.#namesOf(process).domain,
      kind.link,
      this.#scratch,
      length,
      id,
    )
    if (!replacing) this.#engine.markAbsent(entry)
    const count = (head?.count ?? 0) + (replacing ? 0 : 1)
    if (head !== undefined && slot < head.slot) return Object.freeze({ ...head, count })
    return Object.freeze({ slot, id, hashChain, count })
  }

  /** Inside a write: what `set` answered last for the process. `first` says that it has had no head. */
  putHead(process: string, head: Head, first: boolean): void {
    const needed = headBytesMax(head.hashChain)
    if (needed > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(needed)
    const length = encodeHead(head, this.#scratch)
    const entry = this.#engine.put(this.#namesOf(process).headKey, headDomain, kind.head, this.#scratch, length, head)
    if (first) this.#engine.markAbsent(entry)
  }

  /** Inside a write: removes slots, none of them the head. */
  remove(process: string, slots: readonly number[], head: Head): void {
    for (const slot of slots) this.#engine.delete(indexKey(process, slot), indexDomain(process))
    if (slots.length > 0) this.putHead(process, Object.freeze({ ...head, count: head.count - slots.length }), false)
  }

  /**
   * Slots from..to in order, at most `limit` of them, with their content ids: a snapshot as of this call. A run of
   * neighbours that memory holds is answered without touching the backend. `rest` is to be returned, used or not.
   */
  range(process: string, from: number, to: number, reverse = false, limit = Number.MAX_SAFE_INTEGER): SlotRange {
    const last = Math.min(to, this.headSync(process)?.slot ?? -1)
    const run = reverse ? [] : this.#run(process, from, last, Math.min(limit, runMax))
    const start = from + run.length
    if (start > last || run.length >= limit) return { run, rest: undefined }
    return { run, rest: this.#scan(process, start, last, reverse, limit - run.length) }
  }

  /** Every slot the index has, whatever the head says. */
  all(process: string): AsyncGenerator<IndexedSlot, void, undefined> {
    return this.#scan(process, 0, Number.MAX_SAFE_INTEGER, false, Number.MAX_SAFE_INTEGER)
  }

  async *processes(): AsyncGenerator<string, void, undefined> {
    for await (const entry of this.#engine.scan({ domain: headDomain, gte: headPrefix, lt: 'i' }))
      yield entry.key.slice(1)
  }

  #scan(
    process: string,
    from: number,
    to: number,
    reverse: boolean,
    limit: number,
  ): AsyncGenerator<IndexedSlot, void, undefined> {
    const { tier } = this.#engine
    const asOf = tier.settlements
    const entries = this.#engine.scan({
      domain: indexDomain(process),
      ...indexRange(process, from, to),
      reverse,
      limit,
    })
    return mapped(entries, (entry) => {
      const indexed = { slot: parseIndexKey(entry.key).slot, id: this.idOf(entry) }
      // The next range over these slots finds them in memory.
      if (entry.sequence === 0) tier.admit(entry, asOf)
      return indexed
    })
  }

  /** The unbroken run of acknowledged slots from `from` on that memory has. */
  #run(process: string, from: number, to: number, most: number): IndexedSlot[] {
    const run: IndexedSlot[] = []
    for (let slot = from; slot <= to && run.length < most; slot++) {
      const entry = this.#engine.tier.peek(indexKey(process, slot))
      if (entry === undefined || entry.kind === TOMBSTONE || !this.#engine.isAcknowledged(entry)) break
      run.push({ slot, id: this.idOf(entry) })
    }
    return run
  }

  /** The same strings for the same process: making and hashing them anew would cost more than the look-up they are for. */
  #namesOf(process: string): ProcessNames {
    let names = this.#names.get(process)
    if (names === undefined) {
      if (this.#names.size >= namesKept) this.#names.clear()
      names = { domain: indexDomain(process), headKey: headKey(process) }
      this.#names.set(process, names)
    }
    return names
  }
}

interface ProcessNames {
  readonly domain: string
  readonly headKey: string
}

const namesKept = 4096

/** Longest run answered from memory before a scan takes over: bounds what one synchronous step does. */
const runMax = 4096

function mapped<A, B>(
  items: AsyncGenerator<A, void, undefined>,
  map: (item: A) => B,
): AsyncGenerator<B, void, undefined> {
  const results = (async function* () {
    for await (const item of items) yield map(item)
  })()
  return releasing(results, () => items.return())
}

function wrongKind(entry: Entry): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the entry ${JSON.stringify(entry.key)} has kind ${entry.kind}, which does not belong there; run verify`,
    {
      detail: { key: entry.key, kind: entry.kind },
    },
  )
}
