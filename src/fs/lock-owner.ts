import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readdir, readFile, readlink, rename, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { systemCode } from '../base/index.ts'

/** Who holds a directory lock, as written beside it by the holder. */
export interface LockOwner {
  readonly pid: number
  /** Clock ticks from boot to the start of the process: tells it from a later one with the same pid. */
  readonly startTime: string
  readonly bootId: string
  readonly pidNamespace: string
  readonly hostname: string
  /** Random, one for each time a lock is taken. */
  readonly token: string
  /** Which lock directory this is about: a record left from before says nothing about the lock that is there now. */
  readonly lock: LockIdentity
}

/** Tells one lock directory from a later one with the same name: inode numbers are soon used again, birth times not. */
export interface LockIdentity {
  readonly inode: number
  /** Milliseconds since 1970; 0 where the file system keeps no birth times. */
  readonly born: number
}

type Place = Pick<LockOwner, 'startTime' | 'bootId' | 'pidNamespace' | 'hostname'>

const fileName = 'owner.json'

export function identityOf(stats: Stats): LockIdentity {
  return { inode: stats.ino, born: stats.birthtimeMs }
}

export function sameLock(one: LockIdentity, other: LockIdentity): boolean {
  return one.inode === other.inode && one.born === other.born
}

export async function describeOwner(lock: LockIdentity): Promise<LockOwner> {
  return { pid: process.pid, ...(await thisPlace()), token: randomBytes(16).toString('hex'), lock }
}

/** Not synced: after a power cut the boot id differs and the record proves nothing anyway. */
export async function writeOwner(directory: string, owner: LockOwner): Promise<void> {
  const path = join(directory, fileName)
  await writeFile(`${path}.tmp`, `${JSON.stringify(owner)}\n`)
  await rename(`${path}.tmp`, path)
}

/** The record, or undefined when there is none that can be read: it is a hint, and without it the lock still works. */
export async function readOwner(directory: string): Promise<LockOwner | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(directory, fileName), 'utf8'))
    return isOwner(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

export async function removeOwner(directory: string): Promise<void> {
  try {
    await unlink(join(directory, fileName))
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** True or false only where it can be proved: on the same boot of the same host and in the same pid namespace. */
export async function isAlive(owner: LockOwner): Promise<boolean | undefined> {
  const here = await thisPlace()
  const comparable =
    here.bootId !== '' &&
    here.pidNamespace !== '' &&
    here.bootId === owner.bootId &&
    here.pidNamespace === owner.pidNamespace &&
    here.hostname === owner.hostname
  return comparable ? processLives(owner.pid, owner.startTime) : undefined
}

async function processLives(pid: number, startTime: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    if (systemCode(error) === 'ESRCH') return false
  }
  const found = await processStat(pid)
  // Hidden from us by the way /proc is mounted, but there: the signal above says so.
  if (found === undefined) return true
  if (found.startTime !== startTime) return false
  // A zombie has let go of its files, unless other threads of it are still on their way out.
  return found.state !== 'Z' || (await threadCount(pid)) > 1
}

async function threadCount(pid: number): Promise<number> {
  try {
    return (await readdir(`/proc/${pid}/task`)).length
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return 0
    throw error
  }
}

async function processStat(pid: number | 'self'): Promise<{ state: string; startTime: string } | undefined> {
  const line = await readIfPresent(() => readFile(`/proc/${pid}/stat`, 'latin1'))
  // The command name is in brackets and may itself hold brackets and blanks.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  const startTime = fields[19]
  return state === undefined || startTime === undefined ? undefined : { state, startTime }
}

let place: Promise<Place> | undefined

function thisPlace(): Promise<Place> {
  place ??= readPlace()
  return place
}

// Empty where the system does not tell: then nothing can be proved and locks are waited out.
async function readPlace(): Promise<Place> {
  const [stat, bootId, pidNamespace] = await Promise.all([
    processStat('self'),
    readIfPresent(() => readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    readIfPresent(() => readlink('/proc/self/ns/pid')),
  ])
  return { startTime: stat?.startTime ?? '', bootId: bootId.trim(), pidNamespace, hostname: hostname() }
}

async function readIfPresent(read: () => Promise<string>): Promise<string> {
  try {
    return await read()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return ''
    throw error
  }
}

function isOwner(value: unknown): value is LockOwner {
  if (typeof value !== 'object' || value === null || !('lock' in value)) return false
  const { lock } = value
  if (typeof lock !== 'object' || lock === null) return false
  const numbers: unknown[] = [Reflect.get(value, 'pid'), Reflect.get(lock, 'inode'), Reflect.get(lock, 'born')]
  const texts = ['startTime', 'bootId', 'pidNamespace', 'hostname', 'token'].map((name): unknown =>
    Reflect.get(value, name),
  )
  return numbers.every((each) => typeof each === 'number') && texts.every((each) => typeof each === 'string')
}
