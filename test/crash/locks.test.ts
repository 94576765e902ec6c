/**
 * Goal: one owner at a time acknowledges. Method: two processes on the real disk; one process under two names; and on
 * the simulated disk an owner whose lock, or whose time, was taken away.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/base/index.ts'
import { open, type Store } from '../../src/index.ts'
import { LevelBackend, MemoryBackend } from '../../src/kv/index.ts'
import { nodeFileSystem } from '../../src/fs/index.ts'
import { FaultInjector, SimulatedDisk } from '../../src/testing/index.ts'
import { type CompiledChild, compileChild, ended, onLines } from './compiled-child.ts'

let directory: string
let location: string
let holder: CompiledChild
const children = new Set<ChildProcess>()

beforeAll(() => {
  holder = compileChild('lock-holder')
})

afterAll(() => holder.remove())

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-locks-'))
  location = join(directory, 'store')
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  rmSync(directory, { recursive: true, force: true })
})

interface Holder {
  readonly child: ChildProcess
  readonly said: string
  readonly gone: Promise<string>
}

async function startHolder(): Promise<Holder> {
  const child = holder.start(location)
  children.add(child)
  const gone = ended(child)
  const said = new Promise<string>((resolve) => onLines(child, resolve))
  return { child, gone, said: await Promise.race([said, gone.then((how) => `ended: ${how}`)]) }
}

describe('two processes', () => {
  it('cannot both own a store: the second is told which process does, however it asks', async () => {
    const first = await startHolder()
    expect(first.said).toMatch(/^open /)
    await expect(open(location)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED', detail: { pid: first.child.pid } })
    await expect(open(location)).rejects.toThrow(String(first.child.pid))
    await expect(open(location, { readOnly: true })).rejects.toMatchObject({
      code: 'HOLDFAST_LOCKED',
      detail: { pid: first.child.pid },
    })
    const second = await startHolder()
    expect(second.said).toMatch(new RegExp(`^refused HOLDFAST_LOCKED ${first.child.pid} `))
    first.child.stdin?.end()
    expect(await first.gone).toBe('0')
    const store = await open(location)
    expect(store.recovery.clean).toBe(true)
    await store.close()
  })

  it('take over from one another at once when the owner was killed, with everything it had acknowledged', async () => {
    for (let round = 0; round < 3; round++) {
      const owner = await startHolder()
      expect(owner.said).toMatch(/^open /)
      owner.child.kill('SIGKILL')
      await owner.gone
      // A lock that had to be waited out would take far longer than this test may.
      const store = await open(location)
      const id = owner.said.split(' ')[1] as string
      expect(await store.content.get(id)).toEqual({ by: 'holder' })
      await store.close()
    }
  }, 25_000)
})

describe('one process', () => {
  it('cannot open a store twice by another name, and trying costs the first nothing', async () => {
    const store = await open(location)
    const other = join(directory, 'other')
    symlinkSync(location, other)
    for (const name of [location, `${location}/`, join(location, 'wal', '..'), `${directory}/./store`, other]) {
      await expect(open(name), name).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED', detail: { pid: process.pid } })
    }
    // Refused before LevelDB is asked: asking would have cost the first its kernel lock.
    await expect(
      new LevelBackend(join(other, 'level'), { fileSystem: nodeFileSystem() }).open({ create: false }),
    ).rejects.toMatchObject({
      code: 'HOLDFAST_LOCKED',
    })
    expect((await startHolder()).said).toMatch(new RegExp(`^refused HOLDFAST_LOCKED ${process.pid} `))
    const id = await store.content.put({ still: 'writing' })
    await store.checkpoint()
    await assertKernelLock(join(location, 'level', 'LOCK'))
    await store.close()
    const reopened = await open(other)
    expect(await reopened.content.get(id)).toEqual({ still: 'writing' })
    await reopened.close()
  })

  it('opens a store once when it tries many times at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => open(location)))
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    expect(opened).toHaveLength(1)
    for (const reason of refused) expect(reason).toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await opened[0]?.content.put({ a: 1 })
    await opened[0]?.close()
  })
})

/** Where the system does not tell, the refused processes have to do. Never opens the file: closing it would unlock it. */
async function assertKernelLock(path: string): Promise<void> {
  const table = await readFile('/proc/locks', 'utf8').catch(() => '')
  if (table === '') return
  const { ino } = await stat(path)
  const ours = new RegExp(` POSIX .* WRITE ${process.pid} \\S+:${ino} `)
  expect(table).toMatch(ours)
}

describe('an owner on a simulated disk', () => {
  class ManualClock implements Clock {
    time = 1_000_000
    now(): number {
      return this.time
    }
    monotonic(): number {
      return this.time
    }
  }

  const place = '/disk/store'

  async function owner(): Promise<{ disk: SimulatedDisk; backend: MemoryBackend; clock: ManualClock; store: Store }> {
    const disk = new SimulatedDisk()
    const backend = new MemoryBackend()
    const clock = new ManualClock()
    const store = await open(place, { fileSystem: disk.fileSystem, backend, clock })
    return { disk, backend, clock, store }
  }

  /** What another owner does before it reads the log: it claims the next epoch. */
  function claimEpoch(disk: SimulatedDisk, epoch: number): void {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(BigInt(epoch), 0)
    disk.writeBytes(`${place}/epoch`, bytes)
  }

  it('that loses its lock is poisoned, goes on reading, and closes', async () => {
    const { disk, store } = await owner()
    const id = await store.content.put({ a: 1 })
    disk.loseLock(place)
    expect(store.status).toBe('poisoned')
    await expect(store.content.put({ b: 2 })).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
    expect(await store.content.get(id)).toEqual({ a: 1 })
    await store.close()
  })

  it('that loses its lock while it opens the store does not open it', async () => {
    const disk = new SimulatedDisk()
    const injector = new FaultInjector(disk.fileSystem)
    const held = injector.hold({ operation: 'open', path: '.seg' })
    const opening = open(place, { fileSystem: injector.fileSystem, backend: new MemoryBackend() })
    await held.reached
    disk.loseLock(place)
    held.resume()
    await expect(opening).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
  })

  it('that stood still while another took over acknowledges nothing more', async () => {
    for (const durability of ['sync', 'os'] as const) {
      const { disk, clock, store } = await owner()
      await store.content.put({ before: 1 })
      clock.time += 6_000
      claimEpoch(disk, 2)
      await expect(store.content.put({ after: 1 }, { durability })).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
      expect(store.status).toBe('poisoned')
      await expect(store.content.put({ after: 2 })).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
      await expect(store.content.get(store.content.id({ after: 1 }))).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
      await store.close()
    }
  })

  it('that stood still while nobody took over goes on', async () => {
    const { clock, store } = await owner()
    for (let round = 0; round < 3; round++) {
      clock.time += 60_000
      await store.content.put({ round })
    }
    expect(store.status).toBe('open')
    await store.close()
  })

  it('that stood still and cannot read the epoch back acknowledges nothing', async () => {
    const disk = new SimulatedDisk()
    const injector = new FaultInjector(disk.fileSystem)
    const clock = new ManualClock()
    const store = await open(place, { fileSystem: injector.fileSystem, backend: new MemoryBackend(), clock })
    injector.inject({ operation: 'readSync', path: 'epoch' })
    clock.time += 6_000
    await expect(store.content.put({ a: 1 })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect(store.status).toBe('poisoned')
    await store.close()
  })

  it('that never hears of its successor writes nothing into the log that one goes on with', async () => {
    const { disk, backend, store } = await owner()
    await store.content.put({ before: 1 })
    await store.checkpoint()
    await store.content.put({ before: 2 })
    const inherited = backend.crash('all')
    // The lock was removed by hand: the successor gets one, and nobody tells the first.
    const unlocked = { ...disk.fileSystem, lock: () => Promise.resolve({ release: () => Promise.resolve() }) }
    const successor = await open(place, { fileSystem: unlocked, backend: inherited })
    for (let round = 0; round < 3; round++) {
      await store.content.put({ late: round }).catch(() => undefined)
      await successor.content.put({ successor: round })
    }
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect((await successor.verify()).problems).toEqual([])
    await store.close()
    await successor.close()
    const reopened = await open(place, { fileSystem: unlocked, backend: inherited })
    for (let round = 0; round < 3; round++) {
      expect(await reopened.content.has(store.content.id({ successor: round }))).toBe(true)
      expect(await reopened.content.has(store.content.id({ late: round }))).toBe(false)
    }
    expect((await reopened.verify()).problems).toEqual([])
    await reopened.close()
  })
})
