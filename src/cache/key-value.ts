import type { Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Caches } from './caches.ts'
import { clearEntries } from './key-value-clear.ts'
import { KeyValueBounds } from './key-value-bounds.ts'
import type { KeyValueEntries } from './key-value-entries.ts'
import { KeyValueLoads } from './key-value-loads.ts'
import { checkDuration, checkKeyValueOptions } from './key-value-options.ts'
import { readRange } from './key-value-scan.ts'
import { watchEntries } from './key-value-watch.ts'
import { LeveledWrites, WriteLevels } from './leveled-writes.ts'
import { NOT_AT_HAND } from './space.ts'
import { sameValue } from './tuple-equality.ts'
import type {
  KeyRange,
  KeyValue,
  KeyValueChange,
  KeyValueOptions,
  LoadOptions,
  SetOptions,
  WatchOptions,
} from './types.ts'

/** Every read-modify-write is one synchronous step, and so atomic without a lock. */
export class KeyValueNamespace<V = unknown> implements KeyValue<V> {
  readonly namespace: string
  readonly #entries: KeyValueEntries
  readonly #isVolatile: boolean
  readonly #writes: LeveledWrites
  readonly #loads: KeyValueLoads
  readonly #ttlMs: number | undefined
  #learning: Promise<void> | undefined

  constructor(caches: Caches, namespace: string, options: KeyValueOptions) {
    checkKeyValueOptions(options)
    this.namespace = namespace
    const levels = new WriteLevels(options.durability)
    this.#isVolatile = levels.isVolatile
    this.#ttlMs = options.ttlMs
    this.#entries = caches.expiry(levels.isVolatile).open(namespace, options.type ?? 'set')
    this.#writes = new LeveledWrites(this.#entries.space, levels)
    this.#loads = new KeyValueLoads({
      entries: this.#entries,
      scratch: caches.scratch,
      store: (key, value, { ttlMs, staleMs }) => this.#storeLoaded(key, value as V, ttlMs, staleMs !== undefined),
    })
    caches.onClose(() => this.#loads.close())
    this.#bound(options, caches)
  }

  // ------------------------------------------------------------------ reading

  async get(key: Key, fallback?: V): Promise<V | undefined> {
    let entry = this.#entries.fetchAtHand(key)
    if (entry === NOT_AT_HAND) entry = await this.#entries.fetch(key)
    return entry === undefined ? fallback : (this.#entries.valueOf(entry) as V)
  }

  getSync(key: Key, fallback?: V): V | undefined {
    this.#entries.space.engine.assertReadable()
    const entry = this.#entries.find(key)
    return entry === undefined ? fallback : (this.#entries.valueOf(entry) as V)
  }

  async has(key: Key): Promise<boolean> {
    return (await this.#entries.fetch(key)) !== undefined
  }

  async getMany(keys: readonly Key[]): Promise<(V | undefined)[]> {
    checkKeys(keys, 'getMany')
    await this.#entries.space.prefetch(keys)
    return Promise.all(keys.map((key) => this.get(key)))
  }

  async getAll(key: Key): Promise<V[]> {
    this.#bagOnly('getAll')
    const entry = await this.#entries.fetch(key)
    return entry === undefined ? [] : (this.#entries.valuesOf(entry) as V[])
  }

  async ttl(key: Key): Promise<number | undefined> {
    const entry = await this.#entries.fetch(key)
    const deadline = entry === undefined ? 0 : this.#entries.space.deadlineOf(entry)
    return deadline === 0 ? undefined : deadline - this.#entries.now()
  }

  count(): number {
    this.#entries.space.engine.assertReadable()
    return this.#entries.count()
  }

  watch(options?: WatchOptions): AsyncIterable<KeyValueChange<V>> {
    return watchEntries(this.#entries, this.#isVolatile, options) as AsyncIterable<KeyValueChange<V>>
  }

  keys(range?: KeyRange): AsyncIterable<Key> {
    return readRange(this.#entries, range, 'keys') as AsyncIterable<Key>
  }

  values(range?: KeyRange): AsyncIterable<V> {
    return readRange(this.#entries, range, 'values') as AsyncIterable<V>
  }

  entries(range?: KeyRange): AsyncIterable<[Key, V]> {
    return readRange(this.#entries, range, 'entries') as AsyncIterable<[Key, V]>
  }

  // ------------------------------------------------------------------ writing

  set(key: Key, value: V, options?: SetOptions): Promise<void> {
    return this.#write(options, () => this.#set(key, value, this.#deadline(options)))
  }

  setMany(entries: Iterable<readonly [Key, V]>, options?: SetOptions): Promise<void> {
    return this.#write(options, () => {
      const deadline = this.#deadline(options)
      for (const entry of entries) {
        if (!Array.isArray(entry)) throw new TypeError('setMany takes pairs of a key and a value')
        const [key, value] = entry as readonly [Key, V]
        this.#set(key, value, deadline)
      }
    })
  }

  delete(key: Key, options?: WriteOptions): Promise<boolean> {
    return this.#write(options, () => this.#delete(key))
  }

  deleteMany(keys: readonly Key[], options?: WriteOptions): Promise<void> {
    return this.#write(options, () => {
      checkKeys(keys, 'deleteMany')
      for (const key of keys) this.#delete(key)
    })
  }

  clear(options?: WriteOptions): Promise<void> {
    return clearEntries(this.#entries, (fn) => this.#write(options, fn))
  }

  update(key: Key, fn: (old: V | undefined) => V, options?: SetOptions): Promise<V> {
    return this.#write(options, () => {
      if (typeof fn !== 'function') throw new TypeError('update takes a function from the old value to the new one')
      const entry = this.#entries.find(key)
      const value = fn(entry === undefined ? undefined : (this.#entries.valueOf(entry) as V))
      if (typeof (value as { then?: unknown } | null | undefined)?.then === 'function')
        throw new TypeError('the function given to update must be synchronous, but it returned a promise')
      this.#replace(key, this.#entries.isBag ? [value] : value, options)
      return value
    })
  }

  increment(key: Key, step = 1, initial = 0, options?: WriteOptions): Promise<number> {
    return this.#write(options, () => {
      this.#setOnly('increment')
      checkNumber(step, 'step')
      checkNumber(initial, 'initial')
      const entry = this.#entries.find(key)
      const old = entry === undefined ? initial : this.#entries.valueOf(entry)
      if (typeof old !== 'number') throw new TypeError(`increment needs a number, but the value is a ${describe(old)}`)
      const value = old + step
      this.#replace(key, value, undefined)
      return value
    })
  }

  setIfAbsent(key: Key, value: V, options?: SetOptions): Promise<boolean> {
    return this.#write(options, () => {
      const entry = this.#entries.find(key)
      const deadline = this.#deadline(options)
      if (entry === undefined) this.#set(key, value, deadline)
      else this.#entries.space.engine.observe(entry)
      return entry === undefined
    })
  }

  compareAndSet(key: Key, expected: V | undefined, value: V, options?: SetOptions): Promise<boolean> {
    return this.#write(options, () => {
      this.#setOnly('compareAndSet')
      const entry = this.#entries.find(key)
      const deadline = this.#deadline(options)
      if (this.#isExpected(entry, expected)) {
        this.#set(key, value, deadline)
        return true
      }
      if (entry === undefined) this.#entries.space.observeAbsence(key)
      else this.#entries.space.engine.observe(entry)
      return false
    })
  }

  getOrSet(key: Key, loader: (signal: AbortSignal) => Promise<V>, options?: LoadOptions): Promise<V> {
    this.#entries.space.engine.refuseInTransaction('getOrSet()')
    if (this.#entries.isBag) return Promise.reject(this.#notForBags('getOrSet'))
    return this.#loads.getOrSet(key, loader, options) as Promise<V>
  }

  replace(key: Key, values: readonly V[], options?: SetOptions): Promise<void> {
    return this.#write(options, () => {
      this.#bagOnly('replace')
      if (!Array.isArray(values)) throw new TypeError('replace takes an array of values')
      const deadline = this.#deadline(options)
      if (values.length === 0) this.#delete(key)
      else this.#entries.put(key, this.#bagOf(values), deadline)
    })
  }

  // ------------------------------------------------------------------ inside

  /** Everything is checked inside `fn`: a rejection outside of transactions, a throw within. */
  #write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    this.#learn()
    return this.#writes.run(options, fn)
  }

  #storeLoaded(key: Key, value: V, ttlMs: number | undefined, noteTime: boolean): Promise<void> {
    return this.#write(undefined, () => {
      const deadline = this.#deadline(ttlMs === undefined ? undefined : { ttlMs })
      this.#entries.put(key, value, deadline, noteTime ? this.#entries.now() : 0)
    })
  }

  #bound({ maxEntries, maxBytes }: KeyValueOptions, { scratch }: Caches): void {
    if (maxEntries === undefined && maxBytes === undefined) return
    const { engine, ledger } = this.#entries.space
    const most = { maxEntries: maxEntries ?? Number.POSITIVE_INFINITY, maxBytes: maxBytes ?? Number.POSITIVE_INFINITY }
    this.#entries.bounds = new KeyValueBounds({ engine, scratch, ...most }, ledger.entries === 0)
    this.#learn()
  }

  /** Of a bounded namespace from before this opening: which entries there are. Goes on in the background. */
  #learn(): void {
    const { bounds, space } = this.#entries
    if (bounds === undefined || bounds.isLoaded || this.#learning !== undefined || space.engine.readOnly) return
    this.#learning = this.#entries.loadBounds(bounds).catch(() => {
      // A read failed, or the store closed: the next write tries again.
      this.#learning = undefined
    })
  }

  #set(key: Key, value: V, deadline: number): void {
    if (!this.#entries.isBag) {
      this.#entries.put(key, value, deadline)
      return
    }
    const entry = this.#entries.find(key)
    const old = entry === undefined ? [] : this.#entries.valuesOf(entry)
    this.#entries.put(key, this.#bagOf([...old, value]), deadline)
  }

  #delete(key: Key): boolean {
    const entry = this.#entries.space.find(key)
    if (entry === undefined) {
      this.#entries.absent(key)
      return false
    }
    const wasLive = this.#entries.isLive(entry)
    this.#entries.remove(key, entry)
    return wasLive
  }

  /** Keeps the deadline of what it replaces unless `options` has a new one. The entry is looked up anew: a caller's function may have written. */
  #replace(key: Key, stored: unknown, options: SetOptions | undefined): void {
    const entry = this.#entries.find(key)
    const keeps = entry !== undefined && options?.ttlMs === undefined
    this.#entries.put(key, stored, keeps ? this.#entries.space.deadlineOf(entry) : this.#deadline(options))
  }

  #isExpected(entry: Entry | undefined, expected: V | undefined): boolean {
    if (entry === undefined) return expected === undefined
    return sameValue(this.#entries.valueOf(entry), expected)
  }

  /** Without duplicates in a `bag`: what came again counts where it came last. */
  #bagOf(values: readonly unknown[]): unknown[] {
    if (this.#entries.type === 'duplicate-bag') return [...values]
    const bag: unknown[] = []
    for (const value of values) {
      const known = bag.findIndex((other) => sameValue(other, value))
      if (known >= 0) bag.splice(known, 1)
      bag.push(value)
    }
    return bag
  }

  /** 0: none. */
  #deadline(options: SetOptions | undefined): number {
    checkDuration(options?.ttlMs, 'ttlMs')
    const ttlMs = options?.ttlMs ?? this.#ttlMs
    return ttlMs === undefined || ttlMs === Number.POSITIVE_INFINITY ? 0 : this.#entries.now() + ttlMs
  }

  #bagOnly(call: string): void {
    if (!this.#entries.isBag) throw new TypeError(`${call} is for bags; ${this.#names()} is a set: one value a key`)
  }

  #setOnly(call: string): void {
    if (this.#entries.isBag) throw this.#notForBags(call)
  }

  #notForBags(call: string): TypeError {
    return new TypeError(`${call} is not for bags, and ${this.#names()} is one`)
  }

  #names(): string {
    return `the namespace ${JSON.stringify(this.namespace)}`
  }
}

function checkKeys(keys: unknown, call: string): void {
  if (!Array.isArray(keys)) throw new TypeError(`${call} takes an array of keys`)
}

function checkNumber(value: unknown, name: string): void {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new TypeError(`${name} must be a number, not ${describe(value)}`)
}

function describe(value: unknown): string {
  return value === null || Number.isNaN(value) ? String(value) : typeof value
}
