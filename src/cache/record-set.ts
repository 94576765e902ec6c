import type { Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Caches } from './caches.ts'
import { checkOptions, LeveledWrites, WriteLevels } from './leveled-writes.ts'
import { letter } from './names.ts'
import { removeFitting } from './removal.ts'
import { SpaceViews } from './space-views.ts'
import type { Space } from './space.ts'
import { isPlainObject } from './tuple-equality.ts'
import type { Records, RecordsOptions } from './types.ts'

/** An upsert is one put: nobody sees a record missing while it is replaced. */
export class RecordSet<T extends object> implements Records<T> {
  readonly type: string
  readonly #keyName: string
  readonly #space: Space
  readonly #views: SpaceViews
  readonly #writes: LeveledWrites

  constructor(caches: Caches, type: string, options: RecordsOptions) {
    checkOptions(options, 'records', ['key'])
    const { key = 'id' } = options
    if (typeof key !== 'string')
      throw new TypeError(`the option key must be the name of a property, not ${String(key)}`)
    const levels = new WriteLevels(options.durability)
    this.type = type
    this.#keyName = key
    this.#space = caches.space(letter.records, type, levels.isVolatile)
    this.#space.declare({ type: 'records', key })
    this.#views = new SpaceViews(this.#space)
    this.#writes = new LeveledWrites(this.#space, levels)
  }

  add(record: T, options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => this.#put(record))
  }

  addMany(records: Iterable<T>, options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => {
      for (const record of records) this.#put(record)
    })
  }

  async get(keyOrRecord: Key | T): Promise<T | undefined> {
    const entry = await this.#space.fetch(this.#keyIn(keyOrRecord))
    return entry === undefined ? undefined : this.#recordOf(entry)
  }

  getSync(keyOrRecord: Key | T): T | undefined {
    this.#space.engine.assertReadable()
    const entry = this.#space.find(this.#keyIn(keyOrRecord))
    return entry === undefined ? undefined : this.#recordOf(entry)
  }

  async getAll(): Promise<T[]> {
    const records: T[] = []
    for await (const entry of this.#space.scan()) records.push(this.#recordOf(entry))
    return records
  }

  remove(keyOrRecord: Key | T, options?: WriteOptions): Promise<boolean> {
    return this.#writes.run(options, () => {
      const key = this.#keyIn(keyOrRecord)
      const removed = this.#remove(key)
      if (!removed) this.#space.observeAbsence(key)
      return removed
    })
  }

  removeAll(options?: WriteOptions): Promise<void> {
    const target = { space: this.#space, views: this.#views, writes: this.#writes }
    return removeFitting(target, options, {
      what: 'removeAll()',
      inMemory: () => this.#space.inMemory(),
      stored: () => this.#space.scan(),
      remove: (key) => (this.#remove(key) ? 1 : 0),
      removed: () => undefined,
    })
  }

  count(): number {
    this.#space.engine.assertReadable()
    return this.#space.count
  }

  #put(record: T): void {
    if (!isPlainObject(record)) throw new TypeError(`a record must be a plain object: ${this.#example}`)
    const key = this.#keyOf(record)
    const before = this.#space.find(key)
    this.#views.note(key, before)
    this.#space.put(key, record, before)
  }

  #remove(key: Key): boolean {
    const before = this.#space.find(key)
    if (before === undefined) return false
    this.#views.note(key, before)
    this.#space.remove(key)
    return true
  }

  /** Byte arrays and arrays are keys; any other object is a record. */
  #keyIn(keyOrRecord: Key | T): Key {
    return isPlainObject(keyOrRecord) ? this.#keyOf(keyOrRecord) : (keyOrRecord as Key)
  }

  #keyOf(record: Readonly<Record<string, unknown>>): Key {
    const key = Object.hasOwn(record, this.#keyName) ? record[this.#keyName] : undefined
    if (key === undefined) throw new TypeError(`a record must have the property that identifies it: ${this.#example}`)
    return key as Key
  }

  #recordOf(entry: Entry): T {
    return this.#space.valueOf(entry) as T
  }

  get #example(): string {
    return `records(${JSON.stringify(this.type)}) finds them by ${JSON.stringify(this.#keyName)}`
  }
}
