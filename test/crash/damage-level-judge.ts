// Damages copies of a store one byte at a time and says what came of each: `index verdict`, in one write. In a process
// of its own, as LevelDB has assertions that end the process it is in. Arguments: a file with the job, the first index.
import { cpSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Expected, judge } from './damage-world.ts'

export interface DamageJob {
  readonly pristine: string
  readonly hurt: string
  readonly facts: readonly (readonly [string, string])[]
  readonly lastSequence: number
  readonly flips: readonly Flip[]
}

export interface Flip {
  readonly file: string
  readonly offset: number
  readonly mask: number
  /** Clear so many bytes instead. */
  readonly clear?: number
  /** Cut the file off here instead. */
  readonly cut?: boolean
  /** Exchange the sector that begins here with the one that begins there instead. */
  readonly swap?: number
}

const sectorBytes = 512

const [, , jobFile = '', firstIndex = '0'] = process.argv
const job = JSON.parse(readFileSync(jobFile, 'utf8')) as DamageJob
const expected: Expected = { facts: new Map(job.facts), lastSequence: job.lastSequence }

for (let index = Number(firstIndex); index < job.flips.length; index++) {
  const flip = job.flips[index] as Flip
  rmSync(job.hurt, { recursive: true, force: true })
  cpSync(job.pristine, job.hurt, { recursive: true })
  const path = join(job.hurt, 'level', flip.file)
  writeFileSync(path, damaged(readFileSync(path), flip))
  let changed = ''
  const verdict = await judge(job.hurt, {}, expected, (fact) => {
    changed = fact
  })
  writeSync(1, `${index} ${verdict} ${changed}\n`)
}

function damaged(bytes: Buffer, { offset, mask, clear = 0, cut, swap }: Flip): Buffer {
  if (cut === true) return bytes.subarray(0, offset)
  if (swap !== undefined) {
    const first = Buffer.from(bytes.subarray(offset, offset + sectorBytes))
    bytes.copyWithin(offset, swap, swap + first.length)
    first.copy(bytes, swap)
    return bytes
  }
  bytes[offset] = (bytes[offset] as number) ^ mask
  return bytes.fill(0, offset, Math.min(bytes.length, offset + clear))
}
