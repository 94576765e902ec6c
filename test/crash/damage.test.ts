/**
 * Goal: no damaged byte of the store's own files ever makes it answer something else. Method: flip every byte of the
 * superblock, the epoch file and every segment, cut every file at every length, zero, swap and repeat sectors; of a
 * store that was closed and of one that was killed. The backend's own bytes are the subject of damage-level.test.ts.
 */
import { beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { open } from '../../src/index.ts'
import { type BackendEntry, MemoryBackend } from '../../src/kv/index.ts'
import { SimulatedDisk } from '../../src/testing/index.ts'
import { recoverWal } from '../../src/wal/index.ts'
import { effort, reportLayer } from '../support/effort.ts'
import {
  damageOptions,
  emptyTally,
  type Expected,
  factsOf,
  fill,
  judge,
  type Tally,
  type Verdict,
} from './damage-world.ts'

const location = '/disk/store'
const sector = 512

interface Superblock {
  readonly storeId: string
  readonly checkpoint: { readonly sequence: number }
}

interface Subject {
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
  readonly expected: Expected
  /** What the backend held at the first checkpoint. */
  readonly earlier: readonly BackendEntry[]
  readonly files: readonly string[]
  readonly newest: string
  /** Where the last promise of the newest segment ends: what follows has no witness after an unclean stop. */
  readonly promisedEnd: number
}

async function subject(end: 'closed' | 'killed'): Promise<Subject> {
  const disk = new SimulatedDisk()
  const backend = new MemoryBackend()
  const store = await open(location, { ...damageOptions, fileSystem: disk.fileSystem, backend })
  let earlier: BackendEntry[] | undefined
  await fill(store, () => {
    earlier ??= backend.rawEntries()
  })
  const expected = { facts: await factsOf(store), lastSequence: store.lastSequence }
  let left = { disk, backend }
  if (end === 'killed') left = { disk: disk.crash('all'), backend: backend.crash('all') }
  await store.close().catch(() => undefined)
  const files = left.disk.files()
  const { storeId, checkpoint } = JSON.parse(
    left.disk.readBytes(`${location}/superblock`).toString().split('\n')[1] ?? '',
  ) as Superblock
  const wal = {
    fileSystem: left.disk.clone().fileSystem,
    directory: `${location}/wal`,
    storeId: Buffer.from(storeId, 'hex'),
  }
  const { tail } = await recoverWal(wal, { afterSequence: checkpoint.sequence })
  if (tail === undefined) throw new Error('the store has no log')
  return {
    ...left,
    expected,
    earlier: earlier ?? [],
    files,
    newest: `${location}/wal/${tail.segment.file}`,
    promisedEnd: tail.promisedEnd,
  }
}

/** Judges a copy that `hurt` damaged. A lost tail is only for those who say that its last witness was damaged. */
async function verdictOf(
  of: Subject,
  what: string,
  witnessLost: boolean,
  hurt: (disk: SimulatedDisk) => void,
): Promise<Verdict> {
  const disk = of.disk.clone()
  hurt(disk)
  const options = { fileSystem: disk.fileSystem, backend: of.backend.crash('all') }
  const verdict = await judge(location, options, of.expected, (fact) =>
    expect.unreachable(`${what} goes unnoticed and changes ${fact}`),
  )
  if (verdict === 'tail') expect(witnessLost, `${what} silently costs durable records`).toBe(true)
  return verdict
}

function rewrite(disk: SimulatedDisk, file: string, change: (bytes: Buffer) => Buffer): void {
  disk.writeBytes(file, change(disk.readBytes(file)))
}

/** The first sectors, and in a full run all, that a sector may be mistaken for. */
function othersOf(start: number, length: number): number[] {
  const one = (start + 2 * sector) % Math.max(1, length - sector)
  if (length < sector * 2) return []
  const all = Array.from({ length: Math.floor(length / sector) }, (_, index) => index * sector)
  return (effort(0, 1) === 1 ? [...new Set([one, ...all])] : [one]).filter((other) => other !== start)
}

describe.each(['closed', 'killed'] as const)('of a store that was %s', (end) => {
  let of: Subject
  beforeAll(async () => {
    of = await subject(end)
    expect(of.files.filter((file) => file.endsWith('.seg')).length).toBeGreaterThan(2)
  })

  /** A lost tail is only for the last group of a store that was killed: the residual of docs/testing.md. */
  const reportTally = (context: TestContext, tally: Tally): void => {
    const { tail, ...others } = tally
    const damages = tail + Object.values(others).reduce((sum, count) => sum + count, 0)
    reportLayer(context, 'L4', { damages, ...others, residual: tail })
  }

  it('every flipped byte is detected or harmless', async (context) => {
    const tally = emptyTally()
    for (const file of of.files) {
      const { length } = of.disk.readBytes(file)
      for (let offset = 0; offset < length; offset++) {
        const unwitnessed = end === 'killed' && file === of.newest && offset >= of.promisedEnd
        const masks = [offset % 3 === 0 ? 0xff : 1 << (offset % 8), 1 << ((offset + 3) % 8)]
        for (const mask of masks.slice(0, effort(1, 2)))
          tally[
            await verdictOf(of, `${file} at ${offset}, mask ${mask}`, unwitnessed, (disk) =>
              disk.corrupt(file, offset, mask),
            )
          ]++
      }
    }
    reportTally(context, tally)
    expect(tally.silent).toBe(0)
    if (end === 'closed') expect(tally.tail).toBe(0)
    expect(tally.refused).toBeGreaterThan(tally.harmless / 4)
  })

  it('every file cut short is detected or harmless, but for the newest segment of a store that was killed', async (context) => {
    const tally = emptyTally()
    for (const file of of.files) {
      const { length } = of.disk.readBytes(file)
      for (let size = 0; size < length; size += size < 64 || length - size < 64 ? 1 : effort(7, 1)) {
        const cut = (disk: SimulatedDisk) => rewrite(disk, file, (bytes) => bytes.subarray(0, size))
        tally[await verdictOf(of, `${file} cut to ${size} of ${length}`, end === 'killed' && file === of.newest, cut)]++
      }
    }
    reportTally(context, tally)
    expect(tally.silent).toBe(0)
  })

  it('every missing file is detected or harmless', async (context) => {
    const tally = emptyTally()
    for (const file of of.files) {
      const disk = of.disk.clone()
      await disk.fileSystem.unlink(file)
      const options = { fileSystem: disk.fileSystem, backend: of.backend.crash('all') }
      const verdict = await judge(location, options, of.expected, (fact) =>
        expect.unreachable(`without ${file} it changes ${fact}`),
      )
      if (verdict === 'tail') expect(end === 'killed' && file === of.newest, `${file} is missing`).toBe(true)
      tally[verdict]++
    }
    reportTally(context, tally)
  })

  it('every sector zeroed, swapped or repeated is detected or harmless', async (context) => {
    const tally = emptyTally()
    for (const file of of.files) {
      const { length } = of.disk.readBytes(file)
      for (let start = 0; start < length; start += sector / 4) {
        const to = Math.min(length, start + sector)
        const unwitnessed = end === 'killed' && file === of.newest && (to === length || to >= of.promisedEnd)
        const zero = (disk: SimulatedDisk) => rewrite(disk, file, (bytes) => bytes.fill(0, start, to))
        tally[await verdictOf(of, `${file} zeroed from ${start}`, unwitnessed, zero)]++
        for (const other of othersOf(start, length)) {
          const repeat = (disk: SimulatedDisk) =>
            rewrite(disk, file, (bytes) => {
              bytes.copyWithin(start, other, other + (to - start))
              return bytes
            })
          tally[await verdictOf(of, `${file} repeats ${other} at ${start}`, unwitnessed, repeat)]++
          const swap = (disk: SimulatedDisk) =>
            rewrite(disk, file, (bytes) => {
              const first = Buffer.from(bytes.subarray(start, to))
              bytes.copyWithin(start, other, other + first.length)
              first.copy(bytes, other)
              return bytes
            })
          const otherUnwitnessed =
            unwitnessed || (end === 'killed' && file === of.newest && other + sector >= of.promisedEnd)
          tally[await verdictOf(of, `${file} swaps ${other} and ${start}`, otherUnwitnessed, swap)]++
        }
      }
    }
    reportTally(context, tally)
    expect(tally.silent).toBe(0)
  })

  it('every sector that holds what belongs into another file is detected or harmless', async (context) => {
    const tally = emptyTally()
    for (const file of of.files) {
      const { length } = of.disk.readBytes(file)
      for (const from of of.files) {
        const source = of.disk.readBytes(from)
        if (from === file) continue
        for (let start = 0; start < Math.min(length, source.length); start += sector * effort(4, 1)) {
          const to = Math.min(length, source.length, start + sector)
          const unwitnessed = end === 'killed' && file === of.newest && (to === length || to >= of.promisedEnd)
          const misdirect = (disk: SimulatedDisk) =>
            rewrite(disk, file, (bytes) => {
              source.copy(bytes, start, start, to)
              return bytes
            })
          tally[await verdictOf(of, `${file} has ${start} of ${from}`, unwitnessed, misdirect)]++
        }
      }
    }
    reportTally(context, tally)
    expect(tally.silent).toBe(0)
    expect(tally.refused).toBeGreaterThan(of.files.length)
  })

  it('every entry of the backend that is missing, changed, an older one or another one is detected or harmless', async (context) => {
    const tally = emptyTally()
    const hurt = async (what: string, damage: (backend: MemoryBackend) => void): Promise<void> => {
      const backend = of.backend.crash('all')
      damage(backend)
      const options = { fileSystem: of.disk.clone().fileSystem, backend }
      const verdict = await judge(location, options, of.expected, (fact) =>
        expect.unreachable(`${what} goes unnoticed and changes ${fact}`),
      )
      expect(verdict, what).not.toBe('tail')
      // Old checkpoints and what their batches changed aside, and what the log of a killed store writes again, no entry may
      // go missing unreported.
      if (end === 'closed' && !what.startsWith('!')) expect(verdict, what).not.toBe('harmless')
      tally[verdict]++
    }
    const entries = of.backend.crash('all').rawEntries()
    for (const [index, { key, value }] of entries.entries()) {
      await hurt(`${key} missing`, (backend) => backend.dropKey(key))
      await hurt(`${key} changed`, (backend) => backend.corrupt(key))
      await hurt(`${key} cut`, (backend) => backend.corrupt(key, (bytes) => bytes.subarray(0, bytes.length - 1)))
      const other = entries[(index + 1) % entries.length] as BackendEntry
      if (!value.every((byte, i) => byte === other.value[i]))
        await hurt(`${key} swapped`, (backend) => backend.corrupt(key, () => other.value))
      const old = of.earlier.find((each) => each.key === key)
      if (old !== undefined && Buffer.compare(old.value, value) !== 0)
        await hurt(`${key} older`, (backend) => backend.corrupt(key, () => old.value))
    }
    reportTally(context, tally)
    expect(tally.silent).toBe(0)
    expect(tally.verify).toBeGreaterThan(entries.length)
  })
})
