/**
 * Goal: whatever call the log is stopped at, it recovers a prefix with everything acknowledged, and goes on from there.
 * Method: `exploreCrashes` over seeded lives of the log alone, for logs of several segment sizes.
 */
import { describe, expect, it } from 'vitest'
import { exploreCrashes, SimulatedDisk } from '../../src/testing/index.ts'
import { readLog, verifyWal } from '../../src/wal/index.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { replay, replayable } from './exploration.ts'
import { logWorkload } from './wal-workload.ts'
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

const steps = 25
const worlds: readonly WorldOptions[] = [
  { segmentBytes: 512, preallocate: true },
  { segmentBytes: 1024, preallocate: false },
  { segmentBytes: 4096, preallocate: true },
  { segmentBytes: 65_536, preallocate: true },
]

/** So many seeds of the sampled exploration for each kind of log, beside those of which every crash is tried. */
const sampledSeeds = effort(4, 52)
const wholeSeeds = effort(0, 2)

describe('the log on a disk that loses power', { timeout: 600_000 }, () => {
  for (const world of worlds) {
    const what = `segments of ${world.segmentBytes}${world.preallocate ? '' : ', grown'}`
    const again = (name: string) => replayable('wal', `${name}.*${what}`)

    it(`keeps a prefix with everything acknowledged, whatever call it stops at, also a second time (${what})`, async (context) => {
      const workload = logWorkload(world, steps)
      const options = again('keeps a prefix')
      const first = firstSeed() + 1
      const sampled = { seeds: sampledSeeds, firstSeed: first, statesPerSeed: effort(80, 110) }
      const done = [await exploreCrashes(workload, { ...options, ...sampled })]
      const whole = { seeds: wholeSeeds, firstSeed: first + sampledSeeds }
      if (wholeSeeds > 0 && replay === undefined) done.push(await exploreCrashes(workload, { ...options, ...whole }))
      const states = done.reduce((sum, report) => sum + report.states, 0)
      const seeds = done.reduce((sum, report) => sum + report.seeds, 0)
      reportLayer(context, 'L1', { states, seeds })
      if (replay === undefined) expect(states).toBeGreaterThanOrEqual(effort(600, 13_000))
    })

    it(`recovers to the same records when recovery and start are stopped at any call (${what})`, async (context) => {
      const report = await exploreCrashes(logWorkload(world, steps), {
        ...{ seeds: effort(2, 14), firstSeed: firstSeed() + 1001, depth: 2 },
        ...{ statesPerSeed: effort(4, 6), recoveriesPerSeed: effort(4, 6) },
        ...again('recovers to the same'),
      })
      reportLayer(context, 'L2', { states: report.recoveryStates, seeds: report.seeds })
      if (replay === undefined) expect(report.recoveryStates).toBeGreaterThanOrEqual(effort(120, 1500))
    })
  }
})

describe('a log that was crashed and closed', () => {
  it('passes verification, reads back from every sequence and has no spare files left', async () => {
    for (let seed = firstSeed() + 1; seed <= firstSeed() + 4; seed++) {
      const world = worlds[seed % worlds.length] as WorldOptions
      const disk = new SimulatedDisk()
      const model = new Model()
      disk.crashAt(60 + seed)
      await live(disk.fileSystem, model, seed, steps, world)
      const crashed = disk.crash('subset', seed)
      const last = await checkPrefix(crashed, model, floorOf(model, 'subset'), `seed ${seed}`)
      const second = collapse(model, last, 'subset')
      expect(await live(crashed.fileSystem, second, seed, 12, world)).toBeUndefined()
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
