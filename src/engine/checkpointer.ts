/**
 * Background checkpoints: move the sealed dirty generation to the backend, durably, so that old segments can go.
 *
 * Order, each step resting on the one before:
 *   1. seal the dirty generation (writers go on in a new one)
 *   2. make the log durable up to its last sequence   // I5: the backend never holds what the log could lose
 *   3. apply it in batches, one in flight; every batch carries the accounting that fits it
 *   4. last batch, synced: the chained checkpoint record; re-read it
 *   5. publish it in the superblock                    // I9: publish only what was read back
 *   6. settle the generation in memory; remove segments older than the checkpoint before this one
 * An error in 3 or 4 drops the backend's handle, opens it again and tries once more; a second one, or a full disk, poisons
 * the store.
 */
import { assert, type Clock, HoldfastError, hasCode } from '../base/index.ts'
import { fingerprint, kind } from '../codec/index.ts'
import { type FileSystem, writeFileAtomic } from '../fs/index.ts'
import type { BackendOperation } from '../kv/index.ts'
import { BASE_ABSENT, BASE_UNKNOWN, type Entry, type Generation, type MemoryTier, TOMBSTONE } from '../memory/index.ts'
import type { Wal } from '../wal/index.ts'
import { type BackendAccess, entryFingerprint } from './backend-access.ts'
import {
  type Account,
  Accountant,
  type BatchChange,
  batchKey,
  changeBetween,
  type CheckpointRecord,
  checkpointKey,
  encodeMeta,
  hashOf,
  type Standing,
} from './checkpoint-record.ts'
import { readStanding } from './standing.ts'
import { encodeSuperblock, type Superblock } from './superblock.ts'
import type { CheckpointReport } from './types.ts'

const chunkBytes = 512 * 1024
const chunkEntries = 1024
const settleChunk = 4096
const keptUnreadBytesMax = 512

export interface CheckpointerParts {
  readonly fileSystem: FileSystem
  readonly superblockFile: string
  readonly superblock: Superblock
  readonly standing: Standing
  readonly tier: MemoryTier
  readonly wal: Wal
  /** The last writes that go into the checkpoint about to be sealed. */
  beforeSeal(): void
  readonly access: BackendAccess
  readonly clock: Clock
  /** Dirty bytes of the active generation that start a checkpoint. */
  readonly checkpointBytes: number
  /** Dirty bytes at which writers wait. */
  readonly dirtyBytesMax: number
  poison(cause: unknown): void
  /** Throws HOLDFAST_LOCKED when another owner has opened the store since this one did. */
  confirmOwner(): void
}

export class Checkpointer {
  readonly #parts: CheckpointerParts
  #superblock: Superblock
  readonly #accountant: Accountant
  /** Attempts at the next checkpoint so far. */
  #attempt: number
  #running: Promise<CheckpointReport> | undefined
  /** Part of the sealed generation that reached the backend, 0..1: what writers are paced by. */
  #drained = 0
  #waiting: (() => void)[] = []
  #stopped = false
  /** A write made while sealing must not start another checkpoint. */
  #sealing = false
  #completed = 0

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#superblock = parts.superblock
    this.#accountant = new Accountant(parts.standing.account)
    this.#attempt = parts.standing.attempt
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  get completed(): number {
    return this.#completed
  }

  get writersWaiting(): number {
    return this.#waiting.length
  }

  get sequence(): number {
    return this.#superblock.checkpoint.sequence
  }

  get superblock(): Superblock {
    return this.#superblock
  }

  get account(): Account {
    return this.#accountant.account
  }

  /** After every write: starts a checkpoint when enough is dirty. */
  afterWrite(): void {
    if (this.#running !== undefined || this.#stopped || this.#sealing) return
    if (this.#parts.tier.dirtyBytes < this.#parts.checkpointBytes) return
    this.#start().catch((error: unknown) => this.#parts.poison(error))
  }

  /**
   * Undefined when a writer may be acknowledged at once. While a checkpoint runs, the active generation may fill no
   * faster than the sealed one drains, once it is half full: writers slow down evenly instead of stopping for seconds.
   */
  gate(): Promise<void> | undefined {
    if (!this.pressed) return undefined
    this.afterWrite()
    return new Promise((resume) => this.#waiting.push(resume))
  }

  get pressed(): boolean {
    const { tier, dirtyBytesMax } = this.#parts
    return !this.#stopped && tier.dirtyBytes > dirtyBytesMax / 2 && this.#mustWait()
  }

  /** Everything written so far is in the backend when it resolves. */
  async checkpoint(): Promise<CheckpointReport> {
    while (this.#running !== undefined) await this.#running
    return this.#start()
  }

  /** The store is poisoned or closing: let every waiting writer go (to its own error). */
  abandon(): void {
    this.#stopped = true
    this.#release()
  }

  /** Waits for a running checkpoint to end, however it ends. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined)
  }

  #mustWait(): boolean {
    const { tier, dirtyBytesMax } = this.#parts
    if (this.#running === undefined) return tier.dirtyBytes > dirtyBytesMax
    return tier.activeBytes > (dirtyBytesMax / 2) * (0.5 + 0.5 * this.#drained)
  }

  #release(): void {
    if (this.#waiting.length === 0 || (!this.#stopped && this.#mustWait())) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  #start(): Promise<CheckpointReport> {
    const running = this.#checkpoint().finally(() => {
      this.#running = undefined
      this.#drained = 0
      this.#release()
      if (!this.#stopped) this.afterWrite()
    })
    this.#running = running
    return running
  }

  /** A failed checkpoint is the last one, whoever hears of it first: its generation stays sealed. */
  async #checkpoint(): Promise<CheckpointReport> {
    try {
      return await this.#run()
    } catch (error) {
      this.abandon()
      throw error
    }
  }

  async #run(): Promise<CheckpointReport> {
    const { tier, wal, clock } = this.#parts
    const started = clock.monotonic()
    this.#sealing = true
    this.#parts.beforeSeal()
    this.#sealing = false
    const sequence = wal.lastSequence
    if (sequence === this.sequence && tier.activeEntries === 0) return this.#report(0, 0, 0, started)
    const generation = tier.seal()
    const { bytes, size } = generation
    await wal.sync()
    const record = await this.#applyOrRetry(generation, sequence)
    await this.#publish(record, sequence)
    await this.#settle(generation)
    this.#completed++
    const removed = await wal.trim(this.#superblock.previousCheckpoint?.sequence ?? 0)
    return this.#report(size, bytes, removed.segments, started)
  }

  async #applyOrRetry(generation: Generation, sequence: number): Promise<{ number: number; bytes: Buffer }> {
    try {
      return await this.#apply(generation, sequence)
    } catch (error) {
      // On a full disk LevelDB cannot be opened again, while the handle there is still answers reads.
      if (this.#stopped || hasCode(error, 'HOLDFAST_NO_SPACE')) throw error
      await this.#reopen(generation, error)
      return this.#apply(generation, sequence)
    }
  }

  async #apply(generation: Generation, sequence: number): Promise<{ number: number; bytes: Buffer }> {
    const { backend } = this.#parts.access
    const { entries } = generation
    const base = this.#accountant.account
    this.#attempt++
    let batches = 0
    for (let from = 0; from < entries.length; ) {
      const chunk = takeChunk(entries, from)
      await this.#resolveBases(chunk)
      const before = this.#accountant.account
      const operations = this.#operationsFor(chunk)
      if (operations.length > 0) {
        operations.push(this.#changeSince(before, base, batches++))
        await backend.batch(operations, { sync: false })
      }
      from += chunk.length
      this.#drained = from / entries.length
      this.#release()
      if (this.#stopped) throw new HoldfastError('HOLDFAST_ABORTED', 'the checkpoint was abandoned')
    }
    return this.#complete(sequence)
  }

  #changeSince(before: Account, base: Account, index: number): BackendOperation {
    const key = batchKey(index)
    const change: BatchChange = {
      ...{ after: this.#superblock.checkpoint.number, attempt: this.#attempt, base },
      ...changeBetween(before, this.#accountant.account),
    }
    return { key, value: encodeMeta(key, change) }
  }

  /** The synced last batch, and the proof that it is there. */
  async #complete(sequence: number): Promise<{ number: number; bytes: Buffer }> {
    const { backend } = this.#parts.access
    const previous = this.#superblock.checkpoint
    const number = previous.number + 1
    const record: CheckpointRecord = {
      number,
      sequence,
      epoch: this.#superblock.epoch,
      account: this.#accountant.account,
      previousHash: previous.hash,
    }
    const key = checkpointKey(number)
    const bytes = encodeMeta(key, record)
    const operations: BackendOperation[] = [{ key, value: bytes }]
    if (number >= 2) operations.push({ key: checkpointKey(number - 2), value: undefined })
    await backend.batch(operations, { sync: true })
    const read = await backend.get(key)
    if (read === undefined || Buffer.compare(read, bytes) !== 0) {
      throw new HoldfastError(
        'HOLDFAST_CORRUPT',
        `checkpoint ${number} cannot be read back from ${backend.description}`,
        {
          detail: { checkpoint: number },
        },
      )
    }
    return { number, bytes }
  }

  async #publish(record: { number: number; bytes: Buffer }, sequence: number): Promise<void> {
    const superblock: Superblock = {
      ...this.#superblock,
      checkpoint: { number: record.number, sequence, hash: hashOf(record.bytes) },
      previousCheckpoint: this.#superblock.checkpoint,
    }
    const { fileSystem, superblockFile } = this.#parts
    await writeFileAtomic(fileSystem, superblockFile, encodeSuperblock(superblock))
    this.#superblock = superblock
    this.#attempt = 0
  }

  async #settle(generation: Generation): Promise<void> {
    const { tier } = this.#parts
    while (!tier.settle(generation, settleChunk, worthKeeping)) await immediate()
  }

  /** What accounting does not know of the backend's present state, it asks: existence for content, checksums otherwise. */
  async #resolveBases(chunk: readonly Entry[]): Promise<void> {
    const { backend } = this.#parts.access
    const contents = chunk.filter((entry) => entry.base === BASE_UNKNOWN && isContent(entry))
    if (contents.length > 0) {
      const found = await backend.hasMany(contents.map((entry) => entry.key))
      contents.forEach((entry, i) => {
        entry.base = found[i] === true ? entryFingerprint(entry) : BASE_ABSENT
      })
    }
    const others = chunk.filter((entry) => entry.base === BASE_UNKNOWN)
    if (others.length === 0) return
    const values = await backend.getMany(others.map((entry) => entry.key))
    others.forEach((entry, i) => {
      const value = values[i]
      entry.base = value === undefined ? BASE_ABSENT : fingerprint(entry.key, value)
    })
  }

  #operationsFor(chunk: readonly Entry[]): BackendOperation[] {
    const operations: BackendOperation[] = []
    for (const entry of chunk) {
      const before = entry.base === BASE_ABSENT ? undefined : entry.base
      if (entry.kind === TOMBSTONE) {
        if (before === undefined) continue
        this.#accountant.replace(before, undefined)
        entry.base = BASE_ABSENT
        operations.push({ key: entry.key, value: undefined })
        continue
      }
      assert(entry.buffer !== null, 'a dirty entry has its bytes')
      const after = entryFingerprint(entry)
      this.#accountant.replace(before, after)
      // From here on the entry is what the backend holds.
      entry.base = after
      operations.push({ key: entry.key, value: entry.buffer.subarray(entry.offset, entry.offset + entry.length) })
    }
    return operations
  }

  /** LevelDB goes on after a failed append and loses later batches: only a new handle can be trusted. */
  async #reopen(generation: Generation, cause: unknown): Promise<void> {
    const { access, tier } = this.#parts
    try {
      await access.reopen()
      const standing = await readStanding(access, this.#superblock.checkpoint)
      this.#accountant.reset(standing.account)
      this.#attempt = standing.attempt
    } catch (error) {
      if (hasCode(error, 'HOLDFAST_CORRUPT')) throw error
      const errors = [cause, error]
      const code = errors.some((each) => hasCode(each, 'HOLDFAST_NO_SPACE')) ? 'HOLDFAST_NO_SPACE' : 'HOLDFAST_IO'
      throw new HoldfastError(code, `${access.backend.description} failed and could not be opened again`, {
        cause: new AggregateError(errors, 'checkpoint failed, then reopening failed'),
      })
    }
    // Closing let go of LevelDB's lock: another owner may have come and gone before it was ours again.
    this.#parts.confirmOwner()
    // Whether the failed batch is there is unknown, so nothing that accounting assumed holds any more.
    for (const entry of generation.entries) entry.base = BASE_UNKNOWN
    for (const entry of tier.dirtyAll()) entry.base = BASE_UNKNOWN
  }

  #report(entries: number, bytes: number, segmentsRemoved: number, started: number): CheckpointReport {
    return {
      number: this.#superblock.checkpoint.number,
      sequence: this.sequence,
      entries,
      bytes,
      segmentsRemoved,
      durationMs: this.#parts.clock.monotonic() - started,
    }
  }
}

/** Copying every large value out of the log's buffers costs more than reading the few that are wanted later. */
function worthKeeping(entry: Entry): boolean {
  return entry.visited || entry.length <= keptUnreadBytesMax
}

function isContent(entry: Entry): boolean {
  return entry.kind === kind.contentMessage || entry.kind === kind.contentBytes
}

function takeChunk(entries: readonly Entry[], from: number): Entry[] {
  const chunk: Entry[] = []
  let bytes = 0
  for (let i = from; i < entries.length && chunk.length < chunkEntries && bytes < chunkBytes; i++) {
    const entry = entries[i] as Entry
    chunk.push(entry)
    bytes += entry.length
  }
  return chunk
}

function immediate(): Promise<void> {
  return new Promise((resume) => setImmediate(resume))
}
