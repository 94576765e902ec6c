/** A key-value namespace as a storage adapter for Keyv. */
import { EventEmitter } from 'node:events'
import type { KeyRange, KeyValue, KeyValueOptions } from '../cache/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Store } from '../store.ts'
import { deleteRange } from './delete-range.ts'

export interface HoldfastKeyvOptions extends WriteOptions, Pick<KeyValueOptions, 'maxEntries' | 'maxBytes'> {
  /** The key-value namespace that holds the entries. Default `'keyv'`. */
  readonly namespace?: string
}

/**
 * Implements the storage adapter of Keyv 5. Deadlines are the store's own: what has expired is gone for `get`, `has` and
 * `iterator`, and its room is reclaimed even if nobody asks for it again. Several adapters may share one namespace of
 * the store; then they share its entries, told apart by the prefix that Keyv puts before each key.
 */
export class HoldfastKeyv extends EventEmitter {
  /** Keyv offers `iterator` for dialects it knows only, and looks for one in both. */
  readonly opts: Record<string, unknown> = { dialect: 'sqlite', url: 'sqlite://' }
  /** Set by Keyv: the prefix of its keys, which bounds `clear` and `iterator`. Undefined: there is none. */
  namespace: string | undefined
  readonly #store: Store
  readonly #entries: KeyValue

  constructor(store: Store, options: HoldfastKeyvOptions = {}) {
    super()
    const { namespace = 'keyv', ...rest } = options
    this.#store = store
    this.#entries = store.kv(namespace, rest)
  }

  /** Keyv 5 keeps a failure of `get` to itself, so it is also emitted as `error`. */
  async get<Value>(key: string): Promise<Value | undefined> {
    try {
      return (await this.#entries.get(key)) as Value | undefined
    } catch (error) {
      if (this.listenerCount('error') > 0) this.emit('error', error)
      throw error
    }
  }

  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return (await this.#entries.getMany(keys)) as (Value | undefined)[]
  }

  /** `ttl` in milliseconds; 0 and less: expired already. Resolves at the namespace's durability. */
  async set(key: string, value: unknown, ttl?: number): Promise<true> {
    if (ttl === undefined) await this.#entries.set(key, value)
    else if (ttl > 0) await this.#entries.set(key, value, { ttlMs: ttl })
    else await this.#entries.delete(key)
    return true
  }

  async has(key: string): Promise<boolean> {
    return this.#entries.has(key)
  }

  async delete(key: string): Promise<boolean> {
    return this.#entries.delete(key)
  }

  /** In one record. Whether all of them were there. */
  async deleteMany(keys: string[]): Promise<boolean> {
    let deleted: Promise<boolean>[] = []
    await this.#store.transact(() => {
      deleted = keys.map((key) => this.#entries.delete(key))
    })
    return (await Promise.all(deleted)).every(Boolean)
  }

  async clear(): Promise<void> {
    if (this.namespace === undefined) await this.#entries.clear()
    else await deleteRange(this.#entries, keysOf(this.namespace))
  }

  /** Ordered by key; a snapshot as of the first step. */
  async *iterator<Value>(namespace = this.namespace): AsyncGenerator<[string, Awaited<Value>], void> {
    for await (const entry of this.#entries.entries(namespace === undefined ? {} : keysOf(namespace))) {
      yield entry as [string, Awaited<Value>]
    }
  }

  /** Nothing to let go of: the store stays open until its owner closes it. */
  async disconnect(): Promise<void> {}
}

function keysOf(namespace: string): KeyRange {
  return { prefix: `${namespace}:` }
}
