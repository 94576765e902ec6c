import { assert, HoldfastError, ioError, Prng } from '../base/index.ts'
import type { Backend, BackendEntry, BackendIterator, BackendOperation, BackendRange } from './backend.ts'
import { SortedMap } from './sorted-map.ts'

/**
 * What survives of the batches since the last sync: `strict` none of them, `prefix` the first few, `subset` any of
 * them (a log with a silent hole), `all` every one (the process died, the machine did not). A batch is whole or absent.
 */
export type CrashMode = 'strict' | 'prefix' | 'subset' | 'all'

export interface MemoryBackendOptions {
  /** Runs while a batch is in flight, before it is applied; the batch fails with what this throws. */
  readonly onBatch?: (operations: readonly BackendOperation[], options: { sync: boolean }) => Promise<void> | void
}

type Batch = readonly BackendOperation[]

interface PlannedFailure {
  readonly applied: boolean
  readonly code: string
}

/**
 * The in-memory twin of the LevelDB backend: same answers, same refusals, and the same things to lose in a crash.
 * Data outlive `close()`, so that the same instance can be opened again.
 */
export class MemoryBackend implements Backend {
  readonly description: string = 'memory'
  readonly location: undefined = undefined
  readonly #onBatch: MemoryBackendOptions['onBatch']
  /** What readers see. The byte arrays in here, in `#durable` and in `#unsynced` are shared and never handed out. */
  #visible = new SortedMap<Uint8Array>()
  /** What a power cut leaves; `#visible` is this with `#unsynced` applied. */
  #durable = new Map<string, Uint8Array>()
  #unsynced: Batch[] = []
  /** Batches that failed and yet reached the disk: nobody sees them before the next open. */
  #limbo: Batch[] = []
  #inFlight: Promise<void> | undefined
  /** The batch in flight until it is decided whether it is there. */
  #undecided: Batch | undefined
  #plannedFailures = new Map<number, PlannedFailure>()
  #batchCount = 0
  #failure: Error | undefined
  #created = false
  #state: 'closed' | 'open' | 'dead' = 'closed'
  #bytes = 0

  constructor(options: MemoryBackendOptions = {}) {
    this.#onBatch = options.onBatch
  }

  async open({ create }: { create: boolean }): Promise<void> {
    if (this.#state === 'dead') throw deadError()
    assert(this.#state === 'closed', 'a backend is opened once until it is closed')
    if (!create && !this.#created) {
      throw new HoldfastError('HOLDFAST_CORRUPT', 'the memory backend holds no data to open; restore a backup')
    }
    for (const batch of this.#limbo) this.#apply(batch, false)
    this.#limbo = []
    this.#failure = undefined
    this.#created = true
    this.#state = 'open'
  }

  async destroy(): Promise<void> {
    if (this.#state === 'dead') throw deadError()
    assert(this.#state === 'closed', 'only an unopened backend is destroyed')
    this.#visible = new SortedMap()
    this.#durable = new Map()
    this.#unsynced = []
    this.#limbo = []
    this.#bytes = 0
    this.#created = false
  }

  getSync(key: string): Uint8Array | undefined {
    this.#requireOpen()
    return this.#visible.get(key)?.slice()
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.getSync(key)
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.getSync(key))
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    this.#requireOpen()
    return keys.map((key) => this.#visible.has(key))
  }

  async batch(operations: readonly BackendOperation[], { sync }: { sync: boolean }): Promise<void> {
    this.#requireOpen()
    if (this.#failure !== undefined) throw this.#refusal()
    assert(this.#inFlight === undefined, 'one backend batch is in flight at a time')
    const batch = operations.map(ownCopy)
    this.#undecided = batch
    this.#inFlight = this.#run(batch, sync)
    try {
      await this.#inFlight
    } catch (error) {
      this.#failure = ioError('write to', this.description, error)
      throw this.#failure
    } finally {
      this.#inFlight = undefined
    }
  }

  iterate(range: BackendRange): BackendIterator {
    this.#requireOpen()
    const keys = this.#visible.keys(range.gte, range.lt, range.reverse ?? false, range.limit ?? -1)
    const values = range.keysOnly ? undefined : keys.map((key) => this.#visible.get(key) as Uint8Array)
    return new MemoryIterator(keys, values, () => this.#requireOpen())
  }

  async compact(): Promise<void> {
    this.#requireOpen()
    if (this.#failure !== undefined) throw this.#refusal()
  }

  async size(): Promise<number> {
    return this.#bytes
  }

  async close(): Promise<void> {
    await this.#inFlight?.catch(() => {}) // its caller has the error
    if (this.#state === 'open') this.#state = 'closed'
  }

  /** Cuts the power: a new, unopened backend with what survives. This one is dead, whatever it still had in flight. */
  crash(mode: CrashMode, seed = 0): MemoryBackend {
    const prng = new Prng(seed)
    const random = () => prng.next()
    const tail = [...this.#unsynced, ...this.#limbo]
    // Even when only the process dies, the batch in flight may have got no further than its memory.
    if (this.#undecided !== undefined && (mode !== 'all' || random() < 0.5)) tail.push(this.#undecided)
    const survivor = new MemoryBackend(this.#onBatch === undefined ? {} : { onBatch: this.#onBatch })
    survivor.#created = this.#created
    survivor.#durable = new Map(this.#durable)
    for (const batch of surviving(tail, mode, random)) applyTo(survivor.#durable, batch)
    survivor.#visible = new SortedMap(survivor.#durable)
    survivor.#bytes = [...survivor.#durable].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    this.#state = 'dead'
    return survivor
  }

  /**
   * An independent, unopened backend in the same state, what is unsynced or in flight included, for a crash in this
   * very moment; this one goes on.
   */
  clone(): MemoryBackend {
    const copy = new MemoryBackend(this.#onBatch === undefined ? {} : { onBatch: this.#onBatch })
    copy.#created = this.#created
    copy.#visible = new SortedMap(this.#visible.entries())
    copy.#durable = new Map(this.#durable)
    copy.#unsynced = [...this.#unsynced]
    copy.#limbo = [...this.#limbo]
    copy.#undecided = this.#undecided
    copy.#bytes = this.#bytes
    return copy
  }

  /**
   * The `n`-th batch from now (1 is the next) rejects with `code`; `applied` says whether it is there after the next
   * open all the same. As with every failed batch, no other is accepted until then.
   */
  failBatch(n: number, { applied, code = 'EIO' }: { applied: boolean; code?: string }): void {
    if (!Number.isSafeInteger(n) || n < 1) throw new TypeError('n must be 1 or more')
    this.#plannedFailures.set(this.#batchCount + n, { applied, code })
  }

  /** Damages the stored value as a bad disk would, in every copy; `edit` gets its own bytes and returns the new ones. */
  corrupt(key: string, edit: (value: Uint8Array) => Uint8Array = flipLastBit): void {
    const value = this.#visible.get(key)
    if (value === undefined) throw new TypeError(`no entry to corrupt under ${JSON.stringify(key)}`)
    this.#rewrite(key, new Uint8Array(edit(value.slice())))
  }

  /** Makes an entry vanish without a trace; no error if it is not there. */
  dropKey(key: string): void {
    this.#rewrite(key, undefined)
  }

  /** Everything stored, in key order, open or not; the bytes are copies. */
  rawEntries(): BackendEntry[] {
    const entries = [...this.#visible.entries()].sort(([left], [right]) => (left < right ? -1 : 1))
    return entries.map(([key, value]) => ({ key, value: value.slice() }))
  }

  async #run(batch: Batch, sync: boolean): Promise<void> {
    this.#batchCount += 1
    const failure = this.#plannedFailures.get(this.#batchCount)
    this.#plannedFailures.delete(this.#batchCount)
    try {
      await this.#onBatch?.(batch, { sync })
      if (this.#state === 'dead') throw deadError()
      if (failure === undefined) return this.#apply(batch, sync)
      if (failure.applied) this.#limbo.push(batch)
      throw Object.assign(new Error(`${failure.code}: simulated failure of a batch`), { code: failure.code })
    } finally {
      this.#undecided = undefined
    }
  }

  #apply(batch: Batch, sync: boolean): void {
    for (const { key, value } of batch) {
      const old = this.#visible.get(key)
      if (old !== undefined) this.#bytes -= key.length + old.length
      if (value === undefined) this.#visible.delete(key)
      else this.#visible.set(key, value)
      if (value !== undefined) this.#bytes += key.length + value.length
    }
    this.#unsynced.push(batch)
    if (!sync) return
    for (const earlier of this.#unsynced) applyTo(this.#durable, earlier)
    this.#unsynced = []
  }

  #rewrite(key: string, value: Uint8Array | undefined): void {
    const change = (batch: Batch) =>
      batch.map((operation) => (operation.key === key && operation.value !== undefined ? { key, value } : operation))
    const wasDurable = this.#durable.has(key)
    const unsynced = this.#unsynced.map(change)
    if (this.#visible.has(key)) this.#apply([{ key, value }], false)
    this.#unsynced = unsynced
    if (wasDurable) applyTo(this.#durable, [{ key, value }])
  }

  #requireOpen(): void {
    if (this.#state === 'dead') throw deadError()
    if (this.#state === 'closed') throw new HoldfastError('HOLDFAST_CLOSED', 'the memory backend is not open')
  }

  #refusal(): HoldfastError {
    const text = 'the memory backend takes no more writes after an error: close and open it again'
    return new HoldfastError('HOLDFAST_IO', text, { cause: this.#failure })
  }
}

class MemoryIterator implements BackendIterator {
  readonly #keys: readonly string[]
  readonly #values: readonly Uint8Array[] | undefined
  readonly #check: () => void
  #position = 0

  constructor(keys: readonly string[], values: readonly Uint8Array[] | undefined, check: () => void) {
    this.#keys = keys
    this.#values = values
    this.#check = check
  }

  async next(size: number): Promise<BackendEntry[]> {
    this.#check()
    const from = this.#position
    const keys = this.#keys.slice(from, from + size)
    this.#position += keys.length
    return keys.map((key, index) => ({ key, value: this.#values?.[from + index]?.slice() ?? new Uint8Array(0) }))
  }

  async close(): Promise<void> {
    this.#position = this.#keys.length
  }
}

function surviving(tail: readonly Batch[], mode: CrashMode, random: () => number): readonly Batch[] {
  if (mode === 'strict') return []
  if (mode === 'all') return tail
  if (mode === 'prefix') return tail.slice(0, Math.floor(random() * (tail.length + 1)))
  return tail.filter(() => random() < 0.5)
}

function applyTo(map: Map<string, Uint8Array>, batch: Batch): void {
  for (const { key, value } of batch) {
    if (value === undefined) map.delete(key)
    else map.set(key, value)
  }
}

/** Copies, and refuses what LevelDB would store as something else. */
function ownCopy({ key, value }: BackendOperation): BackendOperation {
  assert(isByteString(key), 'backend keys are not empty and hold only U+0000 to U+00FF')
  // Not slice(): that of a Buffer shares its memory.
  return { key, value: value === undefined ? undefined : new Uint8Array(value) }
}

function isByteString(key: string): boolean {
  for (let index = 0; index < key.length; index += 1) if (key.charCodeAt(index) > 0xff) return false
  return key !== ''
}

function flipLastBit(value: Uint8Array): Uint8Array {
  const last = value.length - 1
  if (last >= 0) value[last] = (value[last] as number) ^ 1
  return value
}

function deadError(): HoldfastError {
  return new HoldfastError('HOLDFAST_IO', 'the memory backend lost its power: use the instance crash() returned')
}
