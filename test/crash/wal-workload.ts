/** The log alone on a simulated disk, for `exploreCrashes`: no clock and no timer of the machine, and fast. */
import { expect } from 'vitest'
import { type CrashMachine, type CrashWorkload, Prng } from '../../src/testing/index.ts'
import { level, Wal, type WalRecovery } from '../../src/wal/index.ts'
import { ManualScheduler, Model, recordFor, recoverAll, turns, walOptions, type WorldOptions } from './wal-world.ts'

export interface OpenLog {
  readonly wal: Wal
  readonly recovery: WalRecovery
  readonly found: readonly Buffer[]
  readonly scheduler: ManualScheduler
  readonly pending: Promise<unknown>[]
}

/** `append#17`: the kind, and the seed of its arguments. */
export type LogStep = string

const kinds = ['append', 'append', 'append', 'append', 'burst', 'burst', 'fire', 'sync', 'trim'] as const
const levels = [level.sync, level.sync, level.os, level.buffered] as const

export function logWorkload(world: WorldOptions, steps: number): CrashWorkload<OpenLog, Model, LogStep> {
  return {
    model: () => new Model(),
    copyModel: (model) => model.copy(),
    steps: (random, life) =>
      Array.from(
        { length: life === 1 ? steps : 5 },
        () => `${kinds[random.below(kinds.length)] ?? 'append'}#${random.below(100_000)}`,
      ),
    open: (machine, model) => openLog(machine, model, world),
    step: (log, step, model) => runStep(log, step, model, world),
    check,
    close: async ({ wal, pending }) => {
      await wal.close()
      await Promise.allSettled(pending)
    },
  }
}

async function openLog({ fileSystem }: CrashMachine, model: Model, world: WorldOptions): Promise<OpenLog> {
  // An epoch is used once, also by an opening that does not get far.
  model.epoch++
  const scheduler = new ManualScheduler()
  const { recovery, found } = await recoverAll(fileSystem, model)
  const wal = await Wal.start(walOptions(fileSystem, model.epoch, scheduler, world), recovery)
  expect(wal.lastSequence).toBe(recovery.lastSequence)
  return { wal, recovery, found, scheduler, pending: [] }
}

/** A prefix of what was appended, byte for byte, with all that was acknowledged. */
function check({ recovery, found }: OpenLog, model: Model, { powerCut }: { powerCut: boolean }): number {
  const last = recovery.lastSequence
  const floor = Math.max(powerCut ? model.ackedSync : model.ackedOs, model.ackedSync, model.checkpoint)
  if (last < floor) throw new Error(`sequence ${floor} was acknowledged, but the log ends at ${last}`)
  if (last > model.records.length)
    throw new Error(`the log ends at ${last}, but only ${model.records.length} were appended`)
  for (const [index, bytes] of found.entries()) {
    const sequence = model.checkpoint + index + 1
    if (!bytes.equals(model.records[sequence - 1] as Buffer)) throw new Error(`sequence ${sequence} has other bytes`)
  }
  // What is gone is gone for good, and a start writes and syncs again what no promise covers.
  model.records.length = last
  model.ackedOs = last
  model.ackedSync = last
  return last
}

async function runStep(log: OpenLog, step: LogStep, model: Model, world: WorldOptions): Promise<void> {
  const [kind, seed] = step.split('#')
  const random = new Prng(Number(seed))
  const { wal, scheduler, pending } = log
  if (kind === 'append' || kind === 'burst') {
    const count = kind === 'append' ? 1 : 2 + random.below(5)
    for (let i = 0; i < count; i++) append(log, model, random, world)
    if (random.next() < 0.6) await pending.at(-1)
    else await turns(random.below(8))
  } else if (kind === 'fire') {
    scheduler.fire()
    await turns(random.below(20))
  } else if (kind === 'sync') {
    await wal.sync()
  } else {
    const checkpoint = Math.max(model.checkpoint, Math.floor(wal.durableSequence * random.next()))
    model.checkpoint = checkpoint
    await wal.trim(checkpoint)
  }
}

/** The model knows of a record before the log does. */
function append({ wal, pending }: OpenLog, model: Model, random: Prng, world: WorldOptions): void {
  const bytes = recordFor(random, model.records.length + 1, world)
  const wanted = levels[random.below(levels.length)] ?? level.sync
  model.records.push(bytes)
  const { buffer, start } = wal.space(bytes.length)
  bytes.copy(buffer, start)
  const sequence = wal.append(bytes.length, wanted)
  expect(sequence).toBe(model.records.length)
  const done = wal.settled(sequence, wanted, sequence).then((acknowledged) => {
    if (wanted === level.sync) model.ackedSync = Math.max(model.ackedSync, acknowledged)
    if (wanted !== level.buffered) model.ackedOs = Math.max(model.ackedOs, acknowledged)
  })
  done.catch(() => undefined)
  pending.push(done)
}
