/**
 * A map whose keys can be walked in order. Writes cost what a Map costs; the order is brought up to date when someone
 * asks for it, by merging the few new keys into the array of the last time.
 */
export class SortedMap<V> {
  readonly #values: Map<string, V>
  #ordered: string[] = []
  /** Keys that came since `#ordered` was built; some may be gone again, or be in it already. */
  #added = new Set<string>()
  #deletedSome = false

  constructor(entries: Iterable<readonly [string, V]> = []) {
    this.#values = new Map(entries)
    this.#added = new Set(this.#values.keys())
  }

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#added.add(key)
    this.#values.set(key, value)
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#deletedSome = true
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries()
  }

  /** The keys of [gte, lt) in order, or from the end backwards; at most `limit` unless that is negative. */
  keys(gte: string, lt: string, reverse: boolean, limit: number): string[] {
    const ordered = this.#order()
    const from = lowerBound(ordered, gte)
    const to = Math.max(from, lowerBound(ordered, lt))
    const count = limit < 0 ? to - from : Math.min(limit, to - from)
    return reverse ? ordered.slice(to - count, to).reverse() : ordered.slice(from, from + count)
  }

  #order(): string[] {
    if (this.#added.size === 0 && !this.#deletedSome) return this.#ordered
    const kept = this.#ordered.filter((key) => this.#values.has(key) && !this.#added.has(key))
    const fresh = [...this.#added].filter((key) => this.#values.has(key)).sort()
    this.#ordered = merge(kept, fresh)
    this.#added = new Set()
    this.#deletedSome = false
    return this.#ordered
  }
}

function merge(left: readonly string[], right: readonly string[]): string[] {
  const result: string[] = []
  let next = 0
  for (const key of left) {
    for (let other = right[next]; other !== undefined && other < key; other = right[++next]) result.push(other)
    result.push(key)
  }
  for (let other = right[next]; other !== undefined; other = right[++next]) result.push(other)
  return result
}

/** Index of the first key that is not below `bound`. */
function lowerBound(keys: readonly string[], bound: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < bound) low = middle + 1
    else high = middle
  }
  return low
}
