/**
 * Committed changes for watchers: only durable ones, in sequence order. A watcher that falls behind is told what it
 * missed and dropped; it never slows a writer.
 */
import { HoldfastError } from '../base/index.ts'
import { envelopeHeaderBytes } from '../codec/index.ts'
import { type Entry, TOMBSTONE } from '../memory/index.ts'
import type { LogRecord } from '../wal/index.ts'
import { decodeRecord } from './record-format.ts'
import { releasing } from './releasing.ts'

/** What the feed asks of the engine. */
export interface ChangeSource {
  readonly lastSequence: number
  assertReadable(): void
  /** Makes everything so far durable, if the store takes writes. */
  settleLog(): Promise<void>
  readLog(from: number): AsyncIterable<LogRecord>
}

export interface RawMutation {
  readonly key: string
  /** Envelope kind; 0 when the key was deleted. */
  readonly kind: number
  /** What the envelope holds or, of a delete, its note. */
  readonly payload: Buffer
}

export interface RawChange {
  readonly sequence: number
  readonly mutations: readonly RawMutation[]
}

const queueMax = 10_000
const nothing = Buffer.alloc(0)

export class ChangeFeed {
  /** Hear that the store was poisoned or closed. */
  readonly onFailure = new Set<(error: Error) => void>()
  readonly #source: ChangeSource
  readonly #watchers = new Set<Watcher>()
  /** Committed but not yet durable. */
  #pending: RawChange[] = []
  #failure: Error | undefined

  constructor(source: ChangeSource) {
    this.#source = source
  }

  get active(): boolean {
    return this.#watchers.size > 0
  }

  committed(sequence: number, entries: readonly Entry[]): void {
    this.#pending.push({ sequence, mutations: entries.map(rawMutation) })
  }

  durable(sequence: number): void {
    let count = 0
    while (count < this.#pending.length && (this.#pending[count] as RawChange).sequence <= sequence) count++
    if (count === 0) return
    for (const change of this.#pending.splice(0, count)) for (const watcher of this.#watchers) watcher.push(change)
  }

  fail(error: Error): void {
    this.#failure = error
    for (const watcher of this.#watchers) watcher.fail(error)
    for (const hear of [...this.onFailure]) hear(error)
  }

  /** Changes from sequence `from` on (default: the next one). HOLDFAST_WATCH_LOST when the log no longer holds it. */
  watch(from: number | undefined, signal: AbortSignal | undefined): AsyncGenerator<RawChange, void, undefined> {
    this.#source.assertReadable()
    if (from !== undefined && (!Number.isSafeInteger(from) || from < 0)) {
      throw new TypeError(`from must be a sequence, not ${String(from)}`)
    }
    const registeredAt = this.#source.lastSequence
    const watcher = new Watcher(registeredAt)
    if (this.#failure === undefined) this.#watchers.add(watcher)
    else watcher.fail(this.#failure)
    // Before the first record there is nothing: from 0 and from 1 are the same.
    const first = Math.max(1, from ?? registeredAt + 1)
    return releasing(this.#follow(watcher, first, registeredAt, signal), async () => this.#forget(watcher))
  }

  async *#follow(
    watcher: Watcher,
    from: number,
    registeredAt: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RawChange, void, undefined> {
    const stop = () => watcher.end()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted === true) stop()
    try {
      if (from <= registeredAt) {
        await this.#source.settleLog()
        for await (const change of this.#fromLog(from, registeredAt)) {
          if (watcher.ended) return
          yield change
        }
      }
      for (let change = await watcher.next(); change !== undefined; change = await watcher.next()) {
        if (change.sequence >= from) yield change
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#forget(watcher)
    }
  }

  #forget(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    if (this.#watchers.size === 0) this.#pending = []
  }

  async *#fromLog(from: number, to: number): AsyncGenerator<RawChange, void, undefined> {
    for await (const record of this.#source.readLog(from)) {
      if (record.sequence > to) return
      yield rawChange(record.sequence, record.bytes)
    }
  }
}

function rawMutation(entry: Entry): RawMutation {
  if (entry.kind === TOMBSTONE)
    return { key: entry.key, kind: TOMBSTONE, payload: (entry.value as Buffer | undefined) ?? nothing }
  const payload =
    entry.buffer === null
      ? nothing
      : entry.buffer.subarray(entry.offset + envelopeHeaderBytes, entry.offset + entry.length)
  return { key: entry.key, kind: entry.kind, payload }
}

function rawChange(sequence: number, bytes: Buffer): RawChange {
  const mutations: RawMutation[] = []
  decodeRecord(bytes, sequence, ({ key, deletes, valueStart, valueLength }) => {
    const payload = bytes.subarray(deletes ? valueStart : valueStart + envelopeHeaderBytes, valueStart + valueLength)
    mutations.push({ key, kind: deletes ? TOMBSTONE : (bytes[valueStart] as number), payload })
  })
  return { sequence, mutations }
}

class Watcher {
  #queue: RawChange[] = []
  #wake: (() => void) | undefined
  #ended = false
  #failure: Error | undefined
  #lastQueued: number

  constructor(after: number) {
    this.#lastQueued = after
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What was committed before this watcher came, even if it only became durable now, it has from the log. */
  push(change: RawChange): void {
    if (this.#ended || this.#failure !== undefined || change.sequence <= this.#lastQueued) return
    if (this.#queue.length >= queueMax) {
      this.fail(lost(this.#lastQueued + 1))
      return
    }
    this.#queue.push(change)
    this.#lastQueued = change.sequence
    this.#wake?.()
  }

  /** What is queued is still delivered; then the error. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#queue = []
    this.#wake?.()
  }

  async next(): Promise<RawChange | undefined> {
    while (this.#queue.length === 0) {
      if (this.#ended) return undefined
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
      this.#wake = undefined
    }
    return this.#queue.shift()
  }
}

function lost(sequence: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_WATCH_LOST',
    `this watcher fell more than ${queueMax} records behind; watch again from sequence ${sequence}`,
    { detail: { from: sequence } },
  )
}
