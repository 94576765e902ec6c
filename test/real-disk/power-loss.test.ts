/**
 * Goal: the built package with the real LevelDB, on a file system that forgets, comes back with everything acknowledged.
 * Method: a writer is killed on a mounted disk that then drops what was not synced, over and over on one store.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { Prng } from '../../src/base/index.ts'
import { nodeFileSystem } from '../../src/fs/index.ts'
import { type CompiledChild, compileChild, ended, onLines } from '../crash/compiled-child.ts'
import { effort, firstSeed, reportLayer } from '../support/effort.ts'
import { checkStore, fastDirectory } from './checked-tree.ts'
import { MountedDisk, whyNoDisk } from './mounted-disk.ts'
import type { Cut } from './power-cut.ts'
import type { WriterPlan } from './record-writer.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const cycles = effort(8, 60)
const cutsInTurn: readonly Cut[] = ['strict', 'subset', 'names first', 'ordered', 'data first', 'torn', 'sizes first']

let obstacle = whyNoDisk()
let directory: string
let server: CompiledChild | undefined
let writer: CompiledChild | undefined

beforeAll(async () => {
  directory = fastDirectory('power-loss')
  if (obstacle !== undefined) return
  server = compileChild('../real-disk/fuse-server')
  writer = compileChild('../real-disk/record-writer')
  obstacle = await MountedDisk.obstacle(server.program, directory)
})

afterAll(() => {
  server?.remove()
  writer?.remove()
  rmSync(directory, { recursive: true, force: true })
})

interface Written {
  readonly acknowledged: number
  readonly lines: number
}

/** Runs a writer until it said so much, kills it, and answers the last record it said is there. */
async function writeUntilKilled(plan: WriterPlan, lines: number): Promise<Written> {
  const child = (writer as CompiledChild).start(JSON.stringify(plan))
  const gone = ended(child)
  const written = { acknowledged: 0, lines: 0 }
  onLines(child, (line) => {
    const [, number, durability] = line.split(' ')
    if (durability === 'sync') written.acknowledged = Math.max(written.acknowledged, Number(number))
    if (++written.lines >= lines) child.kill('SIGKILL')
  })
  expect(await gone, 'the writer ended by itself').toBe('SIGKILL')
  return written
}

interface Outcome {
  readonly wrong: string[]
  readonly acknowledged: number
}

/** Cycles of writing, losing power and checking; ends early when something is wrong. */
async function cyclesOf(count: number, place: string, broken?: WriterPlan['broken']): Promise<Outcome> {
  const disk = await MountedDisk.mount((server as CompiledChild).program, join(directory, place))
  try {
    const location = join(disk.place, 'store')
    const random = new Prng(firstSeed())
    let known = 0
    let acknowledged = 0
    for (let cycle = 0; cycle < count; cycle++) {
      const cut = cutsInTurn[cycle % cutsInTurn.length] as Cut
      const life = firstSeed() + cycle
      const plan = { dist, location, marks: '', life, records: 0, ...(broken === undefined ? {} : { broken }) }
      const written = await writeUntilKilled(plan, 2 + random.below(50))
      acknowledged += written.lines
      disk.crash(cut, life)
      const { last, wrong } = await checkStore(location, cycle % 4 === 0, nodeFileSystem())
      const demanded = Math.max(known, written.acknowledged)
      const lost = (last ?? 0) < demanded ? [`record ${demanded} was acknowledged, the last found is ${last}`] : []
      if (wrong.length + lost.length > 0)
        return { wrong: [...wrong, ...lost].map((text) => `cycle ${cycle}, ${cut}: ${text}`), acknowledged }
      known = (last as number) + 1
    }
    return { wrong: [], acknowledged }
  } finally {
    await disk.unmount()
  }
}

function skipWithoutDisk(context: TestContext): void {
  if (obstacle === undefined) return
  reportLayer(context, 'L8', {})
  context.skip(obstacle)
}

describe('the built package on a mounted disk that forgets what was not synced', () => {
  it(
    `loses nothing acknowledged in ${cycles} power cuts (I1, I2)`,
    async (context) => {
      skipWithoutDisk(context)
      const { wrong, acknowledged } = await cyclesOf(cycles, 'disk')
      expect(wrong).toEqual([])
      expect(acknowledged).toBeGreaterThan(cycles * 5)
      reportLayer(context, 'L8', { 'power cuts': cycles, acknowledgements: acknowledged })
    },
    effort(60_000, 600_000),
  )

  it.for(['file syncs', 'directory syncs'] as const)(
    'loses what was acknowledged when %s are left out, and this is noticed',
    async (broken, context) => {
      skipWithoutDisk(context)
      const { wrong } = await cyclesOf(10, broken.replace(' ', '-'), broken)
      expect(wrong).not.toEqual([])
    },
  )
})
