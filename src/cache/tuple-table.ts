import type { Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Caches } from './caches.ts'
import { checkOptions } from './leveled-writes.ts'
import { matchSimply, Pattern } from './pattern.ts'
import { TableEntries } from './table-entries.ts'
import { FREE, type Place, TableLayout } from './table-layout.ts'
import { TableReader } from './table-reader.ts'
import { TableWriter } from './table-writer.ts'
import type { CacheValue, PartitionOption, Table, TableOptions, Tuple } from './types.ts'

/** What the calls of a table mean. `TableReader` finds its tuples, `TableWriter` changes them. */
export class TupleTable implements Table {
  readonly name: string
  readonly #layout: TableLayout
  readonly #entries: TableEntries
  readonly #reader: TableReader
  readonly #writer: TableWriter

  constructor(caches: Caches, name: string, options: TableOptions) {
    checkOptions(options, 'table', ['type', 'keyPos', 'partitionPos'])
    this.name = name
    this.#layout = new TableLayout(options)
    this.#entries = new TableEntries(caches, name, this.#layout, options.durability)
    this.#reader = new TableReader(this.#entries)
    this.#writer = new TableWriter(this.#entries, this.#reader)
  }

  // ------------------------------------------------------------------ reading

  get(tuple: Tuple): Promise<Tuple[]> {
    return promised(() => this.#fetch(this.#layout.keyOf(tuple)))
  }

  getSync(tuple: Tuple): Tuple[] {
    return this.#reader.find(this.#layout.keyOf(tuple))
  }

  getBy(key: Key, partition: Key): Promise<Tuple[]> {
    return promised(() => {
      const at = this.#layout.keyAt(key, partition)
      return at === undefined ? [] : this.#fetch(at)
    })
  }

  match(pattern: readonly unknown[], options?: PartitionOption): Promise<CacheValue[][]> {
    try {
      const simple = options === undefined ? this.#matchAtOnce(pattern) : undefined
      return Promise.resolve(simple ?? this.#match(pattern, options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  matchRecords(pattern: readonly unknown[], options?: PartitionOption): Promise<Tuple[]> {
    return promised(() => {
      const compiled = new Pattern(pattern)
      const found: Tuple[] = []
      return this.#reader.read(this.#place(compiled, pattern, options), found, (tuple) => {
        if (compiled.matches(tuple)) found.push(tuple)
      })
    })
  }

  async scan<A>(fn: (accumulator: A, tuple: Tuple) => A, accumulator: A, options?: PartitionOption): Promise<A> {
    if (typeof fn !== 'function') throw new TypeError('scan() takes a function of the accumulator and a tuple')
    let folded = accumulator
    await this.#reader.read(this.#layout.place(FREE, partitionIn(options)), undefined, (tuple) => {
      folded = fn(folded, tuple)
    })
    return folded
  }

  count(): number {
    this.#entries.space.engine.assertReadable()
    return this.#entries.space.count
  }

  // ------------------------------------------------------------------ writing

  put(tuple: Tuple, options?: WriteOptions): Promise<void> {
    return this.#writer.write(options, () => this.#writer.add(this.#layout.keyOf(tuple), tuple))
  }

  putMany(tuples: Iterable<Tuple>, options?: WriteOptions): Promise<void> {
    return this.#writer.write(options, () => {
      for (const tuple of tuples) this.#writer.add(this.#layout.keyOf(tuple), tuple)
    })
  }

  delete(tuple: Tuple, options?: WriteOptions): Promise<void> {
    return this.#writer.remove(() => this.#layout.keyOf(tuple), options)
  }

  deleteBy(key: Key, partition: Key, options?: WriteOptions): Promise<void> {
    return this.#writer.remove(() => this.#layout.keyAt(key, partition), options)
  }

  deleteMatch(pattern: readonly unknown[], options?: PartitionOption & WriteOptions): Promise<number> {
    let compiled: Pattern
    let place: Place
    try {
      compiled = new Pattern(pattern)
      place = this.#place(compiled, pattern, options)
    } catch (error) {
      return this.#writer.write(undefined, () => {
        throw error
      })
    }
    return this.#writer.removeMatching(place, compiled, options)
  }

  clear(options?: WriteOptions): Promise<void> {
    return this.#writer.clear(options)
  }

  #match(pattern: readonly unknown[], options: PartitionOption | undefined): CacheValue[][] | Promise<CacheValue[][]> {
    const compiled = new Pattern(pattern)
    const found: CacheValue[][] = []
    return this.#reader.read(this.#place(compiled, pattern, options), found, (tuple) => {
      if (compiled.matches(tuple)) found.push(compiled.captured())
    })
  }

  #fetch(key: Key): Tuple[] | Promise<Tuple[]> {
    const entry = this.#reader.readyAt(key)
    return entry === undefined ? this.#reader.fetch(key) : this.#entries.tuplesOf(entry)
  }

  /** The shortest way to one key, at the price of a lookup: nothing is checked or made that need not be. */
  #matchAtOnce(pattern: readonly unknown[]): CacheValue[][] | undefined {
    if (!this.#layout.single || !Array.isArray(pattern)) return undefined
    const key: unknown = pattern[this.#layout.keyPos]
    if (typeof key !== 'string' && typeof key !== 'number') return undefined
    const entry = this.#reader.readyAt(key)
    if (entry === undefined) return undefined
    if (!this.#entries.isBag) {
      const captured = matchSimply(pattern, this.#entries.tupleOf(entry))
      return captured === undefined ? undefined : captured === false ? [] : [captured]
    }
    const found: CacheValue[][] = []
    for (const tuple of this.#entries.tuplesOf(entry)) {
      const captured = matchSimply(pattern, tuple)
      if (captured === undefined) return undefined
      if (captured !== false) found.push(captured)
    }
    return found
  }

  /** Where tuples that match can be. TypeError when what stands for a key in the pattern is none. */
  #place(compiled: Pattern, pattern: readonly unknown[], options: PartitionOption | undefined): Place {
    const { keyPos, partitionPos, single } = this.#layout
    const partition = partitionIn(options)
    if (compiled.length <= Math.max(keyPos, partitionPos)) return { at: 'none' }
    const key = compiled.isLiteral(keyPos) ? (pattern[keyPos] as Key) : FREE
    if (single) return this.#layout.place(key, partition)
    const own = compiled.isLiteral(partitionPos) ? (pattern[partitionPos] as Key) : FREE
    return this.#layout.placeWithin(key, own, partition)
  }
}

/** Absent is anywhere; undefined is a mistake that must not read or delete everywhere. */
function partitionIn(options: PartitionOption | undefined): Key | typeof FREE {
  if (options === undefined) return FREE
  if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
  if (!('partition' in options)) return FREE
  const { partition } = options
  if (partition === undefined) {
    throw new TypeError('the option partition is undefined; leave it out to mean every partition')
  }
  return partition
}

/** What `fn` answers or throws as a promise, without a step in between. */
function promised<T>(fn: () => T | Promise<T>): Promise<T> {
  try {
    return Promise.resolve(fn())
  } catch (error) {
    return Promise.reject(error)
  }
}
