import { describe, expect, it } from 'vitest'
import { FaultInjector, type InjectedFault, type Operation, SimulatedDisk } from '../../../src/testing/index.ts'
import { inspectSegments, level, readLog, recoverWal, Wal, type WalOptions } from '../../../src/wal/index.ts'
import {
  append,
  collect,
  directory,
  ManualScheduler,
  Model,
  recoverAll,
  storeId,
  turns,
  walOptions,
} from '../../crash/wal-world.ts'

const world = { segmentBytes: 65_536, preallocate: false }

async function started(extra: Partial<WalOptions> = {}, disk = new SimulatedDisk(), model = new Model()) {
  const injector = new FaultInjector(disk.fileSystem)
  const scheduler = new ManualScheduler()
  model.epoch++
  const { recovery } = await recoverAll(injector.fileSystem, model)
  const options = { ...walOptions(injector.fileSystem, model.epoch, scheduler, world), ...extra }
  const wal = await Wal.start(options, recovery)
  const count = (operation: Operation): InjectedFault => injector.inject({ operation, call: Number.MAX_SAFE_INTEGER })
  const calls = {
    write: count('write'),
    writeSync: count('writeSync'),
    datasync: count('datasync'),
    datasyncSync: count('datasyncSync'),
    syncDirectory: count('syncDirectory'),
  }
  return { disk, model, scheduler, wal, calls, recovery, options }
}

const location = (disk: SimulatedDisk) => ({ fileSystem: disk.fileSystem, directory, storeId })

describe('group commit', () => {
  it('makes one write and one sync of records appended together', async () => {
    const { wal, model, calls } = await started()
    await Promise.all(
      Array.from({ length: 64 }, (_, index) => append(wal, model, Buffer.alloc(100, index), level.sync)),
    )
    // The segment was started with its header in place, so this is the frame alone.
    expect([calls.writeSync.calls, calls.datasync.calls, calls.datasyncSync.calls]).toEqual([1, 1, 0])
    expect(wal.stats()).toMatchObject({ groups: 1, records: 64, syncs: 1 })
    expect(wal.durableSequence).toBe(64)
  })

  it('keeps writers that wait for each record in groups, round after round', async () => {
    const { wal, model } = await started()
    const writer = async (): Promise<void> => {
      for (let round = 0; round < 10; round++) await append(wal, model, Buffer.alloc(50, round), level.sync)
    }
    await Promise.all(Array.from({ length: 64 }, writer))
    expect(wal.stats()).toMatchObject({ groups: 10, records: 640, syncs: 10 })
  })

  it('writes and syncs a lone record on the calling thread, once groups have been small', async () => {
    const { wal, model, calls } = await started()
    await append(wal, model, Buffer.from('lone'), level.sync)
    expect([calls.datasync.calls, calls.datasyncSync.calls]).toEqual([0, 1])
  })

  it('does not wait on the calling thread for a slow device', async () => {
    let time = 0
    const clock = { now: () => 0, monotonic: () => (time += 5) }
    const { wal, model, calls } = await started({ clock })
    for (let index = 0; index < 4; index++) await append(wal, model, Buffer.from('lone'), level.sync)
    expect([calls.datasync.calls, calls.datasyncSync.calls]).toEqual([3, 1])
  })

  it('acknowledges in order, and a sync write makes every earlier one durable', async () => {
    const { wal, model } = await started()
    const order: number[] = []
    const levels = [level.buffered, level.os, level.buffered, level.sync, level.os]
    const done = levels.map((wanted, index) =>
      append(wal, model, Buffer.alloc(10), wanted).then(() => order.push(index + 1)),
    )
    await Promise.all(done)
    expect(wal.durableSequence).toBe(5)
    expect(order.indexOf(2)).toBeLessThan(order.indexOf(4))
  })

  it('hands a frame larger than the direct limit to another thread', async () => {
    const { wal, model, calls } = await started()
    await append(wal, model, Buffer.alloc(400_000, 1), level.sync)
    expect([calls.write.calls, calls.datasyncSync.calls]).toEqual([1, 0])
  })

  it('calls the hook after the waiters of the group are told', async () => {
    const seen: string[] = []
    const { wal, model } = await started({ onAcknowledged: (sequence) => seen.push(`hook ${sequence}`) })
    await Promise.all([1, 2, 3].map(() => append(wal, model, Buffer.alloc(8), level.sync)))
    await append(wal, model, Buffer.alloc(8), level.sync)
    expect(seen).toEqual(['hook 3', 'hook 4'])
  })
})

describe('records that ask for less than sync', () => {
  it('os: is acknowledged when written, and synced by the timer', async () => {
    const { wal, model, calls, scheduler } = await started()
    await append(wal, model, Buffer.alloc(10), level.os)
    expect([wal.writtenSequence, wal.durableSequence]).toEqual([1, 0])
    expect(calls.datasync.calls + calls.datasyncSync.calls).toBe(0)
    expect([wal.isSettled(1, level.os), wal.isSettled(1, level.sync)]).toEqual([true, false])
    scheduler.fire()
    await turns(30)
    expect(wal.durableSequence).toBe(1)
  })

  it('buffered: is acknowledged at once, and written and synced by the timer', async () => {
    const { wal, model, scheduler } = await started()
    await append(wal, model, Buffer.alloc(10), level.buffered)
    await turns(30)
    expect([wal.writtenSequence, wal.isSettled(1, level.buffered)]).toEqual([0, true])
    scheduler.fire()
    await turns(30)
    expect(wal.durableSequence).toBe(1)
  })

  it('buffered: is synced without the timer when a mebibyte has come together', async () => {
    const { wal, model } = await started()
    for (let index = 0; index < 11; index++) await append(wal, model, Buffer.alloc(100_000), level.buffered)
    await turns(600)
    expect(wal.durableSequence).toBe(11)
  })

  it('buffered: waits for the disk when too much is ahead of it', async () => {
    const { wal, model } = await started()
    for (let index = 0; index < 17; index++) void append(wal, model, Buffer.alloc(1 << 20), level.buffered)
    expect(wal.isSettled(17, level.buffered)).toBe(false)
    await wal.settled(17, level.buffered, undefined)
    expect(wal.writtenSequence).toBe(17)
  })

  it('can be waited for at a higher level than they were appended with', async () => {
    const { wal, model } = await started()
    await append(wal, model, Buffer.alloc(10), level.buffered)
    expect(await wal.settled(1, level.sync, 'value')).toBe('value')
    await append(wal, model, Buffer.alloc(10), level.os)
    await wal.sync()
    expect(wal.durableSequence).toBe(2)
    await expect(wal.settled(3, level.sync, 0)).rejects.toThrow(RangeError)
  })
})

describe('the end of the log', () => {
  it('gets a trailer once when the log has gone quiet, and records go on after it', async () => {
    const { wal, model, scheduler, disk } = await started()
    await append(wal, model, Buffer.from('a'), level.sync)
    for (let round = 0; round < 3; round++) {
      scheduler.fire()
      await turns(30)
    }
    await append(wal, model, Buffer.from('b'), level.sync)
    await wal.close()
    const [segment] = await collect(inspectSegments(location(disk)))
    expect(segment?.frames.map((frame) => [frame.type, frame.durableEnd])).toEqual([
      ['records', 64],
      ['trailer', 120],
      ['records', 168],
      ['end', 224],
    ])
  })

  it('needs no rewriting after close, and what was not closed is written again', async () => {
    const { wal, model, disk } = await started()
    await append(wal, model, Buffer.from('a'), level.sync)
    await append(wal, model, Buffer.from('b'), level.sync)
    const killed = disk.clone()
    await wal.close()
    const closedLog = await started({}, disk, model.copy())
    expect(closedLog.recovery.clean).toBe(true)
    expect(closedLog.wal.segments().map((segment) => segment.lastSequence)).toEqual([2, undefined])
    const killedLog = await started({}, killed, model.copy())
    expect(killedLog.recovery.clean).toBe(false)
    expect(killedLog.wal.segments().map((segment) => [segment.firstSequence, segment.lastSequence])).toEqual([
      [1, 1],
      [2, 2],
    ])
  })

  it('does not grow by opening and closing alone', async () => {
    const disk = new SimulatedDisk()
    const model = new Model()
    for (let round = 0; round < 5; round++) {
      const { wal } = await started({}, disk, model)
      await wal.close()
    }
    expect(disk.files()).toEqual([`${directory}/0000000000000001-00000005.seg`])
  })

  it('refuses work after close, and close is idempotent', async () => {
    const { wal, model } = await started()
    void append(wal, model, Buffer.from('a'), level.buffered)
    const closing = wal.close()
    expect(wal.close()).toBe(closing)
    await closing
    expect(wal.durableSequence).toBe(1)
    expect(() => wal.space(1)).toThrow(expect.objectContaining({ code: 'HOLDFAST_CLOSED' }))
    await expect(wal.trim(1)).rejects.toMatchObject({ code: 'HOLDFAST_CLOSED' })
    await wal.sync()
  })

  it('gives prepared zeros back and removes the spare', async () => {
    const segments = { segmentBytes: 2048, preallocate: true }
    const { wal, model, disk } = await started(segments)
    for (let index = 0; index < 60; index++) {
      await append(wal, model, Buffer.alloc(100), level.sync)
      await turns(20)
    }
    expect(wal.stats().preparedRotations).toBeGreaterThan(0)
    await wal.close()
    expect(disk.files().map((file) => file.slice(directory.length + 1))).toEqual(
      wal.segments().map((segment) => segment.file),
    )
    expect(disk.readBytes(disk.files().at(-1) ?? '').length).toBe(wal.segments().at(-1)?.bytes)
  })
})

describe('segments', () => {
  it('hold at least one record, whatever its size', async () => {
    const { wal, model, disk } = await started({ segmentBytes: 512 })
    for (const size of [5000, 10, 0, 6000, 7000]) await append(wal, model, Buffer.alloc(size, size), level.sync)
    await wal.close()
    expect(wal.segments().map((segment) => [segment.firstSequence, segment.lastSequence])).toEqual([
      [1, 1],
      [2, 3],
      [4, 4],
      [5, 5],
    ])
    const { found } = await recoverAll(disk.fileSystem, model)
    expect(found.map((bytes) => bytes.length)).toEqual([5000, 10, 0, 6000, 7000])
  })

  it('are trimmed oldest first up to a sequence, never the one being written', async () => {
    const { wal, model, disk } = await started({ segmentBytes: 512 })
    for (let index = 0; index < 20; index++) await append(wal, model, Buffer.alloc(100, index), level.sync)
    const before = wal.segments()
    const second = before[1]?.lastSequence ?? 0
    expect(await wal.trim(second - 1)).toMatchObject({ segments: 1 })
    expect(await wal.trim(second)).toEqual({ segments: 1, bytes: before[1]?.bytes })
    expect(await wal.trim(Number.MAX_SAFE_INTEGER)).toMatchObject({ segments: before.length - 3 })
    expect(wal.segments()).toEqual([before.at(-1)])
    expect(disk.crash('strict').files()).toHaveLength(1)
  })
})

describe('readLog', () => {
  it('reads from any sequence through the durable one while the log is being written', async () => {
    const { wal, model, disk } = await started({ segmentBytes: 512 })
    for (let index = 0; index < 30; index++) await append(wal, model, Buffer.alloc(40, index), level.sync)
    await append(wal, model, Buffer.alloc(40, 99), level.os)
    for (const from of [1, 2, 17, 30, 31]) {
      const read = await collect(readLog({ ...location(disk), throughSequence: wal.durableSequence }, from))
      expect(read.map((record) => record.sequence)).toEqual(
        Array.from({ length: 31 - from }, (_, index) => from + index),
      )
      expect(read.every((record) => record.bytes.equals(model.records[record.sequence - 1] ?? Buffer.alloc(0)))).toBe(
        true,
      )
    }
  })

  it('says so when what is asked for has been trimmed', async () => {
    const { wal, model, disk } = await started({ segmentBytes: 512 })
    for (let index = 0; index < 30; index++) await append(wal, model, Buffer.alloc(40, index), level.sync)
    await wal.trim(20)
    const reading = readLog({ ...location(disk), throughSequence: 30 }, 3)
    await expect(reading.next()).rejects.toMatchObject({ code: 'HOLDFAST_WATCH_LOST', detail: { sequence: 3 } })
  })
})

describe('recovery', () => {
  it('of nothing starts at sequence 1, or after what is safe elsewhere if that is said', async () => {
    const disk = new SimulatedDisk()
    expect(await recoverWal(location(disk), { afterSequence: 0 })).toMatchObject({
      lastSequence: 0,
      clean: true,
      segments: [],
    })
    await expect(recoverWal(location(disk), { afterSequence: 5 })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    const recovery = await recoverWal(location(disk), { afterSequence: 5, mayBeEmpty: true })
    const wal = await Wal.start(walOptions(disk.fileSystem, 1, new ManualScheduler(), world), recovery)
    expect(wal.lastSequence).toBe(5)
  })

  it('hands out only what comes after the given sequence, and refuses a log that ends before it', async () => {
    const { wal, model, disk } = await started({ segmentBytes: 512 })
    for (let index = 0; index < 9; index++) await append(wal, model, Buffer.alloc(100, index), level.sync)
    await wal.close()
    for (let after = 0; after <= 9; after++) {
      const { found } = await recoverAll(disk.fileSystem, { checkpoint: after })
      expect(found).toEqual(model.records.slice(after))
    }
    await expect(recoverWal(location(disk), { afterSequence: 10 })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })

  it('fails when a byte cannot be read, and never takes that for the end', async () => {
    const { wal, model, disk } = await started()
    await append(wal, model, Buffer.alloc(100), level.sync)
    await wal.close()
    for (let call = 1; call <= 2; call++) {
      const injector = new FaultInjector(disk.fileSystem)
      injector.inject({ operation: 'read', call })
      const recovering = recoverWal({ ...location(disk), fileSystem: injector.fileSystem }, { afterSequence: 0 })
      await expect(recovering).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    }
  })

  it('keeps torn bytes beside the segment, those of the four newest tears', async () => {
    const disk = new SimulatedDisk()
    const model = new Model()
    for (let round = 1; round <= 6; round++) {
      const { wal, recovery } = await started({}, disk, model)
      expect(recovery.tornBytes).toBe(round === 1 ? 0 : 10)
      await append(wal, model, Buffer.from('whole'), level.sync)
      // One owner after the other is killed while a write was on its way.
      const file = `${directory}/${wal.segments().at(-1)?.file}`
      disk.writeBytes(file, Buffer.concat([disk.readBytes(file), Buffer.from('torn bytes'), Buffer.alloc(30)]))
    }
    await started({}, disk, model)
    const broken = disk.files().filter((file) => file.endsWith('.broken'))
    expect(broken).toHaveLength(4)
    expect(broken.map((file) => disk.readBytes(file).toString())).toEqual(Array.from({ length: 4 }, () => 'torn bytes'))
    expect((await recoverAll(disk.fileSystem, model)).found).toHaveLength(6)
  })

  it('ignores an owner that goes on after it was replaced', async () => {
    const disk = new SimulatedDisk()
    const model = new Model()
    const old = await started({ segmentBytes: 512 }, disk, model)
    await append(old.wal, model, Buffer.alloc(100, 1), level.sync)
    const next = await started({ segmentBytes: 512 }, disk, model)
    await append(next.wal, model, Buffer.alloc(100, 2), level.sync)
    const ghost = model.copy()
    ghost.records.length = 1
    for (let index = 0; index < 12; index++)
      await append(old.wal, ghost, Buffer.alloc(100, 66), level.sync).catch(() => undefined)
    await append(next.wal, model, Buffer.alloc(100, 3), level.sync)
    const { found } = await recoverAll(disk.fileSystem, model)
    expect(found).toEqual(model.records)
  })

  it('refuses to start at an epoch that has been used', async () => {
    const { wal, model, disk, options } = await started()
    await append(wal, model, Buffer.from('a'), level.sync)
    await wal.close()
    const { recovery } = await recoverAll(disk.fileSystem, model)
    await expect(Wal.start(options, recovery)).rejects.toMatchObject({
      code: 'HOLDFAST_CORRUPT',
      detail: { highestEpoch: 1 },
    })
  })
})
