/**
 * The reading half of the engine: memory first, then the backend, never past an error of either. A read that answers a
 * promise shows only what is acknowledged.
 */
import type { Clock, HoldfastError } from '../base/index.ts'
import { envelopeHeaderBytes, kind } from '../codec/index.ts'
import { Entry, type Home, type MemoryTier, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { type Level, type Log, type LogRecord, readLog, type WalLocation } from '../wal/index.ts'
import type { BackendAccess } from './backend-access.ts'
import { closedError, poisonedError, readOnlyError } from './engine-errors.ts'
import type { EngineParts } from './engine-parts.ts'
import { type MergedScan, type ScanRange, startScan, startScanAll } from './scan.ts'
import type { RecoveryReport, StoreStatus } from './types.ts'

export abstract class EngineReads {
  readonly location: string
  readonly tier: MemoryTier
  readonly access: BackendAccess
  readonly clock: Clock
  readonly recovery: RecoveryReport
  readonly logFiles: WalLocation
  protected readonly log: Log | undefined
  #status: StoreStatus = 'open'
  #failure: unknown

  constructor(parts: EngineParts) {
    this.location = parts.location
    this.tier = parts.tier
    this.access = parts.access
    this.clock = parts.clock
    this.recovery = parts.recovery
    this.logFiles = parts.logFiles
    this.log = parts.wal
  }

  get status(): StoreStatus {
    return this.#status
  }

  /** Why writes are refused right now; undefined when they are not. */
  refusal(): HoldfastError | undefined {
    if (this.#status === 'open' && this.log !== undefined) return undefined
    if (this.#status === 'closed') return closedError(this.location)
    if (this.#status === 'poisoned') return poisonedError(this.location, this.#failure)
    return readOnlyError(this.location)
  }

  protected becomePoisoned(cause: unknown): void {
    this.#status = 'poisoned'
    this.#failure = cause
  }

  protected becomeClosed(): void {
    this.#status = 'closed'
  }

  /** Appends what was staged, so that every write so far has its place in the log. */
  abstract flush(): void

  get readOnly(): boolean {
    return this.log === undefined
  }

  /** The log of a writable engine. */
  get wal(): Log {
    if (this.log === undefined) throw readOnlyError(this.location)
    return this.log
  }

  get lastSequence(): number {
    this.flush()
    return this.log?.lastSequence ?? this.recovery.lastSequence
  }

  get durableSequence(): number {
    return this.log?.durableSequence ?? this.recovery.lastSequence
  }

  assertReadable(): void {
    if (this.status === 'closed') throw closedError(this.location)
  }

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
    return entry.sequence === 0 || this.log === undefined || this.log.isSettled(entry.sequence, entry.level as Level)
  }

  /** Resolves when the write that made this entry is acknowledged; rejects if its group failed. */
  acknowledged(entry: Entry): Promise<void> {
    this.flush()
    if (entry.sequence > this.wal.lastSequence) return Promise.reject(ofThisTransaction())
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

  /**
   * Reads the entry of an id whose home does not have it, and keeps it there if there is room. `asOf`: the tier's
   * settlements when the read of `bytes` began.
   */
  #admitHome(home: Home, id: unknown, loaded: Entry | undefined, asOf: number): Entry | undefined {
    if (loaded === undefined) return undefined
    const { text, sequence, level, buffer, offset, length, base } = loaded
    const entry = new Entry(text, loaded.kind, sequence, level, UNDECODED, buffer, offset, length, base, home, id)
    this.tier.admit(entry, asOf)
    return entry
  }

  /** The entry of `id` out of the backend: its home must not have one. Blocks. */
  loadHomeSync(home: Home, id: unknown): Entry | undefined {
    this.assertReadable()
    return this.#admitHome(home, id, this.access.getSync(home.keyOf(id)), this.tier.settlements)
  }

  async loadHome(home: Home, id: unknown): Promise<Entry | undefined> {
    this.assertReadable()
    const asOf = this.tier.settlements
    return this.#admitHome(home, id, await this.access.get(home.keyOf(id)), asOf)
  }

  /** The entries of these ids out of the backend, in one read: their homes must not have them. */
  async loadHomeMany(home: Home, ids: readonly unknown[]): Promise<(Entry | undefined)[]> {
    this.assertReadable()
    const asOf = this.tier.settlements
    const loaded = await this.access.getMany(ids.map((id) => home.keyOf(id)))
    return loaded.map((entry, i) => this.#admitHome(home, ids[i], entry, asOf))
  }

  /** Durable records from sequence `from` on, read back from the segments. */
  readLog(from: number): AsyncIterable<LogRecord> {
    return readLog({ ...this.logFiles, throughSequence: this.durableSequence }, from)
  }
}

/** It could wait for ever, or be answered by another record's sequence after the transaction is undone. */
function ofThisTransaction(): TypeError {
  return new TypeError(
    'a read that answers a promise cannot show what the transaction around it has written; use the call that ends in Sync',
  )
}
