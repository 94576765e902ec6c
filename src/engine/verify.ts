/**
 * Reads everything back and reports what does not hold: the log, the checkpoint chain, every entry's checksum, the
 * accounting (a hole in LevelDB shows as a count and digest that do not fit), and what each room checks of its own keys.
 */
import { assert, HoldfastError } from '../base/index.ts'
import { fingerprint, type Envelope, printableKey, readEnvelope } from '../codec/index.ts'
import type { BackendEntry } from '../kv/index.ts'
import { type Entry, TOMBSTONE } from '../memory/index.ts'
import { verifyWal } from '../wal/index.ts'
import {
  type Account,
  Accountant,
  type BatchChange,
  batchPrefix,
  type CheckpointRecord,
  checkpointKey,
  decodeMeta,
  emptyAccount,
  hashOf,
  metaPrefix,
  standingOf,
} from './checkpoint-record.ts'
import type { OpenEngine } from './open-handle.ts'
import type { Problem, VerifyOptions, VerifyReport } from './types.ts'

const batchSize = 256
const problemsMaxDefault = 100

/** A room's part of `verify`: sees its entries in key order, newest state, checksums already proven. */
export interface Checker {
  /** First character of its keys. */
  readonly prefix: string
  /** In the synchronous step in which the snapshot is taken that is checked. */
  begin?(): void
  check(entries: readonly CheckedEntry[], context: CheckContext): Promise<void>
  /** After the last key of all rooms. */
  finish?(context: CheckContext): Promise<void>
}

export interface CheckedEntry extends Envelope {
  readonly key: string
}

export interface CheckContext {
  report(code: string, where: string, message: string): void
  /** Which keys exist, looking past cached copies. */
  exist(keys: readonly string[]): Promise<boolean[]>
  count(figure: 'contents' | 'links' | 'processes' | 'slots', by: number): void
}

export async function verifyStore(
  open: OpenEngine,
  checkers: readonly Checker[],
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  return new Verification(open, checkers, options).run()
}

class Verification implements CheckContext {
  readonly #open: OpenEngine
  readonly #checkers: ReadonlyMap<string, Checker>
  readonly #options: VerifyOptions
  readonly #problems: Problem[] = []
  readonly #figures = { contents: 0, links: 0, processes: 0, slots: 0 }
  #problemCount = 0
  #entries = 0
  #bytes = 0

  constructor(open: OpenEngine, checkers: readonly Checker[], options: VerifyOptions) {
    this.#open = open
    this.#checkers = new Map(checkers.map((checker) => [checker.prefix, checker]))
    this.#options = options
  }

  async run(): Promise<VerifyReport> {
    const { engine } = this.#open
    const started = engine.clock.monotonic()
    await engine.settleLog()
    const log = await verifyWal(
      engine.readOnly ? engine.logFiles : { ...engine.logFiles, throughSequence: engine.durableSequence },
    )
    for (const { code, where, message } of log.problems) this.report(code, where, message)
    await this.#checkCheckpoint()
    await this.#checkEntries()
    for (const checker of this.#checkers.values()) await checker.finish?.(this)
    return {
      ok: this.#problemCount === 0,
      problems: this.#problems,
      problemCount: this.#problemCount,
      segments: log.segments,
      records: log.records,
      entries: this.#entries,
      ...this.#figures,
      bytes: this.#bytes + log.bytes,
      durationMs: engine.clock.monotonic() - started,
    }
  }

  report(code: string, where: string, message: string): void {
    this.#problemCount++
    if (this.#problems.length < (this.#options.problemsMax ?? problemsMaxDefault))
      this.#problems.push({ code, where, message })
  }

  count(figure: 'contents' | 'links' | 'processes' | 'slots', by: number): void {
    this.#figures[figure] += by
  }

  async exist(keys: readonly string[]): Promise<boolean[]> {
    const { tier, access } = this.#open.engine
    const found = await access.backend.hasMany(keys)
    return keys.map((key, i) => {
      const entry = tier.peek(key)
      return entry !== undefined && entry.generation > 0 ? entry.kind !== TOMBSTONE : found[i] === true
    })
  }

  async #checkCheckpoint(): Promise<void> {
    const published = this.#open.publishedCheckpoint
    const key = checkpointKey(published.number)
    const bytes = await this.#open.engine.access.backend.get(key)
    if (bytes === undefined) this.report('checkpoint-missing', key, 'the published checkpoint is gone from the backend')
    else if (hashOf(bytes) !== published.hash)
      this.report('checkpoint-damaged', key, 'the checkpoint record does not have the published hash')
  }

  /** One pass over a snapshot of the backend, merged with what is still dirty. */
  async #checkEntries(): Promise<void> {
    const { tier, access } = this.#open.engine
    for (const checker of this.#checkers.values()) checker.begin?.()
    const dirty = tier.dirtyAll().map(rowOf)
    const publishedKey = checkpointKey(this.#open.publishedCheckpoint.number)
    const iterator = access.backend.iterate({ gte: '', lt: '\u00ff' })
    const counted = new Accountant(emptyAccount)
    const changes: BatchChange[] = []
    let published: CheckpointRecord | undefined
    let next = 0
    try {
      for (;;) {
        const rows = await iterator.next(batchSize)
        const upTo = rows.length < batchSize ? undefined : rows.at(-1)?.key
        const checked: CheckedEntry[] = []
        for (const row of rows) {
          const { key, value } = row
          if (key === publishedKey) published = this.#meta<CheckpointRecord>(row)
          if (key.startsWith(batchPrefix)) changes.push(...this.#change(row))
          if (key.startsWith(metaPrefix)) continue
          counted.replace(undefined, fingerprintOf(row))
          while (next < dirty.length && (dirty[next] as DirtyRow).key < key)
            this.#pushDirty(dirty[next++] as DirtyRow, checked)
          if (dirty[next]?.key === key) this.#pushDirty(dirty[next++] as DirtyRow, checked)
          else this.#pushRow(key, value, checked)
        }
        while (next < dirty.length && (upTo === undefined || (dirty[next] as DirtyRow).key < upTo))
          this.#pushDirty(dirty[next++] as DirtyRow, checked)
        await this.#checkLookups(rows)
        await this.#dispatch(checked)
        this.#options.onProgress?.(this.#entries)
        if (upTo === undefined) break
      }
    } finally {
      await iterator.close()
    }
    this.#compareAccount(
      publishedKey,
      published === undefined ? undefined : standingOf(published, changes).account,
      counted.account,
    )
  }

  /**
   * A look-up goes through indexes and filters that a scan does not use: damage there hides an entry, or brings back an
   * older state of it, for reads alone.
   */
  async #checkLookups(rows: readonly BackendEntry[]): Promise<void> {
    const found = await this.#open.engine.access.backend.getMany(rows.map(({ key }) => key))
    for (const [i, { key, value }] of rows.entries()) {
      if (sameBytes(found[i], value) || (await this.#agreesNow(key))) continue
      this.report(
        'entry-unreachable',
        printableKey(key),
        'a scan of the backend finds this entry and a look-up does not',
      )
    }
  }

  /** A checkpoint may have changed the entry since the snapshot. Asked between two scans that agree, a look-up cannot differ. */
  async #agreesNow(key: string): Promise<boolean> {
    const before = await this.#scanOne(key)
    const found = await this.#open.engine.access.backend.get(key)
    const after = await this.#scanOne(key)
    return sameBytes(before, found) || !sameBytes(before, after)
  }

  async #scanOne(key: string): Promise<Uint8Array | undefined> {
    const iterator = this.#open.engine.access.backend.iterate({ gte: key, lt: `${key}\u0000` })
    try {
      return (await iterator.next(1))[0]?.value
    } finally {
      await iterator.close()
    }
  }

  #change(row: BackendEntry): BatchChange[] {
    const change = this.#meta<BatchChange>(row)
    return change === undefined ? [] : [change]
  }

  #meta<T>(row: BackendEntry): T | undefined {
    try {
      return decodeMeta<T>(row.key, row.value)
    } catch (error) {
      this.report('accounting-damaged', row.key, messageOf(error))
      return undefined
    }
  }

  #compareAccount(where: string, account: Account | undefined, counted: Account): void {
    if (account === undefined) {
      this.report('accounting-missing', where, 'the published checkpoint, and with it the accounting, cannot be read')
    } else if (account.entries !== counted.entries) {
      this.report('entry-count', where, `the backend should hold ${account.entries} entries and has ${counted.entries}`)
    } else if (account.digest !== counted.digest) {
      this.report(
        'entry-digest',
        where,
        'the entries of the backend are not those that were written: their digest differs',
      )
    }
  }

  #pushDirty({ key, value }: DirtyRow, checked: CheckedEntry[]): void {
    if (value !== undefined) this.#pushRow(key, value, checked)
  }

  #pushRow(key: string, value: Uint8Array, checked: CheckedEntry[]): void {
    this.#entries++
    this.#bytes += key.length + value.length
    try {
      checked.push({ key, ...readEnvelope(key, value) })
    } catch (error) {
      this.report('value-checksum', printableKey(key), messageOf(error))
    }
  }

  async #dispatch(checked: readonly CheckedEntry[]): Promise<void> {
    for (let from = 0; from < checked.length; ) {
      const prefix = (checked[from] as CheckedEntry).key.slice(0, 1)
      let to = from
      while (to < checked.length && (checked[to] as CheckedEntry).key.startsWith(prefix)) to++
      const checker = this.#checkers.get(prefix)
      const entries = checked.slice(from, to)
      if (checker !== undefined) await checker.check(entries, this)
      else
        for (const { key } of entries)
          this.report('unknown-key', printableKey(key), 'no structure of this release has such keys')
      from = to
    }
  }
}

interface DirtyRow {
  readonly key: string
  /** Undefined for a tombstone. */
  readonly value: Uint8Array | undefined
}

/** Its bytes as they are now: a checkpoint that settles the entry while verify goes on takes them away from it. */
function rowOf({ key, kind, buffer, offset, length }: Entry): DirtyRow {
  if (kind === TOMBSTONE) return { key, value: undefined }
  assert(buffer !== null, 'a dirty entry has its bytes')
  return { key, value: buffer.subarray(offset, offset + length) }
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0
}

/** A damaged envelope still counts: its stored checksum is what accounting added, unless that is what is damaged. */
function fingerprintOf({ key, value }: BackendEntry): number {
  return value.length < 5 ? 0 : fingerprint(key, value)
}

function messageOf(error: unknown): string {
  if (error instanceof HoldfastError) return error.message
  throw error
}
