/**
 * Goal: what a power cut leaves of the files of the built package and the real LevelDB is a store with everything
 * acknowledged. Method: a program's system calls are recorded with strace and done again to a model of a disk that
 * knows what is durable; after every call the machine stops, the disk keeps what the cut lets it, and the store is opened.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type CompiledChild, compileChild } from '../crash/compiled-child.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { fastDirectory, readTree, treeKey } from './checked-tree.ts'
import { Explorer } from './explorer.ts'
import { crash, type Cut } from './power-cut.ts'
import type { WriterPlan } from './record-writer.ts'
import { replayRun, type TracedRun, traceRun, whyNoTrace } from './traced-run.ts'
import type { Tree } from './volume.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const recordsPerRun = 40
const statesWanted = effort(300, 5_000)
const seeds = effort(1, 6)
/** A short run stops the machine at each so many calls only. */
const stride = effort(3, 1)

const obstacle = whyNoTrace()
let directory: string
let writer: CompiledChild

beforeAll(() => {
  directory = fastDirectory('trace')
  if (obstacle === undefined) writer = compileChild('../real-disk/record-writer')
})

afterAll(() => {
  if (obstacle === undefined) writer.remove()
  rmSync(directory, { recursive: true, force: true })
})

function skipWithoutTrace(context: TestContext): void {
  if (obstacle === undefined) return
  reportLayer(context, 'L6', {})
  context.skip(obstacle)
}

/** Leftovers of crashes are where the next runs start, so the crashes of those fall into recoveries. */
const legacies: readonly Cut[] = ['subset', 'strict', 'kill', 'torn', 'names first']

async function run(number: number, start: Tree, plan: Partial<WriterPlan> = {}): Promise<TracedRun> {
  const place = join(directory, `run-${number}`)
  const life = firstSeed() + number
  return traceRun(writer.program, place, start, { dist, life, records: recordsPerRun, ...plan })
}

describe('the built package on a disk that loses power', () => {
  it(
    'holds a prefix with everything acknowledged after a crash at any system call (I1, I2, I6)',
    async (context) => {
      skipWithoutTrace(context)
      const explorer = new Explorer({ directory, seeds, firstSeed: firstSeed() })
      let start: Tree = new Map()
      let runs = 0
      let points = 0
      while (explorer.states < statesWanted) {
        const number = ++runs
        const legacy = legacies[number % legacies.length] as Cut
        const known = start.size === 0 ? 0 : await explorer.lastIn(start)
        const traced = await run(number, start)
        let left: Tree | undefined
        const { volume, told } = await replayRun(traced, known, async (at, toldThen, line) => {
          const wanted = ++points % stride === 0 && explorer.states < statesWanted
          if (wanted) await explorer.crash(at, toldThen, `run ${number}, trace line ${line}`)
          if (toldThen.powerCut < known + recordsPerRun / 2 || left !== undefined) return
          left = crash(at, legacy, number)
          if (left !== undefined)
            await explorer.demand(left, toldThen.powerCut, `run ${number}, left to the next, ${legacy}`)
        })
        expect(told.kill, `run ${number} did not write`).toBe(known + recordsPerRun)
        // The volume is what the directory is: nothing the program did was missed.
        expect(treeKey(crash(volume, 'kill', 0) as Tree), `run ${number}`).toBe(treeKey(readTree(traced.root)))
        start = left ?? new Map()
      }
      expect(await explorer.failures()).toEqual([])
      reportLayer(context, 'L6', { states: explorer.states, crashes: explorer.crashes, runs })
    },
    effort(60_000, 600_000),
  )

  it.for([
    ['file syncs', 'strict'],
    ['directory syncs', 'data first'],
  ] as const)(
    'loses what was acknowledged when %s are left out, and this is noticed',
    async ([broken, cut], context) => {
      skipWithoutTrace(context)
      const explorer = new Explorer({ directory, seeds: 1, firstSeed: 0, cuts: [cut] })
      const traced = await run(broken.length * 1000, new Map(), { broken })
      let points = 0
      await replayRun(traced, 0, async (volume, told, line) => {
        if (++points % 5 === 0) await explorer.crash(volume, told, `trace line ${line}`)
      })
      expect(await explorer.lostStates()).toBeGreaterThan(0)
    },
  )
})
