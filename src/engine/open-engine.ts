/**
 * Opening: lock → superblock → backend (its kernel lock is held before the log is read) → epoch → replay what came
 * after the checkpoint → fresh segment → ready. Nothing is changed before the lock is held, and nothing at all by a
 * read-only open.
 */
import { randomBytes } from 'node:crypto'
import { HoldfastError, ioError } from '../base/index.ts'
import { type FileLock, lockHolder, makeDirectoryDurable, readFileWhole, writeFileAtomic } from '../fs/index.ts'
import { type Backend, LevelBackend, levelTuning } from '../kv/index.ts'
import { MemoryTier } from '../memory/index.ts'
import { recoverWal, Wal, type WalLocation, type WalRecovery } from '../wal/index.ts'
import { BackendAccess } from './backend-access.ts'
import { Checkpointer } from './checkpointer.ts'
import { type Account, checkpointKey, encodeMeta, firstCheckpoint, hashOf } from './checkpoint-record.ts'
import { Engine } from './engine.ts'
import type { EngineHooks } from './engine-hooks.ts'
import { EpochFence } from './epoch-fence.ts'
import { creationLeftovers, type Layout, layoutOf } from './layout.ts'
import { type ResolvedOptions, resolveOptions } from './options.ts'
import { existsError, notAStore, notFound, superblockMissing } from './open-errors.ts'
import { OpenEngine } from './open-handle.ts'
import { replayRecord } from './replay.ts'
import { readStanding } from './standing.ts'
import { type CheckpointPointer, decodeSuperblock, encodeSuperblock, type Superblock } from './superblock.ts'
import type { OpenOptions, RecoveryReport } from './types.ts'

export async function openEngine(
  location: string,
  options: OpenOptions = {},
  hooks: EngineHooks = {},
): Promise<OpenEngine> {
  if (typeof location !== 'string' || location === '') throw new TypeError('open() takes the path of a directory')
  const resolved = resolveOptions(options)
  const started = resolved.clock.monotonic()
  const found = await resolved.fileSystem.stat(location).catch((error: unknown) => {
    throw ioError('look at', location, error)
  })
  if (found?.kind === 'file') throw notAStore(location, 'it is a file')
  if (found === undefined && (resolved.readOnly || !resolved.createIfMissing)) throw notFound(location)
  if (found === undefined) await makeDirectoryDurable(resolved.fileSystem, location)
  const real = await resolved.fileSystem.realpath(location).catch((error: unknown) => {
    throw ioError('look at', location, error)
  })
  const layout = layoutOf(real)
  const opening = new Opening(location, layout, resolved, hooks, started)
  return resolved.readOnly ? opening.readOnly() : opening.readWrite()
}

class Opening {
  readonly #location: string
  readonly #layout: Layout
  readonly #options: ResolvedOptions
  readonly #hooks: EngineHooks
  readonly #started: number
  readonly #backend: Backend
  /** Undone newest first when opening fails. */
  readonly #cleanups: (() => Promise<void>)[] = []
  #engine: Engine | undefined
  #lostLock: Error | undefined

  constructor(location: string, layout: Layout, options: ResolvedOptions, hooks: EngineHooks, started: number) {
    this.#location = location
    this.#layout = layout
    this.#options = options
    this.#hooks = hooks
    this.#started = started
    this.#backend = options.backend ?? this.#levelBackend()
  }

  async readOnly(): Promise<OpenEngine> {
    const holder = this.#options.onMachine ? await lockHolder(this.#layout.location) : undefined
    // An owner that cannot be shown to be dead may be writing right now.
    if (holder !== undefined && holder.alive !== false) {
      throw new HoldfastError(
        'HOLDFAST_LOCKED',
        `process ${holder.pid} has the store at ${this.#location} open; read it there or close it`,
        {
          detail: { location: this.#location, pid: holder.pid },
        },
      )
    }
    const superblock = await this.#readSuperblock()
    if (superblock === undefined || !superblock.initialised) throw notFound(this.#location)
    return this.#cleaningUp(async () => {
      await this.#openBackend()
      const tier = this.#newTier()
      const access = new BackendAccess(this.#backend)
      const files = this.#logFiles(superblock)
      const { recovery, after } = await this.#recover(files, superblock, tier)
      const report = this.#report(recovery, superblock, false)
      const engine = new Engine({
        ...{ location: this.#location, tier, access, clock: this.#options.clock, recovery: report },
        ...{ wal: undefined, logFiles: files, defaultLevel: this.#options.defaultLevel },
      })
      return this.#opened(engine, superblock, undefined, (await readStanding(access, after)).account)
    })
  }

  async readWrite(): Promise<OpenEngine> {
    return this.#cleaningUp(async () => {
      await this.#lock()
      const { superblock: found, created } = await this.#superblockOrCreate()
      if (!created) await this.#openBackend()
      const superblock = { ...found, epoch: found.epoch + 1 }
      await this.#writeSuperblock(superblock)
      const fence = await EpochFence.claim(
        this.#options.fileSystem,
        this.#layout.epochFile,
        this.#options.clock,
        superblock.epoch,
      )
      this.#cleanups.push(() => fence.close())
      const tier = this.#newTier()
      const access = new BackendAccess(this.#backend)
      const files = this.#logFiles(superblock)
      const { recovery, after } = await this.#recover(files, superblock, tier)
      const standing = await readStanding(access, after)
      const wal = await Wal.start(
        {
          ...files,
          segmentBytes: this.#options.segmentBytes,
          epoch: superblock.epoch,
          clock: this.#options.clock,
          bufferedIntervalMs: this.#options.bufferedIntervalMs,
          fence: () => fence.check(),
          onFailure: (error: unknown) => this.#engine?.poison(error),
          onAcknowledged: (sequence: number) => this.#engine?.changes.durable(sequence),
        },
        recovery,
      )
      this.#cleanups.push(() => wal.close())
      const report = this.#report(recovery, { ...superblock, checkpoint: after }, created)
      const engine = new Engine({
        ...{ location: this.#location, tier, access, clock: this.#options.clock, recovery: report },
        ...{ wal, logFiles: files, defaultLevel: this.#options.defaultLevel },
      })
      this.#engine = engine
      this.#assertStillLocked()
      const checkpointer = new Checkpointer({
        ...{ fileSystem: this.#options.fileSystem, superblockFile: this.#layout.superblock },
        // After falling back to the checkpoint before, the chain goes on from that one.
        superblock:
          after === superblock.checkpoint ? superblock : { ...superblock, checkpoint: after, previousCheckpoint: null },
        ...{ standing, tier, wal, access, clock: this.#options.clock },
        checkpointBytes: this.#options.checkpointBytes,
        dirtyBytesMax: this.#options.dirtyBytesMax,
        poison: (cause: unknown) => engine.poison(cause),
        confirmOwner: () => fence.confirm(),
        beforeSeal: () => {
          engine.flush()
          this.#hooks.beforeSeal?.(engine)
        },
      })
      engine.checkpointer = checkpointer
      checkpointer.afterWrite()
      return this.#opened(engine, superblock, checkpointer, standing.account)
    })
  }

  // ---------------------------------------------------------------- steps

  #opened(
    engine: Engine,
    superblock: Superblock,
    checkpointer: Checkpointer | undefined,
    account: Account,
  ): OpenEngine {
    const { memoryBytes } = this.#options
    const parts = { engine, layout: this.#layout, superblock, checkpointer, memoryBytes, account }
    return new OpenEngine({ ...parts, cleanups: this.#cleanups })
  }

  async #lock(): Promise<void> {
    const { location } = this.#layout
    const onLost = (reason: Error): void => {
      this.#lostLock = reason
      this.#engine?.poison(reason)
    }
    const lock: FileLock = await this.#options.fileSystem.lock(location, onLost).catch((error: unknown) => {
      throw ioError('lock', location, error)
    })
    this.#cleanups.push(async () => {
      await lock.release().catch((error: unknown) => {
        // Of a lost lock only this process's own claim is left to give up; that it was lost has been said.
        if (this.#lostLock === undefined) throw error
      })
    })
  }

  /** Before there is an engine to poison, a lock lost on the way ends the opening. */
  #assertStillLocked(): void {
    if (this.#lostLock === undefined) return
    throw new HoldfastError(
      'HOLDFAST_LOCKED',
      `the lock of ${this.#location} was lost to another owner while the store was being opened`,
      {
        detail: { location: this.#location },
        cause: this.#lostLock,
      },
    )
  }

  async #superblockOrCreate(): Promise<{ superblock: Superblock; created: boolean }> {
    const superblock = await this.#readSuperblock()
    if (superblock?.initialised === true) {
      if (this.#options.errorIfExists) throw existsError(this.#location)
      return { superblock, created: false }
    }
    if (superblock === undefined) await this.#assertNothingElseHere()
    if (!this.#options.createIfMissing) throw notFound(this.#location)
    return { superblock: await this.#create(), created: true }
  }

  /** A creation cut short by a crash never acknowledged anything: what it left is removed and made anew. */
  async #create(): Promise<Superblock> {
    const { fileSystem } = this.#options
    const firstKey = checkpointKey(0)
    const first = encodeMeta(firstKey, firstCheckpoint)
    const fresh: Superblock = {
      ...{ storeId: randomBytes(16).toString('hex'), epoch: 0, initialised: false },
      ...{ checkpoint: { number: 0, sequence: 0, hash: '' }, previousCheckpoint: null },
    }
    try {
      // An opening that failed or was killed may have made the directory without making its name durable.
      await makeDirectoryDurable(fileSystem, this.#layout.location)
      await this.#writeSuperblock(fresh)
      await fileSystem.removeTree(this.#layout.wal)
      await this.#backend.destroy()
      await fileSystem.mkdir(this.#layout.wal)
      await this.#backend.open({ create: true })
      this.#cleanups.push(() => this.#backend.close())
      await this.#backend.batch([{ key: firstKey, value: first }], { sync: true })
      await fileSystem.syncDirectory(this.#layout.location)
    } catch (error) {
      throw ioError('create the store in', this.#location, error)
    }
    const initialised = { ...fresh, initialised: true, checkpoint: { number: 0, sequence: 0, hash: hashOf(first) } }
    await this.#writeSuperblock(initialised)
    return initialised
  }

  async #assertNothingElseHere(): Promise<void> {
    const { location } = this.#layout
    const names = await this.#options.fileSystem.readdir(location).catch((error: unknown) => {
      throw ioError('list', location, error)
    })
    const foreign = names.find((name) => !creationLeftovers.has(name))
    if (foreign !== undefined) throw notAStore(this.#location, `it holds ${JSON.stringify(foreign)} and no superblock`)
    // Segments or LevelDB files without a superblock are a store that lost it, not a creation cut short: that writes the superblock first.
    if (names.includes('wal') || names.includes('level')) throw superblockMissing(this.#layout.superblock)
  }

  async #readSuperblock(): Promise<Superblock | undefined> {
    const { superblock: file } = this.#layout
    const bytes = await readFileWhole(this.#options.fileSystem, file)
    return bytes === undefined ? undefined : decodeSuperblock(bytes, file)
  }

  #writeSuperblock(superblock: Superblock): Promise<void> {
    return writeFileAtomic(this.#options.fileSystem, this.#layout.superblock, encodeSuperblock(superblock))
  }

  #levelBackend(): Backend {
    const { fileSystem, readOnly } = this.#options
    return new LevelBackend(this.#layout.level, { fileSystem, readOnly, ...levelTuning(this.#options.memoryBytes) })
  }

  async #openBackend(): Promise<void> {
    await this.#backend.open({ create: false })
    this.#cleanups.push(() => this.#backend.close())
  }

  #newTier(): MemoryTier {
    return new MemoryTier({ partitions: this.#options.partitions, budgetBytes: this.#options.memoryBytes })
  }

  #logFiles(superblock: Superblock): WalLocation {
    return {
      fileSystem: this.#options.fileSystem,
      directory: this.#layout.wal,
      storeId: Buffer.from(superblock.storeId, 'hex'),
    }
  }

  async #recover(
    files: WalLocation,
    superblock: Superblock,
    tier: MemoryTier,
  ): Promise<{ recovery: WalRecovery; after: CheckpointPointer }> {
    const after = await this.#checkpointInBackend(superblock)
    const recovery = await recoverWal(files, {
      afterSequence: after.sequence,
      onRecord: (sequence, bytes) => replayRecord(tier, sequence, bytes, this.#hooks.onReplay),
    })
    return { recovery, after }
  }

  /** The published checkpoint if the backend still has it; else the one before, which the log still reaches back to. */
  async #checkpointInBackend(superblock: Superblock): Promise<CheckpointPointer> {
    const { checkpoint, previousCheckpoint } = superblock
    for (const pointer of [checkpoint, previousCheckpoint]) {
      if (pointer === null) continue
      const bytes = await this.#backend.get(checkpointKey(pointer.number))
      if (bytes !== undefined && hashOf(bytes) === pointer.hash) return pointer
    }
    throw new HoldfastError(
      'HOLDFAST_CORRUPT',
      `${this.#backend.description} has lost checkpoint ${checkpoint.number} and the one before it; restore the store from a backup`,
      { detail: { checkpoint: checkpoint.number, location: this.#backend.location } },
    )
  }

  #report(recovery: WalRecovery, superblock: Superblock, created: boolean): RecoveryReport {
    return {
      clean: recovery.records === 0 && recovery.tornBytes === 0,
      created,
      epoch: superblock.epoch,
      checkpointSequence: superblock.checkpoint.sequence,
      lastSequence: recovery.lastSequence,
      recordsReplayed: recovery.records,
      bytesReplayed: recovery.bytes,
      segmentsRead: recovery.segmentsRead,
      tornBytes: recovery.tornBytes,
      tornSegment: recovery.tornSegment,
      durationMs: this.#options.clock.monotonic() - this.#started,
    }
  }

  async #cleaningUp(open: () => Promise<OpenEngine>): Promise<OpenEngine> {
    try {
      return await open()
    } catch (error) {
      for (const cleanup of this.#cleanups.reverse()) {
        // The reason opening failed is what the caller needs; a cleanup that fails after it adds nothing to act on.
        await cleanup().catch(() => undefined)
      }
      throw error
    }
  }
}
