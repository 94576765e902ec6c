/**
 * The engine: one synchronous state machine over an ordered keyspace. Every write is applied to the memory tier and
 * appended to the log in the same synchronous step, so call order is sequence order and a read-modify-write needs no
 * lock. Promises only wait for acknowledgement. Rooms above (content, schedule, …) define what keys and values mean.
 */
import { assert, type Clock, type HoldfastError } from '../base/index.ts'
import { envelopeHeaderBytes, kind } from '../codec/index.ts'
import { BASE_UNKNOWN, Entry, type MemoryTier, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { type Level, type Log, type LogRecord, readLog, type WalLocation } from '../wal/index.ts'
import { type BackendAccess, baseAfter, noteAbsence } from './backend-access.ts'
import { ChangeFeed } from './change-feed.ts'
import type { Checkpoints, EngineParts } from './engine-parts.ts'
import { closedError, poisonedError, readOnlyError } from './engine-errors.ts'
import { levelIn } from './options.ts'
import { RecordWriter } from './record-writer.ts'
import { type MergedScan, type ScanRange, startScan, startScanAll } from './scan.ts'
import { type Effect, type Mark, Transaction, transactionStart } from './transaction.ts'
import type { RecoveryReport, StoreStatus, WriteOptions } from './types.ts'

const noNote = Buffer.alloc(0)

export class Engine {
  readonly location: string
  readonly tier: MemoryTier
  readonly access: BackendAccess
  readonly clock: Clock
  readonly recovery: RecoveryReport
  readonly defaultLevel: number
  readonly logFiles: WalLocation
  readonly changes: ChangeFeed
  /** Hears of every mutation taken back, newest first, when memory is as before it. At most one. */
  onUndone: ((entry: Entry, previous: Entry | undefined) => void) | undefined
  /** Set by `open` right after construction; undefined on a read-only engine. */
  checkpointer: Checkpoints | undefined
  readonly #wal: Log | undefined
  readonly #writer: RecordWriter | undefined
  readonly #transaction = new Transaction()
  #status: StoreStatus = 'open'
  #failure: unknown

  constructor(parts: EngineParts) {
    this.location = parts.location
    this.tier = parts.tier
    this.access = parts.access
    this.clock = parts.clock
    this.recovery = parts.recovery
    this.defaultLevel = parts.defaultLevel
    this.logFiles = parts.logFiles
    this.#wal = parts.wal
    this.#writer = parts.wal === undefined ? undefined : new RecordWriter(parts.wal)
    this.changes = new ChangeFeed(this)
  }

  get status(): StoreStatus {
    return this.#status
  }

  get readOnly(): boolean {
    return this.#wal === undefined
  }

  /** The log of a writable engine. */
  get wal(): Log {
    if (this.#wal === undefined) throw readOnlyError(this.location)
    return this.#wal
  }

  get lastSequence(): number {
    return this.#wal?.lastSequence ?? this.recovery.lastSequence
  }

  get durableSequence(): number {
    return this.#wal?.durableSequence ?? this.recovery.lastSequence
  }

  // ------------------------------------------------------------------ reading

  /** Latest applied state, unacknowledged writes included; blocks on the backend when not in memory. */
  getSync(key: string): Entry | undefined {
    this.assertReadable()
    const entry = this.tier.get(key)
    if (entry !== undefined) return entry.kind === TOMBSTONE ? undefined : entry
    const loaded = this.access.getSync(key)
    if (loaded !== undefined) this.tier.admit(loaded, this.tier.settlements)
    return loaded
  }

  /** Never answers a write that is not acknowledged yet: waits for its group. */
  async get(key: string): Promise<Entry | undefined> {
    this.assertReadable()
    const entry = this.tier.get(key)
    if (entry !== undefined) {
      if (!this.isAcknowledged(entry)) {
        const stored = await this.#acknowledgedOrStored(entry)
        if (stored !== undefined) return stored
      }
      return entry.kind === TOMBSTONE ? undefined : entry
    }
    const asOf = this.tier.settlements
    const loaded = await this.access.get(key)
    if (loaded !== undefined) this.tier.admit(loaded, asOf)
    return loaded
  }

  /**
   * Waits for the write that made this entry. When that fails and the entry is content, an earlier write may have
   * stored the same bytes: they stay readable, as the backend never holds what was not acknowledged.
   */
  async #acknowledgedOrStored(entry: Entry): Promise<Entry | undefined> {
    try {
      await this.acknowledged(entry)
      return undefined
    } catch (error) {
      const isContent = entry.kind === kind.contentMessage || entry.kind === kind.contentBytes
      const stored = isContent ? await this.access.get(entry.key) : undefined
      if (stored === undefined) throw error
      return stored
    }
  }

  /** Brings what memory lacks of these keys into the clean tier, in one read of the backend. */
  async prefetch(keys: readonly string[]): Promise<void> {
    this.assertReadable()
    const missing = keys.filter((key) => this.tier.peek(key) === undefined)
    if (missing.length === 0) return
    const asOf = this.tier.settlements
    for (const entry of await this.access.getMany(missing)) if (entry !== undefined) this.tier.admit(entry, asOf)
  }

  isAcknowledged(entry: Entry): boolean {
    return entry.sequence === 0 || this.#wal === undefined || this.#wal.isSettled(entry.sequence, entry.level as Level)
  }

  /** Resolves when the write that made this entry is acknowledged; rejects if its group failed. */
  acknowledged(entry: Entry): Promise<void> {
    return this.wal.settled(entry.sequence, entry.level as Level, undefined)
  }

  /** The payload of an entry's envelope; undefined when memory keeps only its decoded value. Valid in this step only. */
  payload(entry: Entry): Buffer | undefined {
    if (entry.buffer === null) return undefined
    return entry.buffer.subarray(entry.offset + envelopeHeaderBytes, entry.offset + entry.length)
  }

  /** Ordered merge of memory and backend: a snapshot as of this call. */
  scan(range: ScanRange): MergedScan {
    this.assertReadable()
    return startScan(this, range)
  }

  /** Every entry whose key starts with `prefix`, over all domains: sorts the dirty ones, so for maintenance only. */
  scanAll(prefix: string): MergedScan {
    this.assertReadable()
    return startScanAll(this, prefix)
  }

  /** For an entry of which memory keeps only the decoded value. */
  async payloadFromBackend(key: string): Promise<Buffer | undefined> {
    const entry = await this.access.get(key)
    return entry === undefined ? undefined : this.payload(entry)
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
      if (!this.isOwnPromise(result)) {
        // The promise belongs to a transaction that is undone; its own outcome no longer matters to anyone.
        Promise.resolve(result).catch(() => undefined)
        throw new TypeError('the function given to transact must be synchronous, but it returned a promise')
      }
      own = result
      return undefined as R
    })
    if (own === undefined) return done
    const result = done.then(() => own as R)
    // Joined to another transaction, it is one more promise of a write inside that one.
    return this.#transaction.active ? this.#transaction.adopt(result) : result
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
    const writer = this.#recordWriter()
    const offset = writer.put(key, entryKind, payload, payloadLength)
    const length = envelopeHeaderBytes + payloadLength
    const { level } = this.#transaction
    const sequence = this.#nextSequence
    const entry = new Entry(key, entryKind, sequence, level, value, writer.buffer, offset, length, BASE_UNKNOWN)
    this.#install(entry, domain)
    return entry
  }

  /** Only inside the function given to `write`. `note` (at most 16 bytes) tells watchers and recovery why. */
  delete(key: string, domain: string, note?: Buffer): void {
    this.#recordWriter().delete(key, note ?? noNote)
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

  /** Whether a write that joined a transaction of this engine answered this promise. */
  isOwnPromise(value: unknown): boolean {
    return typeof value === 'object' && value !== null && this.#transaction.isOwn(value)
  }

  /** Throws a TypeError inside a transaction, for what takes more than one synchronous step. */
  refuseInTransaction(call: string): void {
    if (!this.#transaction.active) return
    throw new TypeError(`${call} cannot be called inside a transaction: it takes more than one synchronous step`)
  }

  /** Accounting need not look this key up at the next checkpoint: the caller knows the backend does not have it. */
  markAbsent(entry: Entry): void {
    noteAbsence(entry)
  }

  /** Durable records from sequence `from` on, read back from the segments. */
  readLog(from: number): AsyncIterable<LogRecord> {
    return readLog({ ...this.logFiles, throughSequence: this.durableSequence }, from)
  }

  sync(): Promise<void> {
    const refusal = this.refusal()
    return refusal === undefined ? this.wal.sync() : Promise.reject(refusal)
  }

  async settleLog(): Promise<void> {
    if (this.#status === 'open' && this.#wal !== undefined) await this.#wal.sync()
  }

  /** Why writes are refused right now; undefined when they are not. */
  refusal(): HoldfastError | undefined {
    if (this.#status === 'open' && this.#wal !== undefined) return undefined
    if (this.#status === 'closed') return closedError(this.location)
    if (this.#status === 'poisoned') return poisonedError(this.location, this.#failure)
    return readOnlyError(this.location)
  }

  /** After a failed write or fsync nothing more is promised: refuse writes, keep serving reads. */
  poison(cause: unknown): void {
    if (this.#status !== 'open') return
    this.#status = 'poisoned'
    this.#failure = cause
    this.checkpointer?.abandon()
    this.changes.fail(poisonedError(this.location, cause))
  }

  markClosed(): void {
    this.#status = 'closed'
    this.changes.fail(closedError(this.location))
  }

  assertReadable(): void {
    if (this.#status === 'closed') throw closedError(this.location)
  }

  // ------------------------------------------------------------------ inside

  get #nextSequence(): number {
    return this.wal.lastSequence + 1
  }

  #recordWriter(): RecordWriter {
    assert(this.#transaction.active && this.#writer !== undefined, 'mutations happen inside a write')
    return this.#writer
  }

  #install(entry: Entry, domain: string): void {
    const previous = this.tier.put(entry, domain)
    entry.base = baseAfter(previous, entry.generation)
    this.#transaction.applied(entry, previous, domain)
  }

  #undoTo(mark: Mark, recordLength: number): void {
    this.#transaction.undoTo(mark, (entry, previous, domain) => {
      this.tier.undo(entry, previous, domain)
      this.onUndone?.(entry, previous)
    })
    this.#writer?.truncate(recordLength)
  }

  #join<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    const transaction = this.#transaction
    const mark = transaction.mark
    const recordLength = this.#recordWriter().length
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
    const writer = this.#recordWriter()
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
    const joined = transaction.end()
    for (const effect of effects) effect.committed?.(sequence)
    const acknowledged = this.#acknowledge(
      sequence,
      (wrote ? level : Math.max(level, transaction.observedLevel)) as Level,
      value,
    )
    if (joined !== undefined) {
      acknowledged.then(
        () => joined.resolve(),
        (error: unknown) => joined.reject(error),
      )
    }
    if (wrote) this.checkpointer?.afterWrite()
    return acknowledged
  }

  #acknowledge<T>(sequence: number, level: Level, value: T): Promise<T> {
    if (sequence === 0) return Promise.resolve(value)
    const gate = this.checkpointer?.gate()
    if (gate === undefined) return this.wal.settled(sequence, level, value)
    return gate.then(() => this.wal.settled(sequence, level, value))
  }
}
