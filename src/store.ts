import { assert } from './base/index.ts'
import {
  Caches,
  checkCaches,
  type KeyValue,
  type KeyValueOptions,
  type Queue,
  type QueueOptions,
  type Records,
  type RecordsOptions,
  type Stack,
  Structures,
  type Table,
  type TableOptions,
} from './cache/index.ts'
import {
  checkContent,
  checkPaths,
  checkPins,
  collectGarbage,
  contentMount,
  Contents,
  type ContentStore,
  type GcOptions,
  type GcReport,
  Paths,
  type PathStore,
} from './content/index.ts'
import { describeChange } from './describe-change.ts'
import {
  type Engine,
  type RawChange,
  type OpenEngine,
  openEngine,
  releasing,
  storeStats,
  transactBoth,
  verifyStore,
  type CheckpointReport,
  type OpenOptions,
  type RecoveryReport,
  type Stats,
  type StoreStatus,
  type VerifyOptions,
  type VerifyReport,
  type WriteOptions,
} from './engine/index.ts'
import { assignmentMount, Assignments, type AssignmentStore, checkSchedule, scheduleRoots } from './schedule/index.ts'
import type { Change } from './change.ts'

/** An open store. One per directory and machine at a time. */
export interface Store extends AsyncDisposable {
  readonly location: string
  readonly status: StoreStatus
  /** Sequence of the newest record applied; 0 when nothing was ever written. */
  readonly lastSequence: number
  /** Every record up to here is on stable storage. */
  readonly durableSequence: number
  /** What `open()` found. */
  readonly recovery: RecoveryReport
  readonly content: ContentStore
  readonly paths: PathStore
  readonly assignments: AssignmentStore
  /** The key-value namespace of that name. The same object every time; options belong to the first to ask. */
  kv<V = unknown>(namespace: string, options?: KeyValueOptions): KeyValue<V>
  table(name: string, options?: TableOptions): Table
  queue<V = unknown>(name: string, options?: QueueOptions): Queue<V>
  stack<V = unknown>(name: string, options?: WriteOptions): Stack<V>
  records<T extends object>(type: string, options?: RecordsOptions): Records<T>
  /**
   * Runs `fn` synchronously; all its writes are one record: all or none after a crash. A throw undoes them. The
   * promises they return settle with the transaction and need no handler of their own.
   */
  transact<R>(fn: () => R, options?: WriteOptions): Promise<R>
  /** Committed changes in sequence order, from `from` (default: the next) while the log still holds it. */
  watch(options?: { from?: number; signal?: AbortSignal }): AsyncIterable<Change>
  /** Every earlier write is durable when it resolves. */
  sync(): Promise<void>
  /** Moves everything written so far to the backend and removes log segments no longer needed. */
  checkpoint(): Promise<CheckpointReport>
  /** Reads everything back: log, checksums, content hashes, links, indexes, counts. Changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyReport>
  /** Removes content that nothing links to or pins. */
  gc(options?: GcOptions): Promise<GcReport>
  stats(): Stats
  /** Checkpoints, then releases everything. Idempotent; works on a poisoned store, which is not checkpointed. */
  close(): Promise<void>
}

/**
 * Opens the store in directory `location`, creating it if need be. When it resolves, everything acknowledged before a
 * crash is there again. Rejects with HOLDFAST_LOCKED when another process (or this one) has it open, HOLDFAST_CORRUPT
 * naming the file when durable data are damaged, HOLDFAST_FORMAT_UNSUPPORTED for a store of a newer format,
 * HOLDFAST_NOT_FOUND, HOLDFAST_EXISTS, HOLDFAST_IO or HOLDFAST_NO_SPACE.
 */
export async function open(location: string, options?: OpenOptions): Promise<Store> {
  const caches = new Caches()
  const opened = await openEngine(location, options, caches.hooks)
  try {
    await caches.attach(opened.engine)
  } catch (error) {
    // What went wrong first is what the caller has to know; the store must not stay locked for it.
    await opened.close().catch(() => undefined)
    throw error
  }
  return new EmbeddedStore(opened, caches)
}

class EmbeddedStore implements Store {
  readonly content: Contents
  readonly paths: Paths
  readonly assignments: Assignments
  readonly #open: OpenEngine
  readonly #caches: Caches
  readonly #structures: Structures

  constructor(opened: OpenEngine, caches: Caches) {
    const { engine } = opened
    this.#open = opened
    this.#caches = caches
    this.#structures = new Structures(caches)
    this.content = new Contents(engine)
    this.assignments = new Assignments(engine, this.content)
    const mounts = [
      ['assignments', assignmentMount(this.assignments)],
      ['data', contentMount(engine, this.content)],
    ] as const
    this.paths = new Paths(engine, new Map(mounts))
  }

  get location(): string {
    return this.#engine.location
  }

  get status(): StoreStatus {
    return this.#engine.status
  }

  get lastSequence(): number {
    return this.#engine.lastSequence
  }

  get durableSequence(): number {
    return this.#engine.durableSequence
  }

  get recovery(): RecoveryReport {
    return this.#engine.recovery
  }

  kv<V>(namespace: string, options?: KeyValueOptions): KeyValue<V> {
    return this.#structures.kv(namespace, options)
  }

  table(name: string, options?: TableOptions): Table {
    return this.#structures.table(name, options)
  }

  queue<V>(name: string, options?: QueueOptions): Queue<V> {
    return this.#structures.queue(name, options)
  }

  stack<V>(name: string, options?: WriteOptions): Stack<V> {
    return this.#structures.stack(name, options)
  }

  records<T extends object>(type: string, options?: RecordsOptions): Records<T> {
    return this.#structures.records(type, options)
  }

  transact<R>(fn: () => R, options?: WriteOptions): Promise<R> {
    if (typeof fn !== 'function') return Promise.reject(new TypeError('transact takes a synchronous function'))
    return transactBoth(this.#engine, this.#caches.volatileEngine, options, fn)
  }

  watch(options: { from?: number; signal?: AbortSignal } = {}): AsyncGenerator<Change, void, undefined> {
    const changes = this.#engine.changes.watch(options.from, options.signal)
    return releasing(described(changes), () => changes.return())
  }

  sync(): Promise<void> {
    return this.#engine.sync()
  }

  async checkpoint(): Promise<CheckpointReport> {
    this.#engine.refuseInTransaction('checkpoint()')
    const refusal = this.#engine.refusal()
    if (refusal !== undefined) throw refusal
    assert(this.#open.checkpointer !== undefined, 'a store that takes writes has a checkpointer')
    try {
      return await this.#open.checkpointer.checkpoint()
    } catch (error) {
      this.#engine.poison(error)
      throw error
    }
  }

  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    this.#engine.assertReadable()
    const checkers = [checkContent(), checkPins(), checkPaths(), ...checkSchedule(), ...checkCaches(this.#caches)]
    return verifyStore(this.#open, checkers, options)
  }

  async gc(options?: GcOptions): Promise<GcReport> {
    const refusal = this.#engine.refusal()
    if (refusal !== undefined) throw refusal
    return collectGarbage(this.#engine, this.content, () => scheduleRoots(this.#engine), options)
  }

  stats(): Stats {
    return storeStats(this.#open)
  }

  close(): Promise<void> {
    this.#engine.refuseInTransaction('close()')
    this.#caches.close()
    return this.#open.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #engine(): Engine {
    return this.#open.engine
  }
}

async function* described(changes: AsyncIterable<RawChange>): AsyncGenerator<Change, void, undefined> {
  for await (const change of changes) yield describeChange(change)
}
