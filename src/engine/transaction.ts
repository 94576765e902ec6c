/** The record being built and how to take it back. One object for the life of the engine: writes never overlap. */
import { assert } from '../base/index.ts'
import type { Entry } from '../memory/index.ts'

type Undo = (entry: Entry, previous: Entry | undefined, domain: string) => void

/** A point in the transaction to undo back to. */
export interface Mark {
  readonly entries: number
  readonly effects: number
}

/** State of a room above that follows the record: taken back with it, announced once it is in the log. */
export interface Effect {
  undo?(): void
  /** After the record was appended, acknowledged or not. Must not throw. */
  committed?(sequence: number): void
}

export const transactionStart: Mark = { entries: 0, effects: 0 }

export interface Outcome {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

export class Transaction {
  active = false
  level = 0
  observedSequence = 0
  observedLevel = 0
  entries: Entry[] = []
  readonly #previous: (Entry | undefined)[] = []
  readonly #domains: string[] = []
  #effects: Effect[] = []
  #outcome: Outcome | undefined
  #handedOut = new WeakSet<object>()

  /** Position in the undo lists, for a nested write. */
  get mark(): Mark {
    return { entries: this.entries.length, effects: this.#effects.length }
  }

  /** What the entry applied last took the place of. */
  get lastReplaced(): Entry | undefined {
    return this.#previous.at(-1)
  }

  begin(level: number): void {
    assert(!this.active, 'writes never overlap')
    this.active = true
    this.level = level
    this.observedSequence = 0
    this.observedLevel = 0
  }

  /** A write that joined asked for more durability: the record gets the strongest. */
  raise(level: number): void {
    if (level > this.level) this.level = level
  }

  applied(entry: Entry, previous: Entry | undefined, domain: string): void {
    this.entries.push(entry)
    this.#previous.push(previous)
    this.#domains.push(domain)
  }

  affect(effect: Effect): void {
    this.#effects.push(effect)
  }

  observe(entry: Entry): void {
    if (entry.sequence > this.observedSequence) this.observedSequence = entry.sequence
    if (entry.level > this.observedLevel) this.observedLevel = entry.level
  }

  undoTo(mark: Mark, undo: Undo): void {
    for (let i = this.entries.length - 1; i >= mark.entries; i--) {
      undo(this.entries[i] as Entry, this.#previous[i], this.#domains[i] as string)
    }
    for (let i = this.#effects.length - 1; i >= mark.effects; i--) this.#effects[i]?.undo?.()
    this.entries.length = mark.entries
    this.#previous.length = mark.entries
    this.#domains.length = mark.entries
    this.#effects.length = mark.effects
  }

  /** The level of the finished record; its entries learn it. */
  seal(): number {
    const { level } = this
    for (const entry of this.entries) entry.level = level
    return level
  }

  /** What is to hear of the record's sequence, once it is appended and the transaction has ended. */
  get effects(): readonly Effect[] {
    return this.#effects
  }

  /** A promise of `value` that settles with the whole record. It counts as handled: callers inside need no handler. */
  outcome<T>(value: T): Promise<T> {
    this.#outcome ??= newOutcome()
    return this.adopt(this.#outcome.promise.then(() => value))
  }

  /** Counts a promise that follows from an outcome as another one: it needs no handler, and may be returned. */
  adopt<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined)
    this.#handedOut.add(promise)
    return promise
  }

  /** Whether this is the promise of a write inside, and so no sign of a function that goes on later. */
  isOwn(promise: object): boolean {
    return this.#handedOut.has(promise)
  }

  #clear(): void {
    if (this.entries.length === 1) {
      // Nearly every write. Cutting the lists off would make each write allocate them anew.
      this.entries.pop()
      this.#previous.pop()
      this.#domains.pop()
      return
    }
    if (this.entries.length > 64) this.entries = []
    this.entries.length = 0
    this.#previous.length = 0
    this.#domains.length = 0
  }

  /** Ends it; answers the outcome that joined writes wait for, if any. After an undo the caller's throw decides it. */
  end(): Outcome | undefined {
    const outcome = this.#outcome
    if (this.#effects.length > 0) this.#effects = []
    this.active = false
    this.#outcome = undefined
    this.#clear()
    return outcome
  }
}

function newOutcome(): Outcome {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const promise = new Promise<void>((ok, fail) => {
    resolve = ok
    reject = fail
  })
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

/** The writes that joined a record are settled with it. */
export function settleTogether<T>(acknowledged: Promise<T>, joined: Outcome | undefined): Promise<T> {
  if (joined !== undefined) {
    acknowledged.then(
      () => joined.resolve(),
      (error: unknown) => joined.reject(error),
    )
  }
  return acknowledged
}
