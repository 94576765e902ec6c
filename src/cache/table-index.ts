/**
 * For tables whose key and partition differ: finds the entries by the second part of their keys. Its entries are put and
 * deleted in the same records as those they lead to, and hold nothing but their keys.
 */
import { decodeKey, encodeKey, type Key } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import { domainOfSpace, letter } from './names.ts'
import { cacheKind } from './payload.ts'

/** Above every encoded key. */
const keysEnd = '\xff'
const noPayload = Buffer.alloc(0)

export class TableIndex {
  readonly #engine: Engine
  readonly #domain: string

  constructor(engine: Engine, table: string) {
    this.#engine = engine
    this.#domain = domainOfSpace(letter.tableIndex, table)
  }

  /** Only inside `write`, when an entry is new. */
  put(first: Key, second: Key): void {
    this.#engine.put(this.#keyOf(first, second), this.#domain, cacheKind.partition, noPayload, 0)
  }

  /** Only inside `write`, when an entry goes. */
  delete(first: Key, second: Key): void {
    this.#engine.delete(this.#keyOf(first, second), this.#domain)
  }

  /** One entry for each key with this second part, as of this call: for `firstOf`. */
  scan(second: Key): AsyncGenerator<Entry, void, undefined> {
    const prefix = this.#domain + encodeKey(second)
    return this.#engine.scan({ domain: this.#domain, gte: prefix, lt: prefix + keysEnd })
  }

  /** First part of the key that an entry of `scan(second)` leads to. */
  firstOf(entry: Entry, second: Key): Key {
    return decodeKey(entry.key.slice(this.#domain.length + encodeKey(second).length))
  }

  #keyOf(first: Key, second: Key): string {
    return this.#domain + encodeKey(second) + encodeKey(first)
  }
}
