/** Assignments by process and slot: content and index in one record, never two contents for a slot. */
import { HoldfastError } from '../base/index.ts'
import { type EncodedMessage, encodeCanonical, idToDigest, kind } from '../codec/index.ts'
import {
  type ContentId,
  type Contents,
  encodeMessage,
  type Message,
  missingContent,
  type Value,
} from '../content/index.ts'
import { type Engine, releasing, type WriteOptions } from '../engine/index.ts'
import { boundsOf, normalizeProcess, normalizeSlot, positiveLimit } from './arguments.ts'
import { verifyChain } from './chain-check.ts'
import { decodeTarget, type Head, indexDomain, locationDomain, locationKey, parseIndexKey } from './keys.ts'
import { collectPage } from './page.ts'
import { type IndexedSlot, SlotIndex, type SlotRange } from './slot-index.ts'
import type {
  Assignment,
  AssignmentStore,
  AssignmentWriteOptions,
  ChainFunction,
  ChainName,
  ChainReport,
  Latest,
  Page,
  PageOptions,
  ProcessId,
  PruneReport,
  RangeOptions,
  Slot,
  WrittenSlot,
} from './types.ts'

/** Slots whose content is read from the backend in one go. */
const loadBatch = 128
const pageLimitDefault = 1000
const pruneBatch = 1000

type PendingHeads = Map<string, { readonly head: Head; readonly first: boolean }>

export class Assignments implements AssignmentStore {
  readonly #engine: Engine
  readonly #contents: Contents
  readonly #index: SlotIndex

  constructor(engine: Engine, contents: Contents) {
    this.#engine = engine
    this.#contents = contents
    this.#index = new SlotIndex(engine)
  }

  write(assignment: Assignment, options?: AssignmentWriteOptions): Promise<WrittenSlot> {
    return this.#engine.write(options, () => this.#writeOne(assignment, options, undefined))
  }

  writeMany(assignments: readonly Assignment[], options?: AssignmentWriteOptions): Promise<WrittenSlot[]> {
    return this.#engine.write(options, () => {
      if (!Array.isArray(assignments)) throw new TypeError('writeMany takes an array of assignments')
      const heads: PendingHeads = new Map()
      const written = assignments.map((assignment) => this.#writeOne(assignment, options, heads))
      for (const [process, { head, first }] of heads) this.#index.putHead(process, head, first)
      return written
    })
  }

  async read(process: ProcessId, slot: number | string): Promise<Assignment | undefined> {
    const name = normalizeProcess(process)
    const position = normalizeSlot(slot)
    const id = await this.#index.id(name, position)
    if (id === undefined) return undefined
    return this.#present(await this.#contents.load(id), name, { slot: position, id })
  }

  readSync(process: ProcessId, slot: number | string): Assignment | undefined {
    const name = normalizeProcess(process)
    const position = normalizeSlot(slot)
    const id = this.#index.idSync(name, position)
    if (id === undefined) return undefined
    return this.#present(this.#contents.loadSync(id), name, { slot: position, id })
  }

  range(process: ProcessId, options: RangeOptions = {}): AsyncGenerator<Slot, void, undefined> {
    const name = normalizeProcess(process)
    const { from, to, limit } = boundsOf(options)
    const indexed = this.#index.range(name, from, to, options.reverse === true, limit)
    return releasing(this.#slots(name, indexed), async () => indexed.rest?.return())
  }

  async page(process: ProcessId, options: PageOptions = {}): Promise<Page> {
    const name = normalizeProcess(process)
    const { from, to } = boundsOf(options)
    const limit = positiveLimit(options.limit ?? pageLimitDefault)
    const head = await this.#index.head(name)
    const last = Math.min(to, head?.slot ?? -1)
    if (from > last) return { slots: [], gaps: [], continues: false }
    return collectPage(this.#slots(name, this.#index.range(name, from, last, false, limit + 1)), from, last, limit)
  }

  async list(process: ProcessId): Promise<number[]> {
    const slots: number[] = []
    for await (const { slot } of allOf(this.#index.range(normalizeProcess(process), 0, Number.MAX_SAFE_INTEGER)))
      slots.push(slot)
    return slots
  }

  async latest(process: ProcessId): Promise<Latest | undefined> {
    return latestOf(await this.#index.head(normalizeProcess(process)))
  }

  latestSync(process: ProcessId): Latest | undefined {
    return latestOf(this.#index.headSync(normalizeProcess(process)))
  }

  processes(): AsyncGenerator<string, void, undefined> {
    return this.#index.processes()
  }

  tail(
    process: ProcessId,
    options: { readonly from?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Slot, void, undefined> {
    const name = normalizeProcess(process)
    const { from } = boundsOf(options.from === undefined ? {} : { from: options.from })
    // Both begin in this step, so the changes go on exactly where the snapshot ends.
    const changes = this.#engine.changes.watch(undefined, options.signal)
    const present = this.range(name, { from })
    const release = () => Promise.all([changes.return(), present.return()])
    return releasing(this.#tail(name, from, present, changes, options.signal), release)
  }

  async verify(process: ProcessId, options: { readonly chain?: ChainName | ChainFunction } = {}): Promise<ChainReport> {
    const name = normalizeProcess(process)
    const head = await this.#index.head(name)
    return verifyChain(name, head, this.#index.all(name), (id) => this.#contents.load(id), options.chain)
  }

  prune(process: ProcessId, options: { readonly below: number }): Promise<PruneReport> {
    this.#engine.refuseInTransaction('prune()')
    return this.#prune(process, options)
  }

  async #prune(process: ProcessId, options: { readonly below: number }): Promise<PruneReport> {
    const name = normalizeProcess(process)
    if (typeof options !== 'object' || options === null) throw new TypeError('prune takes { below: slot }')
    const below = normalizeSlot(options.below)
    let removed = 0
    for (;;) {
      const batch = await this.#firstSlots(name, below, pruneBatch)
      const count = await this.#engine.write(undefined, () => this.#removeBelow(name, batch))
      removed += count
      if (batch.length < pruneBatch || count === 0) break
    }
    const [first] = await this.#firstSlots(name, Number.MAX_SAFE_INTEGER, 1)
    return { ok: true, problems: [], process: name, removed, first }
  }

  writeLocation(address: ProcessId, message: Message, options?: WriteOptions): Promise<ContentId> {
    return this.#engine.write(options, () => {
      const key = locationKey(normalizeProcess(address))
      const id = this.#contents.putEncoded(encodeMessage(message))
      const existing = this.#engine.getSync(key)
      const target = idToDigest(id)
      const entry = this.#engine.put(key, locationDomain, kind.location, target, target.length)
      if (existing === undefined) this.#engine.markAbsent(entry)
      return id
    })
  }

  async readLocation(address: ProcessId): Promise<Message | undefined> {
    const key = locationKey(normalizeProcess(address))
    const entry = await this.#engine.get(key)
    if (entry === undefined) return undefined
    const id = decodeTarget(this.#engine.payload(entry) as Buffer)
    const message = await this.#contents.load(id)
    if (message === undefined) throw missingContent(id, `the location of ${key.slice(1)}`)
    return message as Message
  }

  /** For the `assignments/` part of the paths. */
  get index(): SlotIndex {
    return this.#index
  }

  // ------------------------------------------------------------------ writing, in one synchronous step

  /** Heads go to `pending` when it is given, so that a record has one for each process, not one for each slot. */
  #writeOne(
    assignment: Assignment,
    options: AssignmentWriteOptions | undefined,
    pending: PendingHeads | undefined,
  ): WrittenSlot {
    if (typeof assignment !== 'object' || assignment === null)
      throw new TypeError('an assignment is a plain object with process and slot')
    const process = normalizeProcess(assignment.process)
    const slot = normalizeSlot(assignment.slot)
    const hashChain = checkedChain(assignment['hash-chain'])
    const encoded = encodeNormalized(assignment, process, slot)
    const before = pending?.get(process)
    const head = before?.head ?? this.#index.headSync(process)
    const taken = this.#index.taken(process, slot, head)
    if (taken !== undefined) {
      const id = this.#index.idOf(taken)
      if (id === encoded.id) {
        this.#engine.observe(taken)
        // Should the slot have lost its content, this is how it is mended.
        this.#contents.restoreEncoded(encoded)
        return { id, process, slot, created: false }
      }
      if (options?.overwrite !== true) throw slotConflict(process, slot, id, encoded.id)
    }
    // After the look at the slot: a write that is tried again because its outcome was unknown finds itself there.
    if (options?.expectedPrevious !== undefined) assertPrevious(process, head, options.expectedPrevious)
    const id = this.#contents.putEncoded(encoded)
    const next = this.#index.set(process, slot, id, hashChain, head, taken !== undefined)
    const first = before?.first ?? head === undefined
    if (pending === undefined) this.#index.putHead(process, next, first)
    else pending.set(process, { head: next, first })
    return { id, process, slot, created: true }
  }

  #removeBelow(process: string, slots: readonly number[]): number {
    const head = this.#index.headSync(process)
    if (head === undefined) return 0
    const present = slots.filter((slot) => slot < head.slot && this.#index.idSync(process, slot) !== undefined)
    this.#index.remove(process, present, head)
    return present.length
  }

  // ------------------------------------------------------------------ reading

  async #firstSlots(process: string, below: number, limit: number): Promise<number[]> {
    const slots: number[] = []
    if (below === 0 || limit === 0) return slots
    for await (const { slot } of allOf(this.#index.range(process, 0, below - 1, false, limit))) {
      slots.push(slot)
      if (slots.length === limit) break
    }
    return slots
  }

  /** Adds the content, reading ahead in batches. */
  async *#slots(process: string, { run, rest }: SlotRange): AsyncGenerator<Slot, void, undefined> {
    try {
      for (let from = 0; from < run.length; from += loadBatch) {
        yield* await this.#load(process, run.slice(from, from + loadBatch))
      }
      let batch: IndexedSlot[] = []
      for await (const entry of rest ?? []) {
        batch.push(entry)
        if (batch.length < loadBatch) continue
        yield* await this.#load(process, batch)
        batch = []
      }
      yield* await this.#load(process, batch)
    } finally {
      await rest?.return()
    }
  }

  async #load(process: string, batch: readonly IndexedSlot[]): Promise<Slot[]> {
    const values = await this.#contents.loadMany(batch.map(({ id }) => id))
    return batch.map((indexed, i) => ({ ...indexed, assignment: this.#present(values[i], process, indexed) }))
  }

  #present(value: Value | undefined, process: string, { slot, id }: IndexedSlot): Assignment {
    if (value === undefined) throw missingContent(id, `slot ${slot} of process ${process}`)
    return value as Assignment
  }

  async *#tail(
    process: string,
    from: number,
    present: AsyncGenerator<Slot, void, undefined>,
    changes: ReturnType<Engine['changes']['watch']>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Slot, void, undefined> {
    try {
      for await (const slot of present) {
        if (signal?.aborted === true) return
        yield slot
      }
      const domain = indexDomain(process)
      for await (const change of changes) {
        const written = change.mutations.filter(
          (mutation) => mutation.kind === kind.link && mutation.key.startsWith(domain),
        )
        const slots = written.map((mutation) => ({
          slot: parseIndexKey(mutation.key).slot,
          id: decodeTarget(mutation.payload),
        }))
        yield* await this.#load(
          process,
          slots.filter(({ slot }) => slot >= from),
        )
      }
    } finally {
      await changes.return()
    }
  }
}

/** What is stored always has `process` as a string and `slot` as a number, however they were given: one content, one id. */
function encodeNormalized(assignment: Assignment, process: string, slot: number): EncodedMessage {
  if (assignment.process === process && assignment.slot === slot) return encodeMessage(assignment)
  return encodeCanonical({ ...assignment, process, slot })
}

function checkedChain(chain: unknown): string | undefined {
  if (chain === undefined || typeof chain === 'string') return chain
  throw new TypeError("'hash-chain' is a string when it is given")
}

function latestOf(head: Head | undefined): Latest | undefined {
  return head === undefined ? undefined : { slot: head.slot, id: head.id, hashChain: head.hashChain }
}

async function* allOf({ run, rest }: SlotRange): AsyncGenerator<IndexedSlot, void, undefined> {
  try {
    yield* run
    if (rest !== undefined) yield* rest
  } finally {
    await rest?.return()
  }
}

function assertPrevious(process: string, head: Head | undefined, expected: ContentId | null): void {
  const found = head?.id ?? null
  if (found === expected) return
  throw new HoldfastError(
    'HOLDFAST_PREVIOUS_MISMATCH',
    `the head of process ${process} is ${found ?? 'empty'}, not ${expected ?? 'empty'} as expected; read it again and decide anew`,
    { detail: { process, expected: expected ?? '', found: found ?? '' } },
  )
}

function slotConflict(process: string, slot: number, stored: ContentId, refused: ContentId): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_SLOT_CONFLICT',
    `slot ${slot} of process ${process} holds content ${stored}; ${refused} was refused. Use the next free slot, or overwrite: true to replace it`,
    { detail: { process, slot, stored, refused } },
  )
}
