import { AbstractIterator, type AbstractIteratorOptions } from 'abstract-level'
import type { KeyValue } from '../cache/index.ts'
import { compareKeys, holdsKey, keyRange, type LevelRange, rangeFrom } from './level-range.ts'

export interface LevelSource {
  readonly entries: KeyValue<Uint8Array>
  /** Equal answers mean that nothing was written in between; NaN when that cannot be told. */
  position(): number
}

type Row = [key: Uint8Array, value: Uint8Array | undefined]

/**
 * Reads one snapshot, taken when it is made. `seek` never leaves it: as long as nothing was written to the store a new
 * scan shows the same, so seeking starts one; after a write it can only skip ahead in the scan it has.
 */
export class LevelIterator<Database, K, V> extends AbstractIterator<Database, K, V> {
  readonly #source: LevelSource
  readonly #range: LevelRange
  readonly #keysOnly: boolean
  readonly #madeAt: number
  readonly #closing: Promise<unknown>[] = []
  #rows: AsyncIterator<Row>
  #last: Uint8Array | undefined
  #skipTo: Uint8Array | undefined
  #isOutside = false

  constructor(db: Database, source: LevelSource, options: AbstractIteratorOptions<K, V> & LevelRange) {
    super(db, options)
    this.#source = source
    this.#range = options
    this.#keysOnly = options.values === false
    this.#madeAt = source.position()
    this.#rows = this.#scan(options)
  }

  async _next(): Promise<Row | undefined> {
    if (this.#isOutside) return undefined
    for (;;) {
      const { done, value } = await this.#rows.next()
      if (done === true) return undefined
      const row = value
      this.#last = row[0]
      if (this.#skipTo === undefined || this.#isAtOrAfter(row[0], this.#skipTo)) return row
    }
  }

  _seek(target: Uint8Array): void {
    this.#isOutside = !holdsKey(this.#range, target)
    if (this.#isOutside) return
    if (this.#source.position() === this.#madeAt) this.#restart(target)
    else this.#skip(target)
  }

  async _close(): Promise<void> {
    this.#leave()
    await Promise.all(this.#closing)
  }

  #restart(target: Uint8Array): void {
    this.#leave()
    this.#skipTo = undefined
    this.#last = undefined
    this.#rows = this.#scan(rangeFrom(this.#range, target, this.limit - this.count))
  }

  #skip(target: Uint8Array): void {
    const isAhead = this.#last === undefined || !this.#isAtOrAfter(this.#last, target)
    // A scan with a limit ends after so many entries, those it skips included.
    if (!isAhead || Number.isFinite(this.limit)) throw seekError(isAhead)
    this.#skipTo = target
  }

  #scan(range: LevelRange): AsyncIterator<Row> {
    const { entries } = this.#source
    const bounds = keyRange(range)
    if (!this.#keysOnly) return entries.entries(bounds)[Symbol.asyncIterator]() as AsyncIterator<Row>
    return withoutValues(entries.keys(bounds)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>)
  }

  /** A scan holds on to files of the backend until it is returned. */
  #leave(): void {
    const left = this.#rows.return?.()
    if (left === undefined) return
    // Its failure is thrown by `_close`, not by whoever happens to run next.
    left.catch(() => undefined)
    this.#closing.push(left)
  }

  #isAtOrAfter(key: Uint8Array, target: Uint8Array): boolean {
    const order = compareKeys(key, target)
    return this.#range.reverse ? order <= 0 : order >= 0
  }
}

/** Wraps by hand: a generator that was never started would not pass on its `return`. */
function withoutValues(keys: AsyncIterator<Uint8Array>): AsyncIterator<Row> {
  return {
    async next() {
      const { done, value } = await keys.next()
      return done === true ? { done, value: undefined } : { done: false, value: [value, undefined] }
    },
    async return() {
      await keys.return?.()
      return { done: true, value: undefined }
    },
  }
}

function seekError(isAhead: boolean): Error {
  const what = isAhead ? 'in an iterator with a limit' : 'backwards'
  return Object.assign(
    new Error(
      `seek() cannot go ${what} after the store was written to: it would have to leave the snapshot of this iterator; make a new iterator`,
    ),
    { code: 'LEVEL_NOT_SUPPORTED' },
  )
}
