import { randomInt } from 'node:crypto'
import { realpath, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { lock as lockFile } from 'proper-lockfile'
import { HoldfastError, ioError, systemClock, systemCode } from '../base/index.ts'
import type { FileLock } from './file-system.ts'
import { LockDirectoryGuard } from './lock-directory-guard.ts'
import {
  describeOwner,
  identityOf,
  isAlive,
  type LockIdentity,
  readOwner,
  removeOwner,
  sameLock,
  writeOwner,
} from './lock-owner.ts'

/** Milliseconds. */
export interface LockTiming {
  /** A lock not refreshed for this long is up for grabs; 2,000 at least. */
  readonly staleMs: number
  /** How often the holder refreshes it; 1,000 at least. */
  readonly updateMs: number
  /** How long to wait for a holder known to be alive: it may be closing. */
  readonly graceMs: number
  /** How long to wait for a holder nothing is known of. More than `staleMs` and the second a new lock is ahead of time. */
  readonly unknownMs: number
}

const defaultTiming: LockTiming = { staleMs: 10_000, updateMs: 3_000, graceMs: 400, unknownMs: 12_500 }
const retryMs = { from: 30, below: 90 }
const lockName = 'lock'

// Device and inode of every directory this process has locked or is locking, so that no spelling of a path gets a
// second owner. An entry goes when `release` is called, even of a lost lock: until then the files may still be open.
const lockedHere = new Set<string>()

/**
 * Takes the courtesy lock of a directory: HOLDFAST_LOCKED while another owner lives, HOLDFAST_IO when the directory
 * cannot be written to. It is no proof of ownership. Two takers of a dead owner's lock, or a taker and an owner that
 * was stalled past the stale time, can both believe they hold it; LevelDB's kernel lock and the epoch settle that.
 */
export async function lockDirectory(
  directory: string,
  onLost: (reason: Error) => void,
  timing: Partial<LockTiming> = {},
): Promise<FileLock> {
  const { real, identity } = await locate(directory)
  if (lockedHere.has(identity)) throw locked(directory, process.pid, 'in this process')
  lockedHere.add(identity)
  try {
    const held = new HeldLock(real, identity, onLost)
    await held.take({ ...defaultTiming, ...timing })
    return held
  } catch (error) {
    lockedHere.delete(identity)
    throw error
  }
}

/**
 * Who holds the lock of a directory, for those who only want to look; undefined when nobody does, and when a holder
 * nothing is known of has not refreshed it. `alive` is undefined, and `pid` 0, where it cannot be known.
 */
export async function lockHolder(directory: string): Promise<{ pid: number; alive: boolean | undefined } | undefined> {
  const found = await inspect(directory)
  if (found === undefined) return undefined
  const abandoned = found.alive === undefined && found.refreshedMs < systemClock.now() - defaultTiming.staleMs
  return abandoned ? undefined : { pid: found.pid, alive: found.alive }
}

class HeldLock implements FileLock {
  readonly #directory: string
  readonly #identity: string
  readonly #onLost: (reason: Error) => void
  readonly #guard = new LockDirectoryGuard()
  #letGo: (() => Promise<void>) | undefined
  #token: string | undefined
  #lost = false

  constructor(directory: string, identity: string, onLost: (reason: Error) => void) {
    this.#directory = directory
    this.#identity = identity
    this.#onLost = onLost
  }

  async take(timing: LockTiming): Promise<void> {
    const started = systemClock.monotonic()
    while (this.#letGo === undefined) {
      // Before the lock itself is tried: a lock that looks stale may belong to a process that is merely busy.
      const holder = await inspect(this.#directory)
      if (holder?.alive === false) await removeDeadLock(this.#directory, holder.lock)
      if (holder?.alive !== true && (await this.#try(timing))) break
      const patience = holder?.alive === true ? timing.graceMs : timing.unknownMs
      if (systemClock.monotonic() - started >= patience) throw lockedBy(this.#directory, holder?.pid)
      await delay(randomInt(retryMs.from, retryMs.below))
    }
    await this.#sign()
  }

  async release(): Promise<void> {
    const letGo = this.#letGo
    if (letGo === undefined) return
    this.#letGo = undefined
    try {
      // proper-lockfile has forgotten a lock it found lost.
      if (this.#lost) throw lost(this.#directory)
      await this.#release(letGo)
    } catch (error) {
      if (systemCode(error) === 'ELOCKED') throw lost(this.#directory, error)
      throw ioError('unlock', this.#directory, error)
    } finally {
      lockedHere.delete(this.#identity)
    }
  }

  async #release(letGo: () => Promise<void>): Promise<void> {
    try {
      const owner = await readOwner(this.#directory)
      if (owner !== undefined && owner.token !== this.#token) {
        this.#guard.abandon()
        throw lost(this.#directory)
      }
      await removeOwner(this.#directory)
    } finally {
      // In any case: it also stops the refreshing, which would keep others out for as long as this process lives.
      await letGo()
    }
  }

  async #try(timing: LockTiming): Promise<boolean> {
    try {
      this.#letGo = await lockFile(this.#directory, {
        lockfilePath: join(this.#directory, lockName),
        stale: timing.staleMs,
        update: timing.updateMs,
        retries: 0,
        realpath: false,
        fs: this.#guard,
        onCompromised: (reason) => this.#lose(reason),
      })
      return true
    } catch (error) {
      if (systemCode(error) === 'ELOCKED') return false
      throw cannotLock(this.#directory, error)
    }
  }

  async #sign(): Promise<void> {
    this.#guard.adopt()
    try {
      const owner = await describeOwner(identityOf(await stat(join(this.#directory, lockName))))
      await writeOwner(this.#directory, owner)
      this.#token = owner.token
    } catch (error) {
      // A full disk must not keep a store from opening. Without the record a crash merely takes longer to recover from.
      const code = systemCode(error)
      if (code === 'ENOSPC' || code === 'EDQUOT') return removeOwner(this.#directory)
      await this.#letGo?.()
      throw cannotLock(this.#directory, error)
    }
  }

  #lose(reason: Error): void {
    if (this.#lost) return
    this.#lost = true
    this.#onLost(lost(this.#directory, reason))
  }
}

interface Holder {
  /** 0 when the holder left no record. */
  readonly pid: number
  readonly alive: boolean | undefined
  readonly refreshedMs: number
  readonly lock: LockIdentity
}

async function inspect(directory: string): Promise<Holder | undefined> {
  try {
    const stats = await stat(join(directory, lockName))
    const lock = identityOf(stats)
    const refreshedMs = stats.mtimeMs
    const owner = await readOwner(directory)
    if (owner === undefined || !sameLock(owner.lock, lock)) return { pid: 0, alive: undefined, refreshedMs, lock }
    return { pid: owner.pid, alive: await isAlive(owner), refreshedMs, lock }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw ioError('look at the lock of', directory, error)
  }
}

async function removeDeadLock(directory: string, dead: LockIdentity): Promise<void> {
  const path = join(directory, lockName)
  try {
    // Another taker may have been here since; look again as late as possible.
    if (!sameLock(identityOf(await stat(path)), dead)) return
    await rmdir(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw cannotLock(directory, error)
  }
}

async function locate(directory: string): Promise<{ real: string; identity: string }> {
  try {
    const real = await realpath(directory)
    const { dev, ino } = await stat(real, { bigint: true })
    return { real, identity: `${dev}:${ino}` }
  } catch (error) {
    throw ioError('lock', directory, error)
  }
}

function locked(directory: string, pid: number | undefined, by: string): HoldfastError {
  return new HoldfastError('HOLDFAST_LOCKED', `${directory} is open already ${by}; close it there first`, {
    detail: { path: directory, pid },
  })
}

function lockedBy(directory: string, pid: number | undefined): HoldfastError {
  if (pid !== undefined && pid !== 0) return locked(directory, pid, `in process ${pid}`)
  return locked(directory, undefined, 'in a process that cannot be told (on another machine or in a container?)')
}

function lost(directory: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_LOCKED',
    `the lock of ${directory} was lost to another owner: this process was stalled, or the lock was removed by hand`,
    { detail: { path: directory }, cause },
  )
}

function cannotLock(directory: string, cause: unknown): HoldfastError {
  const code = systemCode(cause)
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return ioError('lock', directory, cause)
  return new HoldfastError(
    'HOLDFAST_IO',
    `could not lock ${directory}: it is not writable (${code}); change its permissions or open the store read-only`,
    { detail: { path: directory, action: 'lock', systemCode: code }, cause },
  )
}
