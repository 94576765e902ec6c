/** Puts and removes the tuples of a table, each call one synchronous step and one record. */
import { encodeKey, encodeKeyPrefix, type Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import { cause } from './payload.ts'
import type { Pattern } from './pattern.ts'
import { type Removal, removeFitting } from './removal.ts'
import type { TableEntries } from './table-entries.ts'
import type { Place } from './table-layout.ts'
import type { TableReader } from './table-reader.ts'
import { sameValue } from './tuple-equality.ts'
import type { Tuple } from './types.ts'

export class TableWriter {
  readonly #entries: TableEntries
  readonly #reader: TableReader
  /** Key written last. That a removal finds nothing may rest on it. */
  #newest: Key | undefined

  constructor(entries: TableEntries, reader: TableReader) {
    this.#entries = entries
    this.#reader = reader
  }

  write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    return this.#entries.writes.run(options, fn)
  }

  /** Only inside `write`. `key` is where the tuple belongs. */
  add(key: Key, tuple: Tuple): void {
    const { space, isBag, layout } = this.#entries
    const before = space.find(key)
    if (!isBag) {
      this.#put(key, tuple, before, undefined)
      return
    }
    const tuples = before === undefined ? [] : (space.valueOf(before) as readonly Tuple[])
    if (layout.type === 'bag' && tuples.some((other) => sameValue(other, tuple))) space.engine.observe(before as Entry)
    else this.#put(key, [...tuples, tuple], before, 1)
  }

  /** All tuples of the key that `keyOf` answers; undefined: none. */
  remove(keyOf: () => Key | undefined, options: WriteOptions | undefined): Promise<void> {
    return this.#tracked(
      this.write(options, () => {
        const key = keyOf()
        if (key !== undefined) this.#observeIfNone(this.#remove(key, undefined))
      }),
    )
  }

  /** Every tuple. */
  clear(options: WriteOptions | undefined): Promise<void> {
    const place: Place = { at: 'all' }
    return this.#removeIn(place, undefined, options, { what: 'clear()', removed: () => undefined })
  }

  /** What matches in `place`: exactly that, at the moment it is applied. */
  removeMatching(place: Place, pattern: Pattern, options: WriteOptions | undefined): Promise<number> {
    if (place.at === 'none') return this.write(options, () => 0)
    if (place.at !== 'key') {
      return this.#removeIn(place, pattern, options, { what: 'deleteMatch()', removed: (count) => count })
    }
    return this.#tracked(
      this.write(options, () => {
        const removed = this.#remove(place.key, pattern)
        this.#observeIfNone(removed)
        return removed
      }),
    )
  }

  #removeIn<R>(
    place: Place,
    pattern: Pattern | undefined,
    options: WriteOptions | undefined,
    { what, removed }: Pick<Removal<R>, 'what' | 'removed'>,
  ): Promise<R> {
    return this.#tracked(
      removeFitting(this.#entries, options, {
        what,
        inMemory: () => this.#inMemory(place),
        stored: () => this.#stored(place, pattern),
        remove: (key) => (this.#isIn(place, key) ? this.#remove(key, pattern) : 0),
        removed: (count) => {
          this.#observeIfNone(count)
          return removed(count)
        },
      }),
    )
  }

  // ------------------------------------------------------------------ inside `write`

  #put(key: Key, value: unknown, before: Entry | undefined, countChange: number | undefined): void {
    const { space, views, index, layout } = this.#entries
    views.note(key, before)
    space.put(key, value, before, 0, countChange)
    this.#newest = key
    if (before === undefined && index !== undefined) index.put(...layout.partsOf(key))
  }

  /** Of the tuples of that key those that match, or all. Answers how many went. */
  #remove(key: Key, pattern: Pattern | undefined): number {
    const { space, views, index, layout, isBag } = this.#entries
    const before = space.find(key)
    if (before === undefined) return 0
    const all = isBag || pattern !== undefined ? this.#entries.tuplesOf(before) : undefined
    const kept = pattern === undefined ? [] : (all ?? []).filter((tuple) => !pattern.matches(tuple))
    const removed = (all?.length ?? 1) - kept.length
    if (removed === 0) return 0
    if (kept.length > 0) {
      this.#put(key, kept, before, -removed)
      return removed
    }
    views.note(key, before)
    space.remove(key, cause.delete, -removed)
    this.#newest = key
    if (index !== undefined) index.delete(...layout.partsOf(key))
    return removed
  }

  /** That there was nothing to remove may be the doing of a write that is not durable yet. */
  #observeIfNone(removed: number): void {
    if (removed === 0 && this.#newest !== undefined) this.#entries.space.observeAbsence(this.#newest)
  }

  // ------------------------------------------------------------------ places

  #isIn(place: Place, key: Key): boolean {
    if (place.at === 'all') return true
    const [first, second] = this.#entries.layout.partsOf(key)
    if (place.at === 'first') return encodeKey(first) === encodeKey(place.first)
    return place.at === 'second' && encodeKey(second) === encodeKey(place.second)
  }

  /** Entries in `place` and perhaps some others: `#isIn` decides. */
  #inMemory(place: Place): Iterable<Entry> {
    const { space } = this.#entries
    const entries = space.inMemory()
    if (place.at === 'first') {
      const start = space.domain + encodeKeyPrefix([place.first]).gte
      return entries.filter(({ key }) => key.startsWith(start))
    }
    if (place.at !== 'second') return entries
    const end = encodeKey([place.second]).slice(1)
    return entries.filter(({ key }) => key.endsWith(end))
  }

  async *#stored(place: Place, pattern: Pattern | undefined): AsyncGenerator<Entry, void, undefined> {
    for await (const entry of this.#reader.stored(place)) {
      if (pattern === undefined || this.#entries.tuplesOf(entry).some((tuple) => pattern.matches(tuple))) yield entry
    }
  }

  #tracked<T>(removal: Promise<T>): Promise<T> {
    this.#entries.removing++
    const ended = () => {
      this.#entries.removing--
    }
    removal.then(ended, ended)
    return removal
  }
}
