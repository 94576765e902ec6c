import { afterAll, describe, expect, it } from 'vitest'
import { type CrashMode, Prng, SimulatedDisk } from '../../src/testing/index.ts'
import { readLog, verifyWal } from '../../src/wal/index.ts'
import {
  checkPrefix,
  collapse,
  directory,
  floorOf,
  live,
  Model,
  recoverAll,
  storeId,
  type WorldOptions,
} from './wal-world.ts'

const seeds = Number(process.env['HOLDFAST_WAL_SEEDS'] ?? 4)
const firstSeed = Number(process.env['HOLDFAST_WAL_SEED'] ?? 1)
const steps = Number(process.env['HOLDFAST_WAL_STEPS'] ?? 25)
const modes: readonly CrashMode[] = ['strict', 'all', 'subset', 'directory-first']
const worlds: readonly WorldOptions[] = [
  { segmentBytes: 512, preallocate: true },
  { segmentBytes: 1024, preallocate: false },
  { segmentBytes: 4096, preallocate: true },
  { segmentBytes: 65_536, preallocate: true },
]

function worldOf(seed: number): WorldOptions {
  return worlds[seed % worlds.length] ?? { segmentBytes: 512, preallocate: true }
}

/** A first life on an empty disk that stops at call `at`, if it lasts that long. */
async function firstLife(seed: number, at: number): Promise<{ disk: SimulatedDisk; model: Model; died: boolean }> {
  const disk = new SimulatedDisk({ tearBytes: seed % 3 === 0 ? 4096 : 512 })
  const model = new Model()
  disk.crashAt(at)
  const failure = await live(disk.fileSystem, model, seed, steps, worldOf(seed))
  const died = disk.callCount >= at
  if (!died && failure !== undefined) throw failure
  return { disk, model, died }
}

/** Recovers and checks, lives on until another crash, recovers and checks again. */
async function crashTwice(
  disk: SimulatedDisk,
  model: Model,
  mode: CrashMode,
  seed: number,
  what: string,
): Promise<void> {
  const crashed = disk.crash(mode, seed)
  const last = await checkPrefix(crashed, model, floorOf(model, mode), what)
  const second = collapse(model, last, mode)
  const random = new Prng(seed * 7919 + last)
  const at = 1 + random.below(150)
  crashed.crashAt(crashed.callCount + at)
  const before = crashed.callCount
  const failure = await live(crashed.fileSystem, second, seed + 1, 8, worldOf(seed))
  const died = crashed.callCount >= before + at
  if (!died && failure !== undefined) throw failure
  const again = modes[random.below(modes.length)] ?? 'strict'
  const after = `${what}, then ${again} after ${at} calls`
  const end = await checkPrefix(crashed.crash(again, seed), second, floorOf(second, again), after)
  if (!died && end !== second.records.length) throw new Error(`${after}: a closed log lost records`)
}

let statesChecked = 0

describe('the log on a disk that loses power', { timeout: 240_000 }, () => {
  afterAll(() => {
    if (process.env['HOLDFAST_WAL_FIGURES'] !== undefined) process.stdout.write(`${statesChecked} states\n`)
  })

  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    it(`keeps a prefix with everything acknowledged, whatever call it stops at, also a second time (seed ${seed})`, async () => {
      let states = 0
      for (let at = 1; ; at++) {
        const { disk, model, died } = await firstLife(seed, at)
        for (const mode of modes) {
          await crashTwice(disk, model, mode, seed * 1000 + at, `seed ${seed}, ${mode} at call ${at}`)
          states += 2
        }
        if (!died) break
      }
      statesChecked += states
      expect(states).toBeGreaterThan(100)
    })

    it(`recovers to the same records when recovery and start are stopped at any call (seed ${seed})`, async () => {
      let states = 0
      for (let at = 7; ; at += 29) {
        const { disk, model, died } = await firstLife(seed, at)
        for (const mode of modes) {
          const what = `seed ${seed}, ${mode} at call ${at}`
          const crashed = disk.crash(mode, at)
          const last = await checkPrefix(crashed, model, floorOf(model, mode), what)
          states += await stopEveryStart(crashed, collapse(model, last, mode), seed, mode, what)
        }
        if (!died) break
      }
      statesChecked += states
      expect(states).toBeGreaterThan(100)
    })
  }
})

async function stopEveryStart(
  crashed: SimulatedDisk,
  model: Model,
  seed: number,
  mode: CrashMode,
  what: string,
): Promise<number> {
  const last = model.records.length
  for (let call = 1; ; call++) {
    const disk = crashed.clone()
    disk.crashAt(call)
    const life = model.copy()
    const failure = await live(disk.fileSystem, life, seed, 0, worldOf(seed))
    const died = disk.callCount >= call
    if (!died && failure !== undefined) throw failure
    const again = modes[(call + seed) % modes.length] ?? 'strict'
    // After a power cut what recovery saw is all there is, and all of it is on the disk.
    const floor = mode === 'all' && again !== 'all' && life.ackedSync < last ? floorOf(life, again) : last
    const where = `${what}, stopped at call ${call} of the next start, ${again}`
    const found = await checkPrefix(disk.crash(again, call), life, floor, where)
    if (!died) {
      expect(found).toBe(last)
      return call
    }
  }
}

describe('a log that was crashed and closed', () => {
  it('passes verification, reads back from every sequence and has no spare files left', async () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const { disk, model } = await firstLife(seed, 60 + seed)
      const crashed = disk.crash('subset', seed)
      const second = collapse(
        model,
        await checkPrefix(crashed, model, floorOf(model, 'subset'), `seed ${seed}`),
        'subset',
      )
      expect(await live(crashed.fileSystem, second, seed, 12, worldOf(seed))).toBeUndefined()
      const location = { fileSystem: crashed.fileSystem, directory, storeId }
      expect((await verifyWal(location)).problems).toEqual([])
      const { recovery } = await recoverAll(crashed.fileSystem, second)
      expect(recovery.clean).toBe(true)
      expect(recovery.leftovers).toEqual([])
      const from = Math.max(second.checkpoint + 1, recovery.segments[0]?.firstSequence ?? 1)
      const read: Buffer[] = []
      for await (const record of readLog({ ...location, throughSequence: recovery.lastSequence }, from))
        read.push(record.bytes)
      expect(read).toEqual(second.records.slice(from - 1))
    }
  })
})
