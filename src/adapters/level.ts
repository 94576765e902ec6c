/** A key-value namespace as an abstract-level database. */
import {
  type AbstractBatchOperation,
  type AbstractDatabaseOptions,
  type AbstractIteratorOptions,
  AbstractLevel,
} from 'abstract-level'
import type { KeyValue } from '../cache/index.ts'
import type { Durability, WriteOptions } from '../engine/index.ts'
import type { Store } from '../store.ts'
import { deleteRange } from './delete-range.ts'
import { LevelIterator } from './level-iterator.ts'
import { keyRange, type LevelRange } from './level-range.ts'

export interface HoldfastLevelOptions<K, V> extends AbstractDatabaseOptions<K, V> {
  /** The key-value namespace that holds the entries. The view counts on having it to itself. Default `'level'`. */
  readonly namespace?: string
  /** When writes are acknowledged. Default: as the store was opened. */
  readonly durability?: Durability
}

/** Options that `put`, `del` and `batch` understand beside those in the types of abstract-level. */
export interface LevelWriteOptions extends WriteOptions {
  /** As in other databases of this kind: `true` is durability `'sync'`. */
  readonly sync?: boolean
}

/**
 * Keys and values are bytes. A `batch` is one record: all or none after a crash. Iterators read the snapshot of the
 * moment they are made. Closing it leaves the store open; the store must be closed after it.
 */
export class HoldfastLevel<K = string, V = string> extends AbstractLevel<Uint8Array, K, V> {
  readonly #store: Store
  readonly #entries: KeyValue<Uint8Array>
  readonly #isLogged: boolean

  constructor(store: Store, options: HoldfastLevelOptions<K, V> = {}) {
    const { namespace = 'level', durability, ...rest } = options
    const manifest = {
      encodings: { view: true },
      has: true,
      getSync: true,
      implicitSnapshots: true,
      explicitSnapshots: false,
      permanence: durability !== 'volatile',
    }
    super(manifest, rest)
    this.#store = store
    this.#entries = store.kv<Uint8Array>(namespace, durability === undefined ? {} : { durability })
    this.#isLogged = durability !== 'volatile'
  }

  async _get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#entries.get(key)
  }

  _getSync(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.getSync(key)
  }

  async _getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#entries.getMany(keys)
  }

  async _has(key: Uint8Array): Promise<boolean> {
    return this.#entries.has(key)
  }

  async _hasMany(keys: Uint8Array[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.#entries.has(key)))
  }

  async _put(key: Uint8Array, value: Uint8Array, options: LevelWriteOptions): Promise<void> {
    await this.#entries.set(key, value, writeOptions(options))
  }

  async _del(key: Uint8Array, options: LevelWriteOptions): Promise<void> {
    await this.#entries.delete(key, writeOptions(options))
  }

  async _batch(
    operations: readonly AbstractBatchOperation<HoldfastLevel<K, V>, Uint8Array, Uint8Array>[],
    options: LevelWriteOptions,
  ): Promise<void> {
    await this.#store.transact(() => {
      for (const operation of operations) {
        if (operation.type === 'put') void this.#entries.set(operation.key, operation.value)
        else void this.#entries.delete(operation.key)
      }
    }, writeOptions(options))
  }

  /** Everything in one record; a range in records of some thousand keys. */
  async _clear(options: LevelRange): Promise<void> {
    const { gt, gte, lt, lte, limit } = options
    if (limit < 0 && [gt, gte, lt, lte].every((bound) => bound === undefined)) return this.#entries.clear()
    await deleteRange(this.#entries, keyRange(options))
  }

  _iterator(options: AbstractIteratorOptions<K, V> & LevelRange): LevelIterator<this, K, V> {
    const position = () => (this.#isLogged ? this.#store.lastSequence : Number.NaN)
    return new LevelIterator(this, { entries: this.#entries, position }, options)
  }
}

function writeOptions({ sync, durability }: LevelWriteOptions): WriteOptions {
  if (durability !== undefined) return { durability }
  return sync === true ? { durability: 'sync' } : {}
}
