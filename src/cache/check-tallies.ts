/** What `verify` finds in the cache structures, to be compared with what is known of them. Pure. */
import { crc32 } from '../base/index.ts'

/** Of one space. */
export class Tally {
  entries = 0
  /** Items, if every entry is a bag. */
  items = 0
  /** Positions, of queues and stacks. */
  lowest = Number.POSITIVE_INFINITY
  highest = Number.NEGATIVE_INFINITY

  add(key: unknown, value: unknown): void {
    this.entries++
    this.items += Array.isArray(value) ? value.length : 1
    if (typeof key !== 'number') return
    this.lowest = Math.min(this.lowest, key)
    this.highest = Math.max(this.highest, key)
  }
}

/** Stands for a set of keys: sets that are not the same have, as good as certainly, digests that are not. */
export class KeyDigest {
  #count = 0
  #sum = 0
  #squares = 0

  add(key: string): void {
    const checksum = crc32(Buffer.from(key, 'latin1'))
    this.#count++
    this.#sum = (this.#sum + checksum) >>> 0
    this.#squares = (this.#squares + Math.imul(checksum, checksum)) >>> 0
  }

  equals(other: KeyDigest): boolean {
    return this.#count === other.#count && this.#sum === other.#sum && this.#squares === other.#squares
  }
}
