/**
 * The engine: one synchronous state machine over an ordered keyspace. Every write is applied to the memory tier and
 * appended to the log in the same synchronous step, so call order is sequence order and a read-modify-write needs no
 * lock. Promises only wait for acknowledgement. Rooms above (content, schedule, …) define what keys and values mean.
 */
import { assert } from '../base/index.ts'
import { envelopeHeaderBytes, type KeyPrefix } from '../codec/index.ts'
import { BASE_ABSENT, BASE_UNKNOWN, Entry, type Home, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { type Level, level as levels } from '../wal/index.ts'
import { baseAfter, noteAbsence } from './backend-access.ts'
import { ChangeFeed } from './change-feed.ts'
import { closedError, notSynchronous, poisonedError } from './engine-errors.ts'
import type { Checkpoints, EngineParts } from './engine-parts.ts'
import { EngineReads } from './engine-reads.ts'
import { levelIn } from './options.ts'
import type { RecordBuilder } from './record-builder.ts'
import { RecordWriter } from './record-writer.ts'
import { StagedRecord } from './staged-record.ts'
import { type Effect, type Mark, type Outcome, settleTogether, Transaction, transactionStart } from './transaction.ts'
import type { WriteOptions } from './types.ts'

const noNote = Buffer.alloc(0)
const buffered: WriteOptions = { durability: 'buffered' }
const settled: Promise<undefined> = Promise.resolve(undefined)

export class Engine extends EngineReads {
  readonly defaultLevel: number
  readonly changes: ChangeFeed
  /** Hears of every mutation taken back, newest first, when memory is as before it. At most one. */
  onUndone: ((entry: Entry) => void) | undefined
  /** Set by `open` right after construction; undefined on a read-only engine. */
  checkpointer: Checkpoints | undefined
  readonly #isVolatile: boolean
  readonly #writer: RecordWriter | undefined
  /** Holds what was written with `writeStaged` since the last record. */
  readonly #staged: StagedRecord | undefined
  /** What the write under way builds its record in. */
  #builder: RecordBuilder | undefined
  #pressed = false
  readonly #transaction = new Transaction()

  constructor(parts: EngineParts) {
    super(parts)
    this.defaultLevel = parts.defaultLevel
    this.#isVolatile = parts.isVolatile === true
    this.#writer = parts.wal === undefined ? undefined : new RecordWriter(parts.wal)
    this.#builder = this.#writer
    // What a forgetful log is given is not worth keeping in large buffers.
    this.#staged = parts.wal === undefined || this.#isVolatile ? undefined : new StagedRecord(parts.wal)
    this.changes = new ChangeFeed(this)
  }

  // ------------------------------------------------------------------ writing

  /**
   * Runs `fn` synchronously; the puts and deletes it makes are one record. Answers a promise of its result,
   * acknowledged at its durability. A throw undoes everything and rejects. Inside a transaction the call joins it: a throw
   * undoes what this call did and is thrown at once, so that the transaction's function sees it.
   */
  write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    const transaction = this.#transaction
    if (transaction.active) return this.#join(options, fn)
    const refusal = this.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.flush()
    transaction.begin(this.defaultLevel)
    let value: T
    try {
      if (options !== undefined) transaction.level = levelIn(options, this.defaultLevel)
      value = fn()
    } catch (error) {
      this.#undoTo(transactionStart, 0)
      transaction.end()?.reject(error)
      return Promise.reject(error)
    }
    return this.#commit(value)
  }

  /**
   * As `write`, for a caller's own function. It may return the promise of a write it made, whose result is then the
   * transaction's; any other promise means that it would go on later, and is refused.
   */
  transact<R>(options: WriteOptions | undefined, fn: () => R): Promise<R> {
    let own: R | undefined
    const done = this.write(options, () => {
      const result = fn()
      if (typeof (result as { then?: unknown } | undefined)?.then !== 'function') return result
      if (!this.isOwnPromise(result)) throw notSynchronous(result)
      own = result
      return undefined as R
    })
    if (own === undefined) return done
    return this.ownPromise(done.then(() => own as R))
  }

  /**
   * As `write` at level `buffered`, but the record may stay open for the writes that follow: they are appended together,
   * at the next turn of the event loop at the latest. Like every buffered write it is acknowledged at once.
   */
  writeStaged<T>(fn: () => T): Promise<T> {
    const transaction = this.#transaction
    const staged = this.#staged
    if (transaction.active || staged === undefined || !this.#mayStage()) return this.write(buffered, fn)
    const mark = staged.length
    transaction.begin(levels.buffered)
    this.#builder = staged
    let value: T
    try {
      value = fn()
    } catch (error) {
      this.#undoTo(transactionStart, mark)
      this.#endStaged()?.reject(error)
      return Promise.reject(error)
    }
    return this.#keepStaged(staged, mark, value)
  }

  /** Appends the staged record, if there is one. */
  flush(): void {
    const staged = this.#staged
    if (staged === undefined || staged.length === 0 || this.#builder === staged) return
    if (this.status !== 'open') return
    const sequence = staged.commit()
    this.checkpointer?.afterWrite()
    this.#pressed = !this.wal.isSettled(sequence, levels.buffered) || this.checkpointer?.pressed === true
  }

  /** Only inside the function given to `write`. `value` is the decoded form if the caller has one it may share. */
  put(
    key: string,
    domain: string,
    entryKind: number,
    payload: Uint8Array,
    payloadLength: number,
    value: unknown = UNDECODED,
  ): Entry {
    const writer = this.#recordBuilder()
    const offset = writer.put(key, entryKind, payload, payloadLength)
    const length = envelopeHeaderBytes + payloadLength
    const { level } = this.#transaction
    const sequence = this.#nextSequence
    const entry = new Entry(key, entryKind, sequence, level, value, writer.buffer, offset, length, BASE_UNKNOWN)
    this.#install(entry, domain)
    return entry
  }

  /**
   * Only inside the function given to `write`: as `put`, of payload[from, to), into a home. `encoded` is the key
   * behind the home's domain, undefined where the id is a string and that the key. `absent`: the backend is known not to
   * have the key.
   */
  putHome(
    home: Home,
    prefix: KeyPrefix,
    id: unknown,
    encoded: string | undefined,
    entryKind: number,
    payload: Buffer,
    from: number,
    to: number,
    value: unknown,
    absent: boolean,
  ): Entry {
    const builder = this.#recordBuilder()
    let key: string | undefined
    const isText = encoded === undefined
    let offset = builder.putKeyed(prefix, encoded ?? (id as string), isText, entryKind, payload, from, to)
    if (offset < 0) {
      key = home.keyOf(id)
      offset = builder.put(key, entryKind, payload.subarray(from, to), to - from)
    }
    const length = envelopeHeaderBytes + to - from
    const { level: wanted } = this.#transaction
    const sequence = this.#nextSequence
    const { buffer } = builder
    const entry = new Entry(key, entryKind, sequence, wanted, value, buffer, offset, length, BASE_UNKNOWN, home, id)
    this.#installHome(entry, home, absent)
    return entry
  }

  /** Only inside the function given to `write`: as `delete`, of what a home has or the backend may have. */
  deleteHome(home: Home, id: unknown, note?: Buffer): Entry {
    this.#recordBuilder().delete(home.keyOf(id), note ?? noNote)
    const { level: wanted } = this.#transaction
    const sequence = this.#nextSequence
    const entry = new Entry(undefined, TOMBSTONE, sequence, wanted, note, null, 0, 0, BASE_UNKNOWN, home, id)
    this.#installHome(entry, home, false)
    return entry
  }

  /** Only inside the function given to `write`. `note` (at most 16 bytes) tells watchers and recovery why. */
  delete(key: string, domain: string, note?: Buffer): void {
    this.#recordBuilder().delete(key, note ?? noNote)
    const { level } = this.#transaction
    const entry = new Entry(key, TOMBSTONE, this.#nextSequence, level, note, null, 0, 0, BASE_UNKNOWN)
    this.#install(entry, domain)
  }

  /** Only inside the function given to `write`: state outside the engine that goes and comes with this record. */
  affect(effect: Effect): void {
    assert(this.#transaction.active, 'effects belong to a write')
    this.#transaction.affect(effect)
  }

  /**
   * The result of this write rests on `entry`: do not acknowledge it before that entry is acknowledged, and is as
   * durable as this write asks for.
   */
  observe(entry: Entry): void {
    if (entry.sequence > this.durableSequence) this.#transaction.observe(entry)
  }

  /** As `observe`, for a write that has nothing to do because the key is absent: its removal may not be durable yet. */
  observeAbsence(key: string): void {
    const entry = this.tier.peek(key)
    if (entry !== undefined) this.observe(entry)
  }

  /** Whether the caller runs inside a function given to `write`. */
  get inTransaction(): boolean {
    return this.#transaction.active
  }

  /** Of what follows from a write: inside a transaction it is one more promise that needs no handler. */
  ownPromise<T>(promise: Promise<T>): Promise<T> {
    return this.#transaction.active ? this.#transaction.adopt(promise) : promise
  }

  /** Whether a write that joined a transaction of this engine answered this promise. */
  isOwnPromise(value: unknown): boolean {
    return typeof value === 'object' && value !== null && this.#transaction.isOwn(value)
  }

  /** Throws a TypeError inside a transaction, for what takes more than one synchronous step. */
  refuseInTransaction(call: string): void {
    if (!this.#transaction.active) return
    throw new TypeError(`${call} cannot be called inside a transaction: it takes more than one synchronous step`)
  }

  /**
   * Right after `put`: the caller found nothing under the key, so accounting need not look it up at the next
   * checkpoint. Unless a removal was why: then the backend may still hold what was removed.
   */
  markAbsent(entry: Entry): void {
    if (this.#transaction.lastReplaced === undefined) noteAbsence(entry)
  }

  sync(): Promise<void> {
    const refusal = this.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.flush()
    return this.wal.sync()
  }

  async settleLog(): Promise<void> {
    this.flush()
    if (this.status === 'open' && this.log !== undefined) await this.log.sync()
  }

  /** After a failed write or fsync nothing more is promised: refuse writes, keep serving reads. */
  poison(cause: unknown): void {
    if (this.status !== 'open') return
    this.becomePoisoned(cause)
    this.checkpointer?.abandon()
    this.changes.fail(poisonedError(this.location, cause))
  }

  markClosed(): void {
    // What was staged while the store closed goes with what the log writes at its end.
    this.flush()
    this.becomeClosed()
    this.changes.fail(closedError(this.location))
  }

  // ------------------------------------------------------------------ inside

  get #nextSequence(): number {
    return this.wal.lastSequence + 1
  }

  #recordBuilder(): RecordBuilder {
    assert(this.#transaction.active && this.#builder !== undefined, 'mutations happen inside a write')
    return this.#builder
  }

  #install(entry: Entry, domain: string): void {
    const previous = this.tier.put(entry, domain)
    entry.base = baseAfter(previous, entry.generation)
    this.#transaction.applied(entry, previous, domain)
  }

  #installHome(entry: Entry, home: Home, absent: boolean): void {
    const previous = home.entries.get(entry.id)
    this.tier.putHome(entry, home, previous)
    if (previous !== undefined) entry.base = baseAfter(previous, entry.generation)
    else if (absent) entry.base = BASE_ABSENT
    this.#transaction.applied(entry, previous, home.domain)
  }

  #mayStage(): boolean {
    if (this.#pressed)
      this.#pressed = this.checkpointer?.pressed === true || !this.wal.isSettled(this.lastSequence, levels.buffered)
    return this.status === 'open' && !this.#pressed && !this.changes.active
  }

  #keepStaged<T>(staged: StagedRecord, mark: number, value: T): Promise<T> {
    const transaction = this.#transaction
    const wrote = staged.length > mark
    const wanted = transaction.seal() as Level
    const { effects, observedSequence, observedLevel } = transaction
    if (wanted === levels.buffered) this.#dropTombstones()
    const joined = this.#endStaged()
    // Something that joined asked for more: the record cannot stay open.
    const sequence = wrote && wanted > levels.buffered ? staged.commit(wanted) : this.#nextSequence
    for (const effect of effects) effect.committed?.(sequence)
    if (!wrote || wanted > levels.buffered) {
      const level = Math.max(wanted, wrote ? 0 : observedLevel) as Level
      return settleTogether(this.#acknowledge(wrote ? sequence : observedSequence, level, value), joined)
    }
    joined?.resolve()
    if (staged.isFull) this.flush()
    else if (mark === 0) setImmediate(() => this.flush())
    return value === undefined ? (settled as Promise<T>) : Promise.resolve(value)
  }

  /** A tombstone has nothing to hide where the backend has nothing, and nobody to wait for it where writes do not wait. */
  #dropTombstones(): void {
    for (const entry of this.#transaction.entries) {
      if (entry.kind !== TOMBSTONE) continue
      if (this.#isVolatile || entry.base === BASE_ABSENT) this.tier.dropTombstone(entry)
    }
  }

  #endStaged(): Outcome | undefined {
    this.#builder = this.#writer
    return this.#transaction.end()
  }

  #undoTo(mark: Mark, recordLength: number): void {
    this.#transaction.undoTo(mark, (entry, previous, domain) => {
      this.tier.undo(entry, previous, domain)
      this.onUndone?.(entry)
    })
    this.#builder?.truncate(recordLength)
  }

  #join<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    const transaction = this.#transaction
    const mark = transaction.mark
    const recordLength = this.#recordBuilder().length
    let value: T
    try {
      if (options?.durability !== undefined) transaction.raise(levelIn(options, this.defaultLevel))
      value = fn()
    } catch (error) {
      this.#undoTo(mark, recordLength)
      throw error
    }
    return transaction.outcome(value)
  }

  #commit<T>(value: T): Promise<T> {
    const transaction = this.#transaction
    const level = transaction.seal()
    const writer = this.#writer as RecordWriter
    const wrote = writer.length > 0
    let sequence = transaction.observedSequence
    if (wrote) {
      try {
        sequence = writer.commit(level)
      } catch (error) {
        // The log refused before taking a byte of it: nothing happened.
        this.#undoTo(transactionStart, 0)
        transaction.end()?.reject(error)
        return Promise.reject(error)
      }
      if (this.changes.active) this.changes.committed(sequence, transaction.entries)
    }
    const { effects } = transaction
    if (this.#isVolatile) this.#dropTombstones()
    const joined = transaction.end()
    for (const effect of effects) effect.committed?.(sequence)
    const acknowledged = this.#acknowledge(
      sequence,
      (wrote ? level : Math.max(level, transaction.observedLevel)) as Level,
      value,
    )
    if (wrote) this.checkpointer?.afterWrite()
    return settleTogether(acknowledged, joined)
  }

  #acknowledge<T>(sequence: number, wanted: Level, value: T): Promise<T> {
    if (sequence === 0) return Promise.resolve(value)
    const gate = this.checkpointer?.gate()
    if (gate === undefined) return this.wal.settled(sequence, wanted, value)
    return gate.then(() => this.wal.settled(sequence, wanted, value))
  }
}
