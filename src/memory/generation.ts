import { assert } from '../base/index.ts'
import { DomainIndex, truncate } from './domain-index.ts'
import { BASE_UNKNOWN, DETACHED, Entry, TOMBSTONE } from './entry.ts'
import { mergeEntries } from './merge-entries.ts'

/** Takes the place of an entry that left the list, so that the others keep their positions. */
const HOLE = new Entry('', TOMBSTONE, 0, 0, undefined, null, 0, 0, BASE_UNKNOWN)
const LEFTOVERS_MIN = 1024

/**
 * The dirty entries of one checkpoint: a list in order of application, and an index by key for each domain. It holds
 * one entry a key, the newest of this generation; a later generation may hold a newer one.
 */
export class Generation {
  readonly number: number
  bytes = 0
  /** Settling has passed this many of the list. */
  settled = 0
  #list: Entry[] = []
  #holes = 0
  /** Superseded and undone entries since the last sweep: what the domain indexes may still hold of them. */
  #leftovers = 0
  #outOfOrder = false
  #domains = new Map<string, DomainIndex>()
  // Writes come in streaks of one domain: this saves most of them the look-up.
  #lastDomain: string | undefined
  #lastIndex: DomainIndex | undefined

  constructor(number: number) {
    this.number = number
  }

  /** Once sealed: every entry, in order of application. Emptied when the generation has settled. */
  get entries(): readonly Entry[] {
    return this.#list
  }

  get size(): number {
    return this.#list.length - this.#holes
  }

  /** Entries the domain indexes hold on to, dirty or not. */
  get held(): number {
    let held = 0
    for (const index of this.#domains.values()) held += index.held
    return held
  }

  add(entry: Entry, domain: string): void {
    entry.generation = this.number
    entry.position = this.#list.length
    this.#list.push(entry)
    this.bytes += entry.cost
    this.#index(domain).push(entry)
  }

  /** A newer entry of this generation takes its place. */
  supersede(entry: Entry): void {
    this.#list[entry.position] = HOLE
    entry.position = DETACHED
    this.bytes -= entry.cost
    this.#holes++
    this.#leave()
  }

  /** Undoes `add(entry)`. */
  remove(entry: Entry): void {
    this.bytes -= entry.cost
    if (entry.position === this.#list.length - 1) {
      this.#list.pop()
    } else {
      this.#list[entry.position] = HOLE
      this.#holes++
    }
    entry.position = DETACHED
    this.#leave()
  }

  /** Undoes the superseding of `previous` by `entry`. */
  restore(entry: Entry, previous: Entry, domain: string): void {
    previous.position = entry.position
    entry.position = DETACHED
    this.#list[previous.position] = previous
    // Its old position may have been given away since; `seal` puts things right.
    this.#outOfOrder = true
    this.bytes += previous.cost - entry.cost
    this.#index(domain).push(previous)
    this.#leave()
  }

  seal(): void {
    if (this.#outOfOrder) this.#list.sort((a, b) => a.sequence - b.sequence)
    if (this.#outOfOrder || this.#holes > 0) this.#closeHoles()
    this.#outOfOrder = false
  }

  /** Puts the entries of an earlier, sealed generation in front; those that are not `current` are left out. */
  adopt(older: Generation, current: (entry: Entry) => boolean): void {
    const list: Entry[] = []
    for (const entry of older.#list) {
      const stays = current(entry)
      // Also what is left out: an undo may bring it back, and then it is dirty in this generation.
      entry.generation = this.number
      entry.position = DETACHED
      if (!stays) continue
      this.bytes += entry.cost
      list.push(entry)
    }
    this.#list = list.concat(this.#list)
    this.#closeHoles()
    for (const [domain, index] of older.#domains) this.#adoptDomain(domain, index)
    older.release()
  }

  /** Lets go of everything. */
  release(): void {
    this.#list = []
    this.#holes = 0
    this.bytes = 0
    this.#domains = new Map()
    this.#lastDomain = undefined
    this.#lastIndex = undefined
  }

  collect(domain: string, gte: string, lt: string, limit: number, last: boolean): Entry[] {
    return this.#domains.get(domain)?.collect(gte, lt, limit, last) ?? []
  }

  #index(domain: string): DomainIndex {
    if (domain === this.#lastDomain && this.#lastIndex !== undefined) return this.#lastIndex
    let index = this.#domains.get(domain)
    if (index === undefined) {
      index = new DomainIndex()
      this.#domains.set(domain, index)
    }
    this.#lastDomain = domain
    this.#lastIndex = index
    return index
  }

  #adoptDomain(domain: string, older: DomainIndex): void {
    const index = this.#domains.get(domain)
    if (index === undefined) this.#domains.set(domain, older)
    else index.adopt(older)
  }

  /** Keeps keys that are overwritten or undone again and again from piling up entries nobody needs. */
  #leave(): void {
    this.#leftovers++
    if (this.#leftovers <= LEFTOVERS_MIN || this.#leftovers <= this.size) return
    this.#closeHoles()
    for (const index of this.#domains.values()) index.sweep()
    this.#leftovers = 0
  }

  #closeHoles(): void {
    let kept = 0
    for (const entry of this.#list) {
      if (entry === HOLE) continue
      entry.position = kept
      this.#list[kept++] = entry
    }
    this.#list.length = kept
    this.#holes = 0
    assert(kept > 0 || this.bytes === 0, 'an empty generation has no bytes')
  }
}

/** From two generations: of a key that both hold, the entry of the newer counts. */
export function collectDirty(
  newer: Generation,
  older: Generation | undefined,
  domain: string,
  gte: string,
  lt: string,
  limit: number,
  last: boolean,
): Entry[] {
  const found = newer.collect(domain, gte, lt, limit, last)
  if (older === undefined) return found
  return truncate(mergeEntries(found, older.collect(domain, gte, lt, limit, last)), limit, last)
}
