import { dirname, join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { assert, HoldfastError, ioError } from '../base/index.ts'
import { type FileSystem, type LinkedView, linkedView, makeDirectoryDurable, type ViewEntry } from '../fs/index.ts'
import type { Backend, BackendIterator, BackendOperation, BackendRange } from './backend.ts'
import { levelDamagedError, levelError, levelLockedError, levelOpenError } from './level-errors.ts'
import { LevelIterator } from './level-iterator.ts'

export interface LevelBackendOptions {
  readonly fileSystem: FileSystem
  /** Opens a throwaway view: no byte of the directory changes, batches are refused. */
  readonly readOnly?: boolean
  /** Bytes LevelDB gathers in memory before it writes a table; up to two such buffers exist. 4 MiB. */
  readonly writeBufferBytes?: number
  /** Size of a table file. 8 MiB. */
  readonly maxFileBytes?: number
  /** Tables held open and mapped, plus ten; LevelDB raises anything below 74. 512. */
  readonly maxOpenFiles?: number
  /** Cache of decompressed blocks; unused without `compression`. 8 MiB. */
  readonly cacheBytes?: number
  /** Snappy. Off: values are read straight from the mapped file. */
  readonly compression?: boolean
}

type Level = ClassicLevel<Buffer, Uint8Array>

const MiB = 1024 * 1024

/**
 * LevelDB maps its tables into memory, and a page it touched counts as memory of the process until the table is closed.
 * While writing, those are the tables a compaction reads: up to 12 of `writeBufferBytes` and about 12 of `maxFileBytes`.
 * Beyond that every open table holds some 200 KB of index and filter, and the pages reads touched: page cache, which the
 * system takes back when it needs memory. `maxOpenFiles` bounds it; a read that must open tables first is ten times slower.
 */
const defaults = {
  writeBufferBytes: 4 * MiB,
  maxFileBytes: 8 * MiB,
  maxOpenFiles: 512,
  cacheBytes: 8 * MiB,
  compression: false,
} as const

/** Enough that a chunk of a scan costs one hop to the thread pool, little enough to hold twice. */
const scanBytesPerHop = 256 * 1024

/**
 * Directories open in this process, as `device:inode`. LevelDB's own lock must never be asked about one of them: a
 * refused second open closes a descriptor of the LOCK file, and that releases the lock of the first.
 */
const openDirectories = new Set<string>()

/**
 * LevelDB, through classic-level: the only file that knows either. Keys are stored as the plain bytes they stand for.
 *
 * LevelDB 1.20 neither syncs its directory after it created a log or renamed CURRENT, nor stops accepting after a
 * failed append. So the directory is synced here after open and after every sync batch, and the first failed batch
 * ends all writing until `close()` and `open()`: what it left in the log must be read back, not written behind.
 * Reads go on. Damage is never repaired: LevelDB's repair brings deleted entries back.
 */
export class LevelBackend implements Backend {
  readonly description: string
  readonly location: string
  readonly #options: LevelBackendOptions
  readonly #fileSystem: FileSystem
  #level: Level | undefined
  #view: LinkedView | undefined
  #identity: string | undefined
  #batchInFlight: Promise<void> | undefined
  #failure: Error | undefined
  #opening = false
  #unsynced = false

  constructor(location: string, options: LevelBackendOptions) {
    if (typeof location !== 'string' || location === '') throw new TypeError('location must be a non-empty string')
    this.location = location
    this.description = `LevelDB at ${location}`
    this.#options = options
    this.#fileSystem = options.fileSystem
  }

  async open({ create }: { create: boolean }): Promise<void> {
    assert(this.#level === undefined && !this.#opening, 'a backend is opened once until it is closed')
    this.#opening = true
    try {
      if (this.#options.readOnly) this.#level = await this.#openView()
      else this.#level = await this.#openInPlace(create)
    } catch (error) {
      await this.#release()
      throw levelOpenError(error, this.location)
    } finally {
      this.#opening = false
    }
    this.#failure = undefined
    this.#unsynced = false
  }

  async destroy(): Promise<void> {
    assert(this.#level === undefined && !this.#opening, 'only an unopened backend is destroyed')
    if (this.#options.readOnly) throw this.#readOnlyError('destroy')
    try {
      await this.#fileSystem.removeTree(this.location)
      const parent = dirname(this.location)
      if (await this.#fileSystem.stat(parent)) await this.#fileSystem.syncDirectory(parent)
    } catch (error) {
      throw ioError('remove', this.location, error)
    }
  }

  getSync(key: string): Uint8Array | undefined {
    const level = this.#level
    if (level === undefined) throw this.#closedError()
    try {
      return level.getSync(Buffer.from(key, 'latin1'))
    } catch (error) {
      throw levelError('read', this.location, error)
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.#reading((level) => level.get(Buffer.from(key, 'latin1')))
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reading((level) => level.getMany(keys.map(toBytes)))
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    return this.#reading((level) => level.hasMany(keys.map(toBytes)))
  }

  async batch(operations: readonly BackendOperation[], { sync }: { sync: boolean }): Promise<void> {
    const level = this.#requireWritable('write')
    assert(this.#batchInFlight === undefined, 'one backend batch is in flight at a time')
    const done = this.#write(level, operations, sync)
    this.#batchInFlight = done
    try {
      await done
      this.#unsynced = !sync
    } catch (error) {
      this.#failure = levelError('write to', this.location, error)
      throw this.#failure
    } finally {
      this.#batchInFlight = undefined
    }
  }

  iterate(range: BackendRange): BackendIterator {
    const level = this.#requireOpen()
    const wrap = (error: unknown) => levelError('scan', this.location, error)
    try {
      // classic-level takes the snapshot in the constructor, so batches that land later stay invisible.
      const cursor = level.iterator({
        gte: toBytes(range.gte),
        lt: toBytes(range.lt),
        reverse: range.reverse ?? false,
        limit: range.limit ?? -1,
        values: !range.keysOnly,
        fillCache: false,
        highWaterMarkBytes: scanBytesPerHop,
      })
      return new LevelIterator(cursor, wrap)
    } catch (error) {
      throw wrap(error)
    }
  }

  async compact(): Promise<void> {
    const level = this.#requireWritable('compact')
    const [first] = await level.keys({ limit: 1 }).all()
    const [last] = await level.keys({ limit: 1, reverse: true }).all()
    if (first === undefined || last === undefined) return
    try {
      await level.compactRange(first, last)
      await this.#fileSystem.syncDirectory(this.location)
    } catch (error) {
      throw levelError('compact', this.location, error)
    }
  }

  async size(): Promise<number> {
    let bytes = 0
    try {
      for (const name of await this.#fileSystem.readdir(this.location)) {
        // Any descriptor of LOCK that closes would drop the lock; a file may also be gone by the time it is looked at.
        if (name === 'LOCK') continue
        bytes += (await this.#fileSystem.stat(join(this.location, name)))?.size ?? 0
      }
    } catch (error) {
      throw ioError('measure', this.location, error)
    }
    return bytes
  }

  async close(): Promise<void> {
    await this.#batchInFlight?.catch(() => {}) // its caller has the error
    const level = this.#level
    this.#level = undefined
    try {
      await level?.close()
    } catch (error) {
      throw levelError('close', this.location, error)
    } finally {
      await this.#release()
    }
  }

  async #openInPlace(create: boolean): Promise<Level> {
    if (create) await makeDirectoryDurable(this.#fileSystem, this.location)
    else await this.#requirePresent()
    await this.#claim()
    const level = await this.#openLevel(this.location, create)
    try {
      await this.#fileSystem.syncDirectory(this.location)
    } catch (error) {
      await level.close()
      throw ioError('sync', this.location, error)
    }
    return level
  }

  async #openView(): Promise<Level> {
    await this.#requirePresent()
    this.#view = await linkedView(this.location, viewEntry)
    return this.#openLevel(this.#view.location, false)
  }

  async #openLevel(directory: string, create: boolean): Promise<Level> {
    const options = this.#options
    const level: Level = new ClassicLevel<Buffer, Uint8Array>(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'view',
      createIfMissing: create,
      compression: options.compression ?? defaults.compression,
      writeBufferSize: options.writeBufferBytes ?? defaults.writeBufferBytes,
      maxFileSize: options.maxFileBytes ?? defaults.maxFileBytes,
      maxOpenFiles: options.maxOpenFiles ?? defaults.maxOpenFiles,
      cacheSize: options.cacheBytes ?? defaults.cacheBytes,
    })
    await level.open()
    return level
  }

  /** LevelDB would create the directory and its LOCK before it noticed that there is nothing to open. */
  async #requirePresent(): Promise<void> {
    const current = await this.#fileSystem.stat(join(this.location, 'CURRENT'))
    if (current?.kind !== 'file') throw levelDamagedError(this.location, 'its file CURRENT is missing')
  }

  async #claim(): Promise<void> {
    const stat = await this.#fileSystem.stat(this.location)
    assert(stat !== undefined, 'a directory just made or found is there')
    const identity = `${stat.device}:${stat.inode}`
    if (openDirectories.has(identity)) throw levelLockedError(this.location)
    openDirectories.add(identity)
    this.#identity = identity
  }

  async #release(): Promise<void> {
    if (this.#identity !== undefined) openDirectories.delete(this.#identity)
    this.#identity = undefined
    const view = this.#view
    this.#view = undefined
    await view?.remove()
  }

  async #write(level: Level, operations: readonly BackendOperation[], sync: boolean): Promise<void> {
    const batch = level.batch()
    for (const { key, value } of operations) {
      assert(key !== '', 'backend keys are not empty')
      if (value === undefined) batch.del(Buffer.from(key, 'latin1'))
      else batch.put(Buffer.from(key, 'latin1'), value)
    }
    // classic-level skips an empty batch, sync or not; an empty tombstone makes it write, and so sync what came before.
    if (operations.length === 0 && sync && this.#unsynced) batch.del(emptyKey)
    await batch.write({ sync })
    if (sync) await this.#fileSystem.syncDirectory(this.location)
  }

  async #reading<T>(read: (level: Level) => Promise<T>): Promise<T> {
    try {
      return await read(this.#requireOpen())
    } catch (error) {
      throw levelError('read', this.location, error)
    }
  }

  #requireOpen(): Level {
    if (this.#level === undefined) throw this.#closedError()
    return this.#level
  }

  #requireWritable(action: string): Level {
    const level = this.#requireOpen()
    if (this.#options.readOnly) throw this.#readOnlyError(action)
    if (this.#failure !== undefined) {
      const text = `LevelDB at ${this.location} takes no more writes after an error: close and open it again`
      throw new HoldfastError('HOLDFAST_IO', text, { detail: { location: this.location }, cause: this.#failure })
    }
    return level
  }

  #closedError(): HoldfastError {
    return new HoldfastError('HOLDFAST_CLOSED', `LevelDB at ${this.location} is not open`, {
      detail: { location: this.location },
    })
  }

  #readOnlyError(action: string): HoldfastError {
    return new HoldfastError(
      'HOLDFAST_READ_ONLY',
      `could not ${action} LevelDB at ${this.location}: it is open read-only`,
      {
        detail: { location: this.location },
      },
    )
  }
}

const emptyKey = Buffer.alloc(0)

function toBytes(key: string): Buffer {
  return Buffer.from(key, 'latin1')
}

/**
 * Tables never change; CURRENT, the manifests and the logs do. LOCK must not be touched, LOG is only for people.
 *
 * A crash or a close can leave a table that no manifest names, under a number LevelDB will give to the next table it
 * writes, right through the link. So tables are linked under the suffix of old LevelDB versions, `.sst`: every version
 * reads it when there is no `.ldb`, none writes it.
 */
function viewEntry(name: string): ViewEntry | undefined {
  if (/^\d+\.(ldb|sst)$/.test(name)) return { how: 'link', name: name.replace(/ldb$/, 'sst') }
  if (name === 'CURRENT' || name.startsWith('MANIFEST-') || name.endsWith('.log')) return { how: 'copy', name }
  return undefined
}
