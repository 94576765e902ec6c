import { type Entry, type EntryHome, TOMBSTONE } from './entry.ts'

/**
 * Where the entries of one domain lie when their owner finds them by something quicker than the encoded key: it replaces
 * the partitions for them. `ids` stand for keys one to one, and `keyOf` gives the key back. Only the memory tier changes it.
 */
export class Home<Id = unknown> implements EntryHome {
  readonly domain: string
  /** Current entries, tombstones included. */
  readonly entries: ReadonlyMap<Id, Entry>
  readonly #entries = new Map<Id, Entry>()
  readonly #keyOf: (id: Id) => string
  #live = 0

  constructor(domain: string, keyOf: (id: Id) => string) {
    this.domain = domain
    this.entries = this.#entries
    this.#keyOf = keyOf
  }

  /** How many of the entries are no tombstones. */
  get live(): number {
    return this.#live
  }

  keyOf(id: unknown): string {
    return this.#keyOf(id as Id)
  }

  /** `previous` is what the id has now. */
  set(id: unknown, entry: Entry, previous: Entry | undefined): void {
    this.#entries.set(id as Id, entry)
    this.#live += liveCount(entry) - liveCount(previous)
  }

  /** `previous` is what the id has now. */
  delete(id: unknown, previous: Entry): void {
    this.#entries.delete(id as Id)
    this.#live -= liveCount(previous)
  }
}

function liveCount(entry: Entry | undefined): number {
  return entry === undefined || entry.kind === TOMBSTONE ? 0 : 1
}
