import type { Entry, EntryHome } from './entry.ts'

/**
 * Where the entries of one domain lie when their owner finds them by something quicker than the encoded key: it replaces
 * the partitions for them. `ids` stand for keys one to one, and `keyOf` gives the key back.
 */
export class Home<Id = unknown> implements EntryHome {
  readonly domain: string
  /** Current entries, tombstones included. Only the memory tier changes it. */
  readonly entries = new Map<Id, Entry>()
  readonly #keyOf: (id: Id) => string

  constructor(domain: string, keyOf: (id: Id) => string) {
    this.domain = domain
    this.#keyOf = keyOf
  }

  keyOf(id: unknown): string {
    return this.#keyOf(id as Id)
  }
}
