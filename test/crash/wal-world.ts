import { expect } from 'vitest'
import type { Clock } from '../../src/base/index.ts'
import type { FileSystem } from '../../src/fs/index.ts'
import { type CrashMode, Prng, type SimulatedDisk } from '../../src/testing/index.ts'
import {
  type Level,
  level,
  recoverWal,
  type Scheduler,
  Wal,
  type WalOptions,
  type WalRecovery,
} from '../../src/wal/index.ts'

export const storeId = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
export const directory = '/store/wal'

/** No real time: `soon` is a few microtasks away, timers fire when a test says so. */
export class ManualScheduler implements Scheduler {
  #timers: { task: () => void }[] = []

  soon(task: () => void): void {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => undefined)
      .then(() => undefined)
      .then(task)
  }

  after(_delayMs: number, task: () => void): () => void {
    const timer = { task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  fire(): void {
    const due = this.#timers
    this.#timers = []
    for (const { task } of due) task()
  }
}

/** Every reading is a little later than the one before, and no sync ever looks slow. */
export function countingClock(): Clock {
  let ticks = 0
  return { now: () => 0, monotonic: () => (ticks += 0.001) }
}

/** What one who uses the log knows: what was appended, and what was acknowledged how. */
export class Model {
  /** Records by sequence; `records[0]` has sequence 1. */
  records: Buffer[] = []
  ackedSync = 0
  ackedOs = 0
  /** Records up to here are safe elsewhere, so the log may have dropped them. */
  checkpoint = 0
  epoch = 0

  copy(): Model {
    return Object.assign(new Model(), this, { records: [...this.records] })
  }
}

export async function turns(count = 12): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

export interface WorldOptions {
  readonly segmentBytes: number
  readonly preallocate: boolean
}

export function walOptions(
  fileSystem: FileSystem,
  epoch: number,
  scheduler: Scheduler,
  world: WorldOptions,
): WalOptions {
  return { fileSystem, directory, storeId, epoch, clock: countingClock(), bufferedIntervalMs: 200, scheduler, ...world }
}

export function recordFor(random: Prng, sequence: number, world: WorldOptions): Buffer {
  const kind = random.next()
  const length =
    kind < 0.1
      ? 0
      : kind < 0.75
        ? random.below(60)
        : kind < 0.95
          ? random.below(400)
          : world.segmentBytes + random.below(700)
  const bytes = Buffer.alloc(length)
  for (let index = 0; index < length; index++) bytes[index] = (sequence * 31 + index * 7 + random.below(256)) & 0xff
  return bytes
}

export function append(wal: Wal, model: Model, bytes: Buffer, wanted: Level): Promise<void> {
  const { buffer, start } = wal.space(bytes.length)
  bytes.copy(buffer, start)
  const sequence = wal.append(bytes.length, wanted)
  expect(sequence).toBe(model.records.length + 1)
  model.records.push(bytes)
  return wal.settled(sequence, wanted, sequence).then((acknowledged) => {
    if (wanted === level.sync) model.ackedSync = Math.max(model.ackedSync, acknowledged)
    if (wanted !== level.buffered) model.ackedOs = Math.max(model.ackedOs, acknowledged)
  })
}

/**
 * A life of the log: recovers, starts, works for `steps`, closes. Whatever the file system does, no error but those
 * of the log itself comes out, and the model holds what was acknowledged. Returns what the log failed with, if it did.
 */
export async function live(
  fileSystem: FileSystem,
  model: Model,
  seed: number,
  steps: number,
  world: WorldOptions,
): Promise<Error | undefined> {
  const scheduler = new ManualScheduler()
  const random = new Prng(seed)
  const pending: Promise<unknown>[] = []
  model.epoch++
  let wal: Wal
  try {
    const { recovery } = await recoverAll(fileSystem, model)
    wal = await Wal.start(walOptions(fileSystem, model.epoch, scheduler, world), recovery)
    expect(wal.lastSequence).toBe(recovery.lastSequence)
    model.ackedSync = recovery.lastSequence
    model.ackedOs = recovery.lastSequence
  } catch (error) {
    return asError(error)
  }
  let failure: Error | undefined
  try {
    for (let step = 0; step < steps && wal.failure === undefined; step++) {
      await workStep(wal, model, random, scheduler, pending, world)
    }
    await wal.close()
  } catch (error) {
    failure = asError(error)
    await wal.close().catch(() => undefined)
  }
  await turns()
  await Promise.allSettled(pending)
  return failure ?? wal.failure
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

async function workStep(
  wal: Wal,
  model: Model,
  random: Prng,
  scheduler: ManualScheduler,
  pending: Promise<unknown>[],
  world: WorldOptions,
): Promise<void> {
  const dice = random.next()
  if (dice < 0.72) {
    const burst = random.next() < 0.7 ? 1 : 1 + random.below(6)
    const levels = [level.sync, level.sync, level.os, level.buffered] as const
    for (let index = 0; index < burst; index++) {
      const done = append(
        wal,
        model,
        recordFor(random, model.records.length + 1, world),
        levels[random.below(4)] ?? level.sync,
      )
      done.catch(() => undefined)
      pending.push(done)
    }
    if (random.next() < 0.6) await pending.at(-1)
    else await turns(random.below(8))
  } else if (dice < 0.86) {
    scheduler.fire()
    await turns(random.below(20))
  } else if (dice < 0.93) {
    await wal.sync()
  } else {
    model.checkpoint = Math.max(model.checkpoint, Math.floor(wal.durableSequence * random.next()))
    await wal.trim(model.checkpoint)
  }
}

export async function recoverAll(
  fileSystem: FileSystem,
  model: Pick<Model, 'checkpoint'>,
): Promise<{ recovery: WalRecovery; found: Buffer[] }> {
  const found: Buffer[] = []
  const recovery = await recoverWal(
    { fileSystem, directory, storeId },
    {
      afterSequence: model.checkpoint,
      onRecord: (sequence, bytes) => {
        expect(sequence).toBe(model.checkpoint + found.length + 1)
        found.push(bytes)
      },
    },
  )
  expect(recovery.lastSequence).toBe(model.checkpoint + found.length)
  expect(recovery.records).toBe(found.length)
  return { recovery, found }
}

/** Recovers and checks the promise: a prefix of what was appended, byte for byte, with all that was acknowledged. */
export async function checkPrefix(
  disk: SimulatedDisk,
  model: Model,
  acknowledged: number,
  what: string,
): Promise<number> {
  const { recovery, found } = await recoverAll(disk.fileSystem, model)
  if (recovery.lastSequence < acknowledged) {
    throw new Error(`${what}: sequence ${acknowledged} was acknowledged, but the log ends at ${recovery.lastSequence}`)
  }
  if (recovery.lastSequence > model.records.length) {
    throw new Error(`${what}: the log ends at ${recovery.lastSequence}, but only ${model.records.length} were appended`)
  }
  for (const [index, bytes] of found.entries()) {
    const sequence = model.checkpoint + index + 1
    const expected = model.records[sequence - 1]
    if (expected === undefined || !bytes.equals(expected))
      throw new Error(`${what}: sequence ${sequence} has other bytes`)
  }
  return recovery.lastSequence
}

/** What must survive a crash of this kind. A kill leaves everything that was written, a power cut what was synced. */
export function floorOf(model: Model, mode: CrashMode): number {
  return Math.max(mode === 'all' ? model.ackedOs : model.ackedSync, model.checkpoint)
}

/**
 * The model after a crash: records beyond `last` are lost for good. What is left counts as safe, except that after a
 * kill it is still the page cache that has it.
 */
export function collapse(model: Model, last: number, mode: CrashMode): Model {
  const after = model.copy()
  after.records.length = last
  after.ackedOs = last
  if (mode !== 'all') after.ackedSync = last
  return after
}
