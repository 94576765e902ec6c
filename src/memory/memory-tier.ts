import { assert } from '../base/index.ts'
import { isDirty } from './domain-index.ts'
import { costAlone, DETACHED, type Entry, entryCost, releaseShared, TOMBSTONE } from './entry.ts'
import { collectDirty, Generation } from './generation.ts'
import type { Home } from './home.ts'
import { partitionOf } from './partition.ts'
import { Sieve } from './sieve.ts'
import { sortEntries } from './sort-entries.ts'

/** An entry above this share of the budget would push out too much of everything else. */
const ADMIT_SHARE = 8

export interface MemoryTierOptions {
  readonly partitions: number
  /** Dirty and clean entries together; dirty ones always stay, so they may exceed it. */
  readonly budgetBytes: number
}

export interface MemoryTierStats {
  /** Entries that must stay until a checkpoint: of the active and, until settled, the sealed generation. */
  readonly dirtyEntries: number
  readonly dirtyBytes: number
  /** The part of `dirtyBytes` that is sealed and not yet settled. */
  readonly sealedBytes: number
  readonly cleanEntries: number
  readonly cleanBytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

/**
 * The in-memory tier: what is newer than the backend (dirty, in generations) and copies of what the backend holds
 * (clean, bounded, evicted by SIEVE). Single-threaded and synchronous; a key is in here at most once.
 */
export class MemoryTier {
  readonly #partitions: Map<string, Entry>[]
  readonly #budget: number
  readonly #sieve = new Sieve()
  #active = new Generation(1)
  #sealed: Generation | undefined
  #sealedLeft = 0
  #sealedBytes = 0
  #settlements = 0
  readonly #homes: Home[] = []
  #hits = 0
  #misses = 0
  #evictions = 0

  constructor(options: MemoryTierOptions) {
    this.#partitions = Array.from({ length: options.partitions }, () => new Map<string, Entry>())
    this.#budget = options.budgetBytes
  }

  /** Bytes that must stay in memory: the active generation and what of the sealed one has not settled. */
  get dirtyBytes(): number {
    return this.#active.bytes + this.#sealedBytes
  }

  /** Bytes that the next `seal` would freeze. */
  get activeBytes(): number {
    return this.#active.bytes
  }

  get activeEntries(): number {
    return this.#active.size
  }

  /** Grows whenever `settle` moves entries out of the dirty set; see `admit`. */
  get settlements(): number {
    return this.#settlements
  }

  /** The newest entry of the key, which may be a tombstone. Counts as a use of it. */
  get(key: string): Entry | undefined {
    const entry = this.#partition(key).get(key)
    if (entry === undefined) {
      this.#misses++
      return undefined
    }
    this.#hits++
    if (!entry.visited) entry.visited = true
    return entry
  }

  /** Like `get`, but leaves no trace in the figures and does not count as a use. */
  peek(key: string): Entry | undefined {
    return this.#partition(key).get(key)
  }

  /**
   * Installs a dirty entry and returns the one it replaces, for `undo`. A key must always come with the same domain.
   */
  put(entry: Entry, domain: string): Entry | undefined {
    const { key } = entry
    const partition = this.#partition(key)
    const previous = partition.get(key)
    partition.set(key, entry)
    this.#replace(entry, previous, domain)
    return previous
  }

  /** As `put`, of an entry with a home. `previous` is what its home has now. */
  putHome(entry: Entry, home: Home, previous: Entry | undefined): void {
    home.set(entry.id, entry, previous)
    this.#replace(entry, previous, home.domain)
  }

  /**
   * From now on entries of the home's domain are found there, each under its id. Takes over the dirty ones that are here
   * already: of all that `idOf` has an id for.
   */
  settleIn<Id>(home: Home<Id>, idOf: (key: string) => Id | undefined): void {
    this.#homes.push(home as Home)
    const { domain } = home
    const found = collectDirty(
      this.#active,
      this.#sealed,
      domain,
      domain,
      `${domain}\xff`,
      Number.POSITIVE_INFINITY,
      false,
    )
    for (const entry of found) {
      const id = idOf(entry.key)
      if (id === undefined || entry.home !== null) continue
      this.#partition(entry.key).delete(entry.key)
      entry.moveTo(home, id)
      home.set(id, entry, undefined)
    }
  }

  /** Takes back the newest `put` of a key; `previous` is what that put returned. Not across a `seal`. */
  undo(entry: Entry, previous: Entry | undefined, domain: string): void {
    const active = this.#active
    assert(this.#isCurrent(entry), 'only the newest put of a key can be undone')
    assert(entry.generation === active.number, 'only a put of the active generation can be undone')
    if (previous?.generation === active.number) active.restore(entry, previous, domain)
    else active.remove(entry)
    if (previous === undefined) this.#forget(entry)
    else if (entry.home !== null) entry.home.set(entry.id, previous, entry)
    else this.#partition(entry.key).set(entry.key, previous)
    if (previous?.generation === 0) this.#becomeClean(previous)
    this.#shrink()
  }

  /** Where no backend holds anything: a tombstone of the active generation has nothing to hide. */
  dropTombstone(entry: Entry): void {
    if (entry.kind !== TOMBSTONE || !this.#isCurrent(entry)) return
    assert(entry.generation === this.#active.number, 'a tombstone of the active generation')
    this.#active.remove(entry)
    this.#forget(entry)
  }

  /**
   * Adds a clean entry read from the backend. `asOf` is `settlements` from the synchronous step in which that read
   * began: once entries have settled since, the key may have been written, checkpointed and dropped meanwhile, and what
   * was read would be stale, so it is not taken. Neither is one whose key is here already, nor a very large one.
   */
  admit(entry: Entry, asOf: number): void {
    if (asOf !== this.#settlements || !this.#admissible(entry.cost)) return
    const { home } = entry
    if (home === null) {
      const partition = this.#partition(entry.key)
      if (partition.has(entry.key)) return
      partition.set(entry.key, entry)
    } else {
      if (home.entries.has(entry.id)) return
      home.set(entry.id, entry, undefined)
    }
    entry.generation = 0
    this.#sieve.insert(entry)
    this.#shrink()
  }

  /** Charges the entry anew after its decoded form was filled in. */
  recost(entry: Entry, cost = entryCost(entry)): void {
    if (entry.position === DETACHED) {
      entry.cost = cost
      return
    }
    if (entry.generation === 0) {
      this.#sieve.recost(entry, cost)
    } else {
      const change = cost - entry.cost
      entry.cost = cost
      if (entry.generation === this.#active.number) this.#active.bytes += change
      else this.#sealedBytes += change
    }
    this.#shrink()
  }

  /** Freezes the active generation for a checkpoint; later puts go to a new one. One at a time. */
  seal(): Generation {
    assert(this.#sealed === undefined, 'one generation is sealed at a time')
    const generation = this.#active
    generation.seal()
    this.#sealed = generation
    this.#sealedLeft = generation.size
    this.#sealedBytes = generation.bytes
    this.#active = new Generation(generation.number + 1)
    return generation
  }

  /**
   * The sealed generation is durable in the backend: moves its next `count` entries to the clean tier, those that a
   * newer put has not replaced and that `keep` does not refuse. True when all are done, and another may be sealed.
   */
  settle(generation: Generation, count = Number.POSITIVE_INFINITY, keep?: (entry: Entry) => boolean): boolean {
    assert(generation === this.#sealed, 'only the sealed generation settles')
    const { entries } = generation
    const to = Math.min(entries.length, generation.settled + count)
    this.#settlements++
    for (let i = generation.settled; i < to; i++) {
      const entry = entries[i]
      if (entry !== undefined) this.#settleOne(entry, keep)
    }
    generation.settled = to
    if (to < entries.length) return false
    assert(this.#sealedLeft === 0 && this.#sealedBytes === 0, 'a settled generation leaves nothing')
    this.#sealed = undefined
    generation.release()
    return true
  }

  /** The checkpoint failed before anything settled: its entries are dirty in the active generation again, in front. */
  unseal(generation: Generation): void {
    assert(generation === this.#sealed, 'only the sealed generation can be unsealed')
    assert(generation.settled === 0, 'a generation that began to settle is durable')
    this.#active.adopt(generation, (entry) => this.#isCurrent(entry))
    this.#sealed = undefined
    this.#sealedLeft = 0
    this.#sealedBytes = 0
    this.#shrink()
  }

  /**
   * A snapshot of the domain's dirty entries with gte <= key < lt, newest entry of each key, tombstones included,
   * ascending; with `reverse` descending. With `limit` it ends where so many of them are no tombstones: all that a
   * merge with the backend, which the tombstones hide rows of, needs for `limit` results.
   */
  dirtyInRange(domain: string, gte: string, lt: string, limit = Number.POSITIVE_INFINITY, reverse = false): Entry[] {
    if (limit <= 0) return []
    for (let size = limit; ; size *= 2) {
      const found = collectDirty(this.#active, this.#sealed, domain, gte, lt, size, reverse)
      if (reverse) found.reverse()
      const end = limit === Number.POSITIVE_INFINITY ? found.length : endOfLimit(found, limit)
      if (end < 0 && found.length === size) continue
      if (end >= 0) found.length = end
      return found
    }
  }

  /** A snapshot of all dirty entries of all domains in key order, newest entry of each key, tombstones included. */
  dirtyAll(): Entry[] {
    const all: Entry[] = []
    for (const partition of this.#partitions) {
      for (const entry of partition.values()) if (isDirty(entry)) all.push(entry)
    }
    for (const { entries } of this.#homes) for (const entry of entries.values()) if (isDirty(entry)) all.push(entry)
    sortEntries(all)
    return all
  }

  stats(): MemoryTierStats {
    return {
      dirtyEntries: this.#active.size + this.#sealedLeft,
      dirtyBytes: this.dirtyBytes,
      sealedBytes: this.#sealedBytes,
      cleanEntries: this.#sieve.entries,
      cleanBytes: this.#sieve.bytes,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    }
  }

  #partition(key: string): Map<string, Entry> {
    const partition = this.#partitions[partitionOf(key, this.#partitions.length)]
    assert(partition !== undefined, 'every key has a partition')
    return partition
  }

  #settleOne(entry: Entry, keep: ((entry: Entry) => boolean) | undefined): void {
    this.#sealedBytes -= entry.cost
    this.#sealedLeft--
    // Superseded ones too: an undo that brings one back then finds it clean.
    entry.generation = 0
    entry.position = DETACHED
    if (!this.#isCurrent(entry)) return
    if (keep === undefined || keep(entry)) this.#becomeClean(entry)
    else this.#forget(entry)
  }

  /**
   * Moves a current entry that the backend holds into the clean tier, without its hold on a log slab; or drops it. What
   * nobody has read since it was written is kept only while there is room, what was read may push others out.
   */
  #becomeClean(entry: Entry): void {
    const cost = costAlone(entry)
    const room = this.#sieve.bytes + cost <= this.#budget - this.dirtyBytes
    if (entry.kind === TOMBSTONE || !this.#admissible(cost) || !(room || entry.visited)) {
      this.#forget(entry)
      return
    }
    releaseShared(entry)
    if (entry.home !== null) entry.text = undefined
    entry.cost = cost
    this.#sieve.insert(entry)
    this.#shrink()
  }

  #forget(entry: Entry): void {
    if (entry.home === null) this.#partition(entry.key).delete(entry.key)
    else entry.home.delete(entry.id, entry)
  }

  #isCurrent(entry: Entry): boolean {
    const { home } = entry
    return (home === null ? this.#partition(entry.key).get(entry.key) : home.entries.get(entry.id)) === entry
  }

  #replace(entry: Entry, previous: Entry | undefined, domain: string): void {
    if (previous !== undefined) {
      if (previous.generation === 0) this.#sieve.remove(previous)
      else if (previous.generation === this.#active.number) this.#active.supersede(previous)
    }
    this.#active.add(entry, domain)
    this.#shrink()
  }

  #admissible(cost: number): boolean {
    return cost * ADMIT_SHARE <= this.#budget
  }

  /** Restores the budget: clean bytes take what the dirty ones leave. */
  #shrink(): void {
    const sieve = this.#sieve
    while (sieve.bytes > 0 && sieve.bytes + this.#active.bytes + this.#sealedBytes > this.#budget) {
      this.#forget(sieve.evict())
      this.#evictions++
    }
  }
}

/** Length of the shortest beginning with `limit` entries that are no tombstones; -1 when there are not so many. */
function endOfLimit(entries: readonly Entry[], limit: number): number {
  let left = limit
  for (let i = 0; i < entries.length; i++) {
    if (entries[i]?.kind !== TOMBSTONE && --left === 0) return i + 1
  }
  return -1
}
