/**
 * Goal: the built package with the real LevelDB on a real ext4 comes back with everything acknowledged. Method: the disk
 * under the file system logs every write and flush; it is put together again as it was at each flush, with all or some
 * of the writes since the one before, mounted, and the store on it opened.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type CompiledChild, compileChild } from '../crash/compiled-child.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { checkStore, fastDirectory } from './checked-tree.ts'
import { crashedDisks, logRun, type LoggedRun, mountImage, whyNoExt4 } from './ext4-log.ts'
import { whyNoDisk } from './mounted-disk.ts'
import type { WriterPlan } from './record-writer.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const records = effort(24, 60)
/** Of the states of a short run each so many only. */
const stride = effort(12, 1)
const seeds = effort(0, 1)

let obstacle = whyNoDisk()
let directory: string
let server: CompiledChild | undefined
let writer: CompiledChild | undefined

beforeAll(() => {
  directory = fastDirectory('block-log')
  obstacle ??= whyNoExt4(directory)
  if (obstacle !== undefined) return
  server = compileChild('../real-disk/fuse-server')
  writer = compileChild('../real-disk/record-writer')
})

afterAll(() => {
  server?.remove()
  writer?.remove()
  rmSync(directory, { recursive: true, force: true })
})

function skipWithoutExt4(context: TestContext): void {
  if (obstacle === undefined) return
  reportLayer(context, 'L9', {})
  context.skip(obstacle)
}

async function run(name: string, plan: Partial<WriterPlan>): Promise<LoggedRun> {
  const programs = { server: (server as CompiledChild).program, writer: (writer as CompiledChild).program }
  return logRun(programs, join(directory, name), { dist, life: 1 + firstSeed(), records, ...plan })
}

/** What is wrong with the stores on these disks; stops at the first when that is what is looked for. */
async function explore(
  logged: LoggedRun,
  each: number,
  untilWrong: boolean,
): Promise<{ states: number; wrong: string[] }> {
  const wrong: string[] = []
  let states = 0
  let seen = 0
  for (const { told, context, build } of crashedDisks(logged, directory, seeds)) {
    if (seen++ % each !== 0) continue
    states++
    const release = mountImage(build(), join(directory, 'crashed'))
    try {
      const verdict = await checkStore(join(directory, 'crashed', 'store'), states % 8 === 0)
      wrong.push(...verdict.wrong.map((text) => `${context}: ${text}`))
      const { last = told.powerCut } = verdict
      if (last < told.powerCut)
        wrong.push(`${context}: record ${told.powerCut} was acknowledged, the last found is ${last}`)
    } finally {
      release()
    }
    if (untilWrong && wrong.length > 0) break
  }
  return { states, wrong }
}

describe('the built package on ext4', () => {
  it(
    'loses nothing acknowledged when the machine stops at any flush of its disk (I1, I2)',
    async (context) => {
      skipWithoutExt4(context)
      const { states, wrong } = await explore(await run('whole', {}), stride, false)
      expect(wrong).toEqual([])
      expect(states).toBeGreaterThan(5)
      reportLayer(context, 'L9', { states })
    },
    effort(60_000, 600_000),
  )

  it('loses what was acknowledged when file syncs are left out, and this is noticed', async (context) => {
    skipWithoutExt4(context)
    const { wrong } = await explore(await run('broken', { broken: 'file syncs' }), 1, true)
    expect(wrong).not.toEqual([])
  }, 60_000)
})
