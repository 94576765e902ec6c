import { assert } from '../base/index.ts'
import { DETACHED, type Entry } from './entry.ts'

/**
 * Entries the hand may spare in one eviction. A lap over a million visited entries would stall the event loop; beyond
 * this the entry under the hand goes although it was visited, which costs at most one hot entry in so many.
 */
const SPARED_MAX = 1024

/**
 * The clean entries in order of arrival with the SIEVE hand: eviction walks from old to new, spares what was visited
 * since the last lap (clearing the mark) and takes the first that was not. New entries come in ahead of the hand's
 * next lap, so a long one-pass scan evicts itself and not the hot set.
 */
export class Sieve {
  #newest: Entry | null = null
  #oldest: Entry | null = null
  #hand: Entry | null = null
  #entries = 0
  #bytes = 0

  get entries(): number {
    return this.#entries
  }

  get bytes(): number {
    return this.#bytes
  }

  insert(entry: Entry): void {
    entry.position = 0
    entry.newer = null
    entry.older = this.#newest
    if (this.#newest === null) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
    this.#entries++
    this.#bytes += entry.cost
  }

  remove(entry: Entry): void {
    const { newer, older } = entry
    if (this.#hand === entry) this.#hand = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    if (older === null) this.#oldest = newer
    else older.newer = newer
    entry.newer = null
    entry.older = null
    entry.position = DETACHED
    this.#entries--
    this.#bytes -= entry.cost
  }

  recost(entry: Entry, cost: number): void {
    this.#bytes += cost - entry.cost
    entry.cost = cost
  }

  /** Removes and returns the entry to give up. There must be one. */
  evict(): Entry {
    let victim = this.#hand ?? this.#oldest
    let spared = 0
    while (victim?.visited === true && spared < SPARED_MAX) {
      victim.visited = false
      spared++
      victim = victim.newer ?? this.#oldest
    }
    assert(victim !== null, 'eviction needs a clean entry')
    this.#hand = victim
    this.remove(victim)
    return victim
  }
}
