/**
 * Expiry: an index of all deadlines in order of time, written in the same records as the entries, and the sweep that
 * removes what is due. Correctness rests on neither: every read looks at the entry's own deadline. One timer, and in
 * memory only the nearest deadlines.
 */
import { hasCode } from '../base/index.ts'
import type { Engine } from '../engine/index.ts'
import { DeadlineWindow, indexEnd, indexKey, parseIndexKey } from './deadline-window.ts'
import { deadlineDomain } from './names.ts'
import { cacheKind } from './payload.ts'

/** Entries that can expire. */
export interface Expiring {
  /** Inside a write: removes the entry if that still is its deadline. */
  expire(encoded: string, at: number): void
  /** How many counted items that would remove. */
  expires(encoded: string, at: number): number
}

const windowMax = 8192
/** Deletes in one record of a sweep that runs by itself. */
const batchMax = 512
/** Sweeps by themselves are at least so far apart, so that expiry comes in batches. */
const pauseMs = 100
/** The wall clock may jump: look again after so long at the latest. */
const lookMs = 60_000
const noPayload = Buffer.alloc(0)
const buffered = { durability: 'buffered' } as const

export class Deadlines {
  readonly #engine: Engine
  readonly #ownerOf: (domain: string) => Expiring
  readonly #window: DeadlineWindow
  readonly #max: number
  /** Put into the index beyond the horizon while it is being read. */
  #missed: string[] | undefined
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #sweeping = false
  #closed = false

  constructor(engine: Engine, ownerOf: (domain: string) => Expiring, max = windowMax) {
    this.#engine = engine
    this.#ownerOf = ownerOf
    this.#window = new DeadlineWindow(max)
    this.#max = max
  }

  /** Reads the nearest deadlines; from then on expiry goes on by itself. */
  async start(): Promise<void> {
    // A damaged index must not keep the store shut: reads do not need it, `verify` reports it, the sweep tries again.
    await this.#extend().catch(() => undefined)
    this.#arm()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** Only inside a write, with the put of the entry. */
  add(at: number, domain: string, encoded: string): void {
    const key = indexKey(at, domain, encoded)
    const entry = this.#engine.put(key, deadlineDomain, cacheKind.deadline, noPayload, 0)
    // An entry whose deadline stays the same keeps its place: here it had none.
    this.#engine.markAbsent(entry)
    if (!this.#window.add(at, key)) this.#missed?.push(key)
    else if (at < this.#timerAt) this.#arm()
  }

  /** Only inside a write, with the overwriting or removal of the entry. */
  remove(at: number, domain: string, encoded: string): void {
    this.#engine.delete(indexKey(at, domain, encoded), deadlineDomain)
  }

  /**
   * Removes what is due, as far as that is possible in this step: not in a transaction, not when the store takes no writes,
   * nor beyond what is in memory. True when nothing is left past its deadline.
   */
  settle(now: number): boolean {
    if (this.#window.next <= now) {
      if (this.#engine.inTransaction || this.#engine.refusal() !== undefined) return false
      while (this.#window.next <= now) this.#sweepBatch(now)
    }
    if (this.#window.reaches(now)) return true
    this.#extendSoon()
    return false
  }

  /** Items of that domain which are due and still there, as far as memory knows. */
  dueIn(domain: string, now: number): number {
    const keys = new Set(this.#window.due(now))
    let count = 0
    for (const key of keys) {
      const deadline = parseIndexKey(key)
      if (deadline.domain === domain) count += this.#ownerOf(domain).expires(deadline.encoded, deadline.at)
    }
    return count
  }

  #sweepBatch(now: number): void {
    const written = this.#engine.write(buffered, () => {
      for (let i = 0; i < batchMax && this.#window.next <= now; i++) this.#expire(this.#window.pop() as string)
    })
    // A log that refuses has poisoned the store, which says so itself. What was taken out of the window is looked up anew.
    written.catch(() => this.#window.reset())
  }

  #expire(key: string): void {
    const { at, domain, encoded } = parseIndexKey(key)
    try {
      this.#ownerOf(domain).expire(encoded, at)
    } catch (error) {
      // A damaged entry stays, for reads and `verify` to report: the sweep must not stop at it.
      if (!hasCode(error, 'HOLDFAST_CORRUPT')) throw error
    }
  }

  /** Sets the timer for the nearest deadline. */
  #arm(): void {
    if (this.#closed || this.#sweeping || this.#engine.refusal() !== undefined) return
    const { next } = this.#window
    if (next === Number.POSITIVE_INFINITY && this.#window.isWhole) return
    clearTimeout(this.#timer)
    const delay = Math.min(Math.max(next - this.#engine.clock.now(), pauseMs), lookMs)
    this.#timerAt = next
    this.#timer = setTimeout(() => this.#sweepSoon(), delay)
    this.#timer.unref()
  }

  #sweepSoon(): void {
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#sweep().then(
      () => this.#arm(),
      // A read failed, or the store takes no more writes: entries past their deadline stay hidden all the same.
      () => undefined,
    )
  }

  /** In batches, with turns for others in between. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      for (;;) {
        const now = this.#engine.clock.now()
        if (this.#closed || this.#engine.refusal() !== undefined) return
        if (this.#window.next <= now) this.#sweepBatch(now)
        else if (!this.#window.reaches(now)) await this.#extend()
        else break
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (this.#window.size < this.#max >> 2 && !this.#window.isWhole) await this.#extend()
    } finally {
      this.#sweeping = false
    }
  }

  #extendSoon(): void {
    if (!this.#closed && !this.#sweeping && !this.#engine.readOnly) this.#sweepSoon()
  }

  /** Reads more of the index into the window. */
  async #extend(): Promise<void> {
    if (this.#missed !== undefined) return
    const missed: string[] = []
    this.#missed = missed
    try {
      const gte = this.#window.horizon
      const found: string[] = []
      const scan = this.#engine.scan({ domain: deadlineDomain, gte, lt: indexEnd, limit: this.#max })
      for await (const { key } of scan) found.push(key)
      // Trimmed meanwhile: what was read lies beyond a nearer horizon.
      if (gte !== this.#window.horizon) return
      this.#window.extend(found, found.length < this.#max)
      for (const key of missed) this.#window.add(parseIndexKey(key).at, key)
    } finally {
      this.#missed = undefined
    }
  }
}
