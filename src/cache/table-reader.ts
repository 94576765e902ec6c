/** Finds the tuples of a table: in memory at once where that is certain, else in a snapshot as of the call. */
import { encodeKeyPrefix, type Key } from '../codec/index.ts'
import type { Entry } from '../memory/index.ts'
import { NOT_AT_HAND } from './space.ts'
import type { TableEntries } from './table-entries.ts'
import type { TableIndex } from './table-index.ts'
import type { Place } from './table-layout.ts'
import type { Tuple } from './types.ts'

type Visitor = (tuple: Tuple) => void

const prefetched = 256

export class TableReader {
  readonly #entries: TableEntries

  constructor(entries: TableEntries) {
    this.#entries = entries
  }

  /** The latest applied tuples of that key, acknowledged or not. */
  find(key: Key): Tuple[] {
    const { space } = this.#entries
    space.engine.assertReadable()
    const entry = space.find(key)
    return entry === undefined ? [] : this.#entries.tuplesOf(entry)
  }

  async fetch(key: Key): Promise<Tuple[]> {
    const entry = await this.#entries.space.fetch(key)
    return entry === undefined ? [] : this.#entries.tuplesOf(entry)
  }

  /** Visits every tuple there is in `place` as of this call, acknowledged; then answers `result`. */
  read<R>(place: Place, result: R, visitor: Visitor): R | Promise<R> {
    this.#entries.space.engine.assertReadable()
    const ready = this.#ready(place)
    if (ready === undefined) return this.#readInSteps(place, result, visitor)
    for (const entry of ready) this.#entries.visit(entry, visitor)
    return result
  }

  /** The entry of that key if it can be had at once. Undefined is no answer. */
  readyAt(key: Key): Entry | undefined {
    const entry = this.#entries.space.fetchAtHand(key)
    return entry === NOT_AT_HAND ? undefined : entry
  }

  /** Every entry in `place` as of this call, acknowledged. */
  async *stored(place: Place): AsyncGenerator<Entry, void, undefined> {
    const { space, index } = this.#entries
    switch (place.at) {
      case 'none':
        return
      case 'key': {
        const entry = await space.fetch(place.key)
        if (entry !== undefined) yield entry
        return
      }
      case 'second':
        yield* this.#indexed(index as TableIndex, place.second)
        return
      default:
        yield* space.scan(place.at === 'first' ? encodeKeyPrefix([place.first]) : {})
    }
  }

  async #readInSteps<R>(place: Place, result: R, visitor: Visitor): Promise<R> {
    for await (const entry of this.stored(place)) this.#entries.visit(entry, visitor)
    return result
  }

  /** The entries in `place` when that can be said at once; all there are, and acknowledged. */
  #ready(place: Place): readonly Entry[] | undefined {
    const { space, layout, removing } = this.#entries
    if (place.at === 'none') return []
    if (place.at === 'key') {
      const entry = space.fetchAtHand(place.key)
      if (entry === NOT_AT_HAND) return undefined
      return entry === undefined ? [] : [entry]
    }
    if (place.at !== 'all' || !space.complete || removing > 0) return undefined
    const entries = space.inMemory()
    for (const entry of entries) if (!space.engine.isAcknowledged(entry)) return undefined
    return layout.isOrdered ? entries.sort((a, b) => (a.key < b.key ? -1 : 1)) : entries
  }

  /** Index and entries as of this call, whatever is written between reading one and the next. */
  async *#indexed(index: TableIndex, second: Key): AsyncGenerator<Entry, void, undefined> {
    const view = this.#entries.views.open()
    try {
      for await (const keys of this.#keysIndexed(index, second)) {
        await this.#entries.space.prefetch(keys)
        for (const key of keys) {
          const entry = await view.fetch(key)
          if (entry !== undefined) yield entry
        }
      }
    } finally {
      view.close()
    }
  }

  /** Some at a time. */
  async *#keysIndexed(index: TableIndex, second: Key): AsyncGenerator<Key[], void, undefined> {
    let keys: Key[] = []
    for await (const found of index.scan(second)) {
      if (keys.push([index.firstOf(found, second), second]) < prefetched) continue
      yield keys
      keys = []
    }
    yield keys
  }
}
