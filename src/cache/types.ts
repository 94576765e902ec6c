import type { Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'

export type { Key } from '../codec/index.ts'

/** What a value may be made of: read back it equals what was written. */
export type CacheValue =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly CacheValue[]
  | ReadonlyMap<CacheValue, CacheValue>
  | ReadonlySet<CacheValue>
  | { readonly [key: string]: CacheValue }

/** Bounds of a range of keys. `prefix` is for strings, byte arrays and arrays and excludes the other bounds. */
export interface KeyRange {
  readonly gt?: Key
  readonly gte?: Key
  readonly lt?: Key
  readonly lte?: Key
  readonly prefix?: string | Uint8Array | readonly Key[]
  readonly reverse?: boolean
  readonly limit?: number
}

export interface KeyValueOptions extends WriteOptions {
  /** Deadline of entries that are set without their own, milliseconds from the write. Infinity is none. */
  readonly ttlMs?: number
  /** Makes the namespace a cache: the least useful entries are evicted above so many. */
  readonly maxEntries?: number
  /** The same for the bytes of keys and encoded values. An entry that is larger by itself is evicted as it is set. */
  readonly maxBytes?: number
  readonly type?: 'set' | 'bag' | 'duplicate-bag'
}

export interface SetOptions extends WriteOptions {
  /** Milliseconds from now until the entry is gone; Infinity: never. */
  readonly ttlMs?: number
}

export interface LoadOptions {
  readonly ttlMs?: number
  /** After so many milliseconds a value is stale: it is still answered while one reload runs. */
  readonly staleMs?: number
  /** The loader's signal is aborted and the callers are rejected after so many milliseconds. */
  readonly timeoutMs?: number
  /** Rejects this caller alone; the load goes on while another caller waits. */
  readonly signal?: AbortSignal
}

/** Why an entry changed: `delete` by a caller, `expire` at its deadline, `evict` for room. */
export interface KeyValueChange<V> {
  readonly type: 'set' | 'delete' | 'expire' | 'evict'
  readonly key: Key
  /** The new value of a `set`. */
  readonly value?: V
  /** The record the change belongs to: `watch({ from })` resumes there. */
  readonly sequence: number
}

export interface WatchOptions {
  /** First sequence wanted; default: the next one. */
  readonly from?: number
  readonly signal?: AbortSignal
}

/** A key-value namespace. Every write is atomic; order of calls is order of effect at every durability. */
export interface KeyValue<V = unknown> {
  readonly namespace: string
  /** Resolves at the namespace's durability or the one given. A bag adds the value instead of replacing. */
  set(key: Key, value: V, options?: SetOptions): Promise<void>
  /** The value, or `fallback` when there is none; a stored undefined or null is answered as it is. Of a bag the last one added. */
  get(key: Key, fallback?: V): Promise<V | undefined>
  /** The latest applied value, acknowledged or not. Blocks when it is not in memory. */
  getSync(key: Key, fallback?: V): V | undefined
  has(key: Key): Promise<boolean>
  setMany(entries: Iterable<readonly [Key, V]>, options?: SetOptions): Promise<void>
  getMany(keys: readonly Key[]): Promise<(V | undefined)[]>
  deleteMany(keys: readonly Key[], options?: WriteOptions): Promise<void>
  /** Whether there was one. Of a bag: all values of the key. */
  delete(key: Key, options?: WriteOptions): Promise<boolean>
  /** Removes everything in this namespace and nothing else, atomically. */
  clear(options?: WriteOptions): Promise<void>
  /** Replaces by what `fn` answers, synchronously and so atomically. `ttlMs` undefined keeps the entry's deadline. */
  update(key: Key, fn: (old: V | undefined) => V, options?: SetOptions): Promise<V>
  /** `initial` (0) when absent, then plus `step` (1). TypeError when the value is no number. Keeps the deadline. */
  increment(key: Key, step?: number, initial?: number, options?: WriteOptions): Promise<number>
  setIfAbsent(key: Key, value: V, options?: SetOptions): Promise<boolean>
  /** Compares by value; undefined expects absence. */
  compareAndSet(key: Key, expected: V | undefined, value: V, options?: SetOptions): Promise<boolean>
  /**
   * The value, or what `loader` brings, stored as durably as the namespace promises: one load of a key at a time, whoever
   * asks. What a caller sets or deletes during the load wins. Not of bags, and not inside a transaction (TypeError).
   */
  getOrSet(key: Key, loader: (signal: AbortSignal) => Promise<V>, options?: LoadOptions): Promise<V>
  keys(range?: KeyRange): AsyncIterable<Key>
  values(range?: KeyRange): AsyncIterable<V>
  entries(range?: KeyRange): AsyncIterable<[Key, V]>
  /** Exact, in constant time; bags count values. */
  count(): number
  /** Durable changes in order. HOLDFAST_WATCH_LOST when the log no longer holds `from`; live only where volatile. */
  watch(options?: WatchOptions): AsyncIterable<KeyValueChange<V>>
  /** Of bags: all values of the key, in order of adding. */
  getAll(key: Key): Promise<V[]>
  /** Of bags: puts these values in place of all values of the key, atomically. */
  replace(key: Key, values: readonly V[], options?: SetOptions): Promise<void>
  /** Milliseconds left; undefined without a deadline or an entry. */
  ttl(key: Key): Promise<number | undefined>
}

export type Tuple = readonly CacheValue[]

export interface TableOptions extends WriteOptions {
  /** `set`: one tuple a key. `ordered-set`: the same, scanned in key order. `bag`: many, none twice. Default `set`. */
  readonly type?: 'set' | 'ordered-set' | 'bag' | 'duplicate-bag'
  /** Position of the key in each tuple. Default 0. */
  readonly keyPos?: number
  /** Position of the partition value. Default 0. */
  readonly partitionPos?: number
}

export interface PartitionOption {
  readonly partition?: Key
}

/**
 * Tuples found by key, partition or pattern. Everything answered is frozen or the caller's own copy.
 *
 * A pattern is an array as long as the tuples it matches. In it a value matches what equals it, `any` whatever is in its
 * place, `capture(n)` too, and answers it; both also inside arrays, plain objects and the values of Maps. Reads that
 * answer a promise show one moment: that of the call.
 */
export interface Table {
  readonly name: string
  put(tuple: Tuple, options?: WriteOptions): Promise<void>
  /** One record: all or none. */
  putMany(tuples: Iterable<Tuple>, options?: WriteOptions): Promise<void>
  /** `tuple` needs only its key and partition elements. */
  get(tuple: Tuple): Promise<Tuple[]>
  getSync(tuple: Tuple): Tuple[]
  getBy(key: Key, partition: Key): Promise<Tuple[]>
  /** The captures of each matching tuple, in order of their numbers. */
  match(pattern: readonly unknown[], options?: PartitionOption): Promise<CacheValue[][]>
  matchRecords(pattern: readonly unknown[], options?: PartitionOption): Promise<Tuple[]>
  scan<A>(fn: (accumulator: A, tuple: Tuple) => A, accumulator: A, options?: PartitionOption): Promise<A>
  delete(tuple: Tuple, options?: WriteOptions): Promise<void>
  deleteBy(key: Key, partition: Key, options?: WriteOptions): Promise<void>
  /** How many went, in one record: exactly what matches when it is applied. */
  deleteMatch(pattern: readonly unknown[], options?: PartitionOption & WriteOptions): Promise<number>
  clear(options?: WriteOptions): Promise<void>
  count(): number
}

/**
 * An item handed out for a time. Only its holder can end it before its deadline; past the deadline it is handed out again
 * when somebody asks, and until then the holder can still end it. `ack` or `nack` called again resolves as the first call.
 */
export interface Lease<V> {
  readonly value: V
  /** How often it has been handed out, this time included. */
  readonly deliveries: number
  /** When it runs out, milliseconds since 1970. A restart does not change it. */
  readonly deadline: number
  /**
   * Done: the item is gone for good, as durably as the queue when it resolves. Rejects with HOLDFAST_LEASE_LOST when the
   * lease ran out and the item was handed out again or became a dead letter, and after `nack`.
   */
  ack(): Promise<void>
  /**
   * Back to the queue, ahead of what was never delivered; or to the dead letters after `maxDeliveries`. Rejects like
   * `ack`, and after `ack`.
   */
  nack(): Promise<void>
}

export interface LeaseOptions {
  /** Milliseconds from now until the item may be handed out again. */
  readonly leaseMs: number
}

export interface ConsumeOptions extends LeaseOptions {
  /** Ends the loop without an error: the item being worked on is acknowledged when its body completes. */
  readonly signal?: AbortSignal
}

export interface QueueOptions extends WriteOptions {
  /** After so many deliveries without `ack` an item goes to the dead letters. Default: never. */
  readonly maxDeliveries?: number
}

/** First in, first out. What was taken or acknowledged never comes back; what was added never gets lost. */
export interface Queue<V = unknown> {
  readonly name: string
  add(value: V, options?: WriteOptions): Promise<void>
  /** One record: all or none. */
  addMany(values: readonly V[], options?: WriteOptions): Promise<void>
  /** The next item, or `fallback` when there is none. Its removal is as durable as the queue when it resolves. */
  take(fallback?: V, options?: WriteOptions): Promise<V | undefined>
  peek(fallback?: V): Promise<V | undefined>
  /** Items that can be taken now: without leased and dead ones, with those whose lease has run out. */
  count(): number
  /** Takes everything, oldest first, in one record. */
  drain(options?: WriteOptions): Promise<V[]>
  /** Hands out the next item; undefined when there is none. That it was handed out is as durable as the queue. */
  lease(options: LeaseOptions): Promise<Lease<V> | undefined>
  /**
   * Waits for items and leases them, one at a time. Going on to the next item acknowledges the one before. Leaving the loop
   * returns the item whose body did not come to its end: `break` and `return` do that as well as a throw, as the loop
   * cannot tell them apart. Ends by `signal`; rejects with HOLDFAST_LEASE_LOST when a body took longer than `leaseMs` and
   * somebody else has the item, and when the store fails or closes. Not in a transaction.
   */
  consume(options: ConsumeOptions): AsyncIterable<V>
  /** Items that used up their deliveries. */
  readonly deadLetters: DeadLetters<V>
}

export interface DeadLetters<V> {
  count(): number
  /** Oldest first. */
  list(): Promise<V[]>
  /** Puts all at the end of the queue with no deliveries counted, in one record. Answers how many. */
  redeliver(): Promise<number>
  clear(): Promise<void>
}

/** Last in, first out. */
export interface Stack<V = unknown> {
  readonly name: string
  push(value: V, options?: WriteOptions): Promise<void>
  /** One record; the last of them is the new top. */
  pushMany(values: Iterable<V>, options?: WriteOptions): Promise<void>
  /** The top, or `fallback` when there is none. Its removal is as durable as the stack when it resolves. */
  pop(fallback?: V, options?: WriteOptions): Promise<V | undefined>
  peek(fallback?: V): Promise<V | undefined>
  count(): number
  /** Takes everything, top first, in one record. */
  drain(options?: WriteOptions): Promise<V[]>
}

export interface RecordsOptions extends WriteOptions {
  /** The property that identifies a record. Default `id`. */
  readonly key?: string
}

/** Objects of one type, found by one of their properties. */
export interface Records<T extends object> {
  readonly type: string
  /** Takes the place of the record with that key, if there is one; nobody sees neither of them. */
  add(record: T, options?: WriteOptions): Promise<void>
  /** One record of the log: all or none. */
  addMany(records: Iterable<T>, options?: WriteOptions): Promise<void>
  get(keyOrRecord: Key | T): Promise<T | undefined>
  /** The latest applied one, acknowledged or not. Blocks when it is not in memory. */
  getSync(keyOrRecord: Key | T): T | undefined
  /** In order of their keys, as of this call. */
  getAll(): Promise<T[]>
  /** Whether there was one. */
  remove(keyOrRecord: Key | T, options?: WriteOptions): Promise<boolean>
  /** Removes all there is at the moment it is applied, in one record. */
  removeAll(options?: WriteOptions): Promise<void>
  count(): number
}
