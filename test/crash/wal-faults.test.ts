import { describe, expect, it } from 'vitest'
import { HoldfastError, hasCode } from '../../src/base/index.ts'
import { anySync, anyWrite, type Fault, FaultInjector, SimulatedDisk } from '../../src/testing/index.ts'
import { level, Wal } from '../../src/wal/index.ts'
import { reportLayer } from '../support/effort.ts'
import {
  append,
  checkPrefix,
  collapse,
  live,
  ManualScheduler,
  Model,
  recoverAll,
  turns,
  walOptions,
  type WorldOptions,
} from './wal-world.ts'

const world: WorldOptions = { segmentBytes: 1024, preallocate: true }
const steps = 14

interface Kind {
  readonly name: string
  readonly fault: Omit<Fault, 'call'>
  /** Whether the caller can get over it: then the log must not even notice. */
  readonly harmless?: boolean
}

const kinds: readonly Kind[] = [
  { name: 'a write fails', fault: { operation: anyWrite } },
  { name: 'a write fails half way with a full disk', fault: { operation: anyWrite, shortWrite: 20, code: 'ENOSPC' } },
  { name: 'a write is short', fault: { operation: anyWrite, shortWrite: 7 }, harmless: true },
  { name: 'a write succeeds and reports failure', fault: { operation: anyWrite, fails: 'after' } },
  { name: 'a sync fails and drops what it had to write', fault: { operation: anySync, unsynced: 'drop' } },
  { name: 'a sync fails and writes some of it', fault: { operation: anySync, unsynced: 'some' } },
  { name: 'a sync fails and writes all of it', fault: { operation: anySync, unsynced: 'keep' } },
  { name: 'a directory sync fails', fault: { operation: 'syncDirectory' } },
  { name: 'a file cannot be opened or created', fault: { operation: 'open', code: 'EMFILE' } },
  { name: 'a file cannot be removed', fault: { operation: 'unlink' } },
  { name: 'a file cannot be read', fault: { operation: 'read' } },
  { name: 'a file cannot be closed', fault: { operation: 'close' } },
  { name: 'a file cannot be shortened', fault: { operation: 'truncate' } },
  { name: 'a size cannot be had', fault: { operation: 'size' } },
  { name: 'the directory cannot be listed', fault: { operation: 'readdir' } },
]

/** A short life, then one on a file system whose call number `call` of that kind fails, on the same disk. */
async function faultyLife(kind: Kind, call: number, seed: number) {
  const disk = new SimulatedDisk()
  const model = new Model()
  expect(await live(disk.fileSystem, model, seed, 8, world)).toBeUndefined()
  const crashed = disk.crash('all')
  const second = collapse(model, model.records.length, 'strict')
  const injector = new FaultInjector(crashed.fileSystem)
  const fault = injector.inject({ ...kind.fault, call })
  const failure = await live(injector.fileSystem, second, seed + 100, steps, world)
  return { disk: crashed, model: second, failure, fired: fault.fired }
}

describe('a failing call of the file system', { timeout: 240_000 }, () => {
  for (const kind of kinds) {
    it(`loses nothing acknowledged, wherever it happens: ${kind.name}`, async (context) => {
      let call = 1
      for (; ; call++) {
        const { disk, model, failure, fired } = await faultyLife(kind, call, call % 3)
        if (fired === 0) break
        const what = `${kind.name}, call ${call}`
        if (kind.harmless === true) expect(failure, what).toBeUndefined()
        if (failure !== undefined) {
          expect(
            hasCode(failure, 'HOLDFAST_IO') || hasCode(failure, 'HOLDFAST_NO_SPACE'),
            `${what}: ${String(failure)}`,
          ).toBe(true)
        }
        // A power cut right then, and the disk has only what it really got.
        await checkPrefix(disk.clone().crash('strict'), model, model.ackedSync, `${what}, power cut`)
        // Reopening in the same process reads from the cache, which may show more than the disk has. What the new
        // owner found must be safe once it has started.
        const last = await checkPrefix(disk, model, Math.max(model.ackedOs, model.ackedSync), `${what}, reopened`)
        const third = collapse(model, last, 'all')
        expect(await live(disk.fileSystem, third, 1, 0, world), what).toBeUndefined()
        await checkPrefix(disk.crash('strict'), third, last, `${what}, reopened, power cut`)
      }
      expect(call).toBeGreaterThan(1)
      reportLayer(context, 'L3', { faults: call - 1 })
    })
  }

  it('never keeps the same file going: after a failed write or sync of the log nothing more is written to it', async () => {
    for (const operation of ['writeSync', 'datasyncSync'] as const) {
      const { wal, injector, model } = await startedWal()
      await append(wal, model, Buffer.from('kept'), level.sync)
      injector.inject({ operation })
      const calls = injector.inject({ operation: [...anyWrite, ...anySync, 'truncate'], call: Number.MAX_SAFE_INTEGER })
      await expect(append(wal, model, Buffer.from('lost'), level.sync)).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
      const before = calls.calls
      expect(() => wal.space(1)).toThrow(expect.objectContaining({ code: 'HOLDFAST_POISONED' }))
      await expect(wal.sync()).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
      await wal.close()
      expect(calls.calls).toBe(before)
    }
  })
})

async function startedWal(extra: Partial<Parameters<typeof Wal.start>[0]> = {}) {
  const disk = new SimulatedDisk()
  const injector = new FaultInjector(disk.fileSystem)
  const model = new Model()
  const scheduler = new ManualScheduler()
  const { recovery } = await recoverAll(injector.fileSystem, model)
  const wal = await Wal.start({ ...walOptions(injector.fileSystem, 1, scheduler, world), ...extra }, recovery)
  return { disk, injector, model, scheduler, wal }
}

describe('a log that fails', () => {
  it('rejects every waiter as indeterminate with the cause, tells the owner once and closes', async () => {
    const failures: Error[] = []
    const { wal, injector, model } = await startedWal({ onFailure: (error) => failures.push(error) })
    injector.inject({ operation: 'datasync', code: 'ENOSPC' })
    const waiting = [level.sync, level.sync, level.os].map((wanted, index) =>
      append(wal, model, Buffer.alloc(20, index), wanted),
    )
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    const reason = (outcomes[0] as PromiseRejectedResult).reason as HoldfastError
    expect(reason).toMatchObject({ code: 'HOLDFAST_NO_SPACE', detail: { indeterminate: true } })
    expect(reason.message).toMatch(/may or may not have been stored/)
    expect(reason.cause).toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    expect(failures).toHaveLength(1)
    await expect(wal.settled(1, level.sync, 0)).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    await wal.close()
    await wal.close()
    expect(failures).toHaveLength(1)
  })

  it('acknowledges nothing when the fence throws, and keeps its error', async () => {
    let lost = false
    const fence = (): void => {
      if (lost) throw new HoldfastError('HOLDFAST_LOCKED', 'another owner took over')
    }
    const { wal, model } = await startedWal({ fence })
    await append(wal, model, Buffer.from('a'), level.sync)
    lost = true
    const first = append(wal, model, Buffer.from('b'), level.sync)
    const second = append(wal, model, Buffer.from('c'), level.os)
    await expect(first).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await expect(second).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(wal.durableSequence).toBe(1)
    expect(wal.failure).toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await wal.close()
  })

  it('goes on when only the spare runs out of space', async () => {
    const { wal, injector, model, scheduler, disk } = await startedWal()
    injector.inject({ operation: 'write', code: 'ENOSPC', repeat: true })
    for (let index = 0; index < 40; index++) {
      await append(wal, model, Buffer.alloc(100, index), level.sync)
      scheduler.fire()
      await turns()
    }
    expect(wal.stats().rotations).toBeGreaterThan(2)
    expect(wal.stats().preparedRotations).toBe(0)
    await wal.close()
    expect(disk.files()).toHaveLength(wal.segments().length)
    await checkPrefix(disk.crash('strict'), model, 40, 'spare without space')
  })
})
