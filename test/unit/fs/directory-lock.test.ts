import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockHolder, nodeFileSystem } from '../../../src/fs/index.ts'

const program = fileURLToPath(new URL('./lock-holder-process.ts', import.meta.url))
// Any waiting at all would end in a refusal.
const impatient = nodeFileSystem({ lockTiming: { graceMs: 0, unknownMs: 0 } })
const neverLost = (reason: Error): never => {
  throw reason
}

let directory: string
let children: ChildProcess[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lock-'))
  children = []
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

async function holdInAnotherProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const stopped = once(child, 'exit').then(() => {
    throw new Error('the holder ended before it had the lock')
  })
  if (child.stdout !== null) await Promise.race([once(child.stdout, 'data'), stopped])
  stopped.catch(() => undefined)
  return child
}

async function end(child: ChildProcess, how: 'kill' | 'release' | 'exit'): Promise<void> {
  const ended = once(child, 'exit')
  if (how === 'kill') child.kill('SIGKILL')
  else child.stdin?.write(`${how}\n`)
  await ended
}

const ownerPath = (): string => join(directory, 'owner.json')
const lockPath = (): string => join(directory, 'lock')

async function changeOwner(change: object): Promise<void> {
  const owner: unknown = JSON.parse(await readFile(ownerPath(), 'utf8'))
  await writeFile(ownerPath(), JSON.stringify({ ...(owner as object), ...change }))
}

/** The lock and record a process leaves that had the pid of this one, long ago and is dead. */
async function leaveDeadLock(change: object): Promise<void> {
  const lock = await impatient.lock(directory, neverLost)
  const record = await readFile(ownerPath())
  await lock.release()
  await mkdir(lockPath())
  const { ino, birthtimeMs } = await stat(lockPath())
  await writeFile(ownerPath(), record)
  await changeOwner({ startTime: '1', lock: { inode: ino, born: birthtimeMs }, ...change })
}

describe('directory lock in one process', () => {
  it('is refused by any spelling of the path before anything on disk is touched', async () => {
    const alias = `${directory}-alias`
    await symlink(directory, alias)
    try {
      const lock = await impatient.lock(directory, neverLost)
      // Without the lock on disk only the registry of this process can refuse.
      await rmdir(lockPath())
      for (const spelling of [directory, `${directory}/.`, alias]) {
        await expect(impatient.lock(spelling, neverLost)).rejects.toMatchObject({
          code: 'HOLDFAST_LOCKED',
          detail: { pid: process.pid },
        })
      }
      expect(await readdir(directory)).toEqual(['owner.json'])
      await lock.release()
    } finally {
      await rm(alias)
    }
  })

  it('goes to one of two that ask at the same time', async () => {
    const results = await Promise.allSettled([
      impatient.lock(directory, neverLost),
      impatient.lock(directory, neverLost),
    ])
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const result of results) if (result.status === 'fulfilled') await result.value.release()
  })

  it('leaves nothing behind when released, and releasing twice does nothing more', async () => {
    const lock = await impatient.lock(directory, neverLost)
    await lock.release()
    expect(await readdir(directory)).toEqual([])
    expect(await lockHolder(directory)).toBeUndefined()
    const next = await impatient.lock(directory, neverLost)
    await lock.release()
    await rmdir(lockPath())
    await expect(impatient.lock(directory, neverLost)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await next.release()
  })

  it('can be taken again after a failed attempt', async () => {
    await mkdir(lockPath())
    await expect(impatient.lock(directory, neverLost)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await rmdir(lockPath())
    await (await impatient.lock(directory, neverLost)).release()
  })

  it('fails with HOLDFAST_IO for a directory that is not there', async () => {
    await expect(impatient.lock(join(directory, 'none'), neverLost)).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
  })

  it('fails with HOLDFAST_IO naming the directory when it is not writable', async () => {
    await chmod(directory, 0o555)
    const isRoot = process.geteuid?.() === 0
    // Permissions do not hold root back: become someone else for the call.
    if (isRoot) process.seteuid?.(65534)
    try {
      await expect(impatient.lock(directory, neverLost)).rejects.toMatchObject({
        code: 'HOLDFAST_IO',
        message: expect.stringContaining(`could not lock ${directory}: it is not writable`),
      })
    } finally {
      if (isRoot) process.seteuid?.(0)
      await chmod(directory, 0o755)
    }
  })
})

describe('directory lock and other processes', () => {
  it('is taken at once after its owner was killed', async () => {
    const child = await holdInAnotherProcess()
    await end(child, 'kill')
    expect(await lockHolder(directory)).toEqual({ pid: child.pid, alive: false })
    const lock = await impatient.lock(directory, neverLost)
    expect(await lockHolder(directory)).toEqual({ pid: process.pid, alive: true })
    await lock.release()
  })

  it('is refused naming the pid while its owner lives, even if the lock looks stale', async () => {
    const child = await holdInAnotherProcess()
    await utimes(lockPath(), 1, 1)
    expect(await lockHolder(directory)).toEqual({ pid: child.pid, alive: true })
    await expect(impatient.lock(directory, neverLost)).rejects.toMatchObject({
      code: 'HOLDFAST_LOCKED',
      message: expect.stringContaining(`in process ${child.pid}`),
      detail: { pid: child.pid },
    })
  })

  it('is handed over by an owner that closes within the grace time', async () => {
    const child = await holdInAnotherProcess()
    const taking = nodeFileSystem({ lockTiming: { graceMs: 60_000 } }).lock(directory, neverLost)
    await end(child, 'release')
    await (await taking).release()
  })

  it('is gone when its owner exits without releasing it', async () => {
    await end(await holdInAnotherProcess(), 'exit')
    await expect(stat(lockPath())).rejects.toMatchObject({ code: 'ENOENT' })
    await (await impatient.lock(directory, neverLost)).release()
  })

  it.each([
    ['another boot', { bootId: 'another' }],
    ['another pid namespace', { pidNamespace: 'pid:[1]' }],
    ['another host', { hostname: 'another' }],
    ['a record of an earlier lock', { lock: { inode: 1, born: 1 } }],
  ])('is waited out when its owner cannot be judged: %s', async (_, change) => {
    await leaveDeadLock(change)
    await expect(impatient.lock(directory, neverLost)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect((await lockHolder(directory))?.alive).toBeUndefined()
    await utimes(lockPath(), 1, 1)
    expect(await lockHolder(directory)).toBeUndefined()
    await (await impatient.lock(directory, neverLost)).release()
  })

  it('takes a pid in use by a later process for a dead owner', async () => {
    await leaveDeadLock({})
    expect(await lockHolder(directory)).toEqual({ pid: process.pid, alive: false })
    await (await impatient.lock(directory, neverLost)).release()
  })

  it.each(['', '{"pid":', '{"pid":"x"}', 'null'])('works with a damaged owner record: %j', async (damage) => {
    await mkdir(lockPath())
    await writeFile(ownerPath(), damage)
    expect(await lockHolder(directory)).toEqual({ pid: 0, alive: undefined })
    await utimes(lockPath(), 1, 1)
    await (await impatient.lock(directory, neverLost)).release()
  })
})

describe('directory lock that was lost', () => {
  it('tells the owner once and refuses to be released', async () => {
    const fileSystem = nodeFileSystem({ lockTiming: { graceMs: 0, unknownMs: 0, updateMs: 1000 } })
    const reasons: Error[] = []
    const lock = await new Promise<Awaited<ReturnType<typeof fileSystem.lock>>>((resolve, reject) => {
      const taken = fileSystem.lock(directory, (reason) => {
        reasons.push(reason)
        taken.then(resolve, reject)
      })
      taken.then(() => rmdir(lockPath())).catch(reject)
    })
    expect(reasons).toEqual([expect.objectContaining({ code: 'HOLDFAST_LOCKED' })])
    await mkdir(lockPath())
    await expect(lock.release()).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(await readdir(directory)).toContain('lock')
    await rmdir(lockPath())
    await (await fileSystem.lock(directory, neverLost)).release()
  })

  it.each([
    [
      'its directory is another one',
      async () => {
        await rmdir(lockPath())
        await mkdir(lockPath())
        await utimes(lockPath(), 1, 1)
        await rm(ownerPath())
      },
    ],
    ['the record names another owner', () => changeOwner({ token: 'another' })],
  ])('is not removed by the release of its former owner: %s', async (_, takeOver) => {
    const lock = await impatient.lock(directory, neverLost)
    await takeOver()
    await expect(lock.release()).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(await readdir(directory)).toContain('lock')
  })
})
