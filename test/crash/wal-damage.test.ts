import { describe, expect, it, type TestContext } from 'vitest'
import { crc32, hasCode } from '../../src/base/index.ts'
import { SimulatedDisk } from '../../src/testing/index.ts'
import { decodeFrameHeader, sealFrame } from '../../src/wal/frame.ts'
import { inspectSegments, level, readLog, recoverWal, verifyWal, Wal, type WalRecovery } from '../../src/wal/index.ts'
import { segmentSalt } from '../../src/wal/segment-header.ts'
import { effort, reportLayer } from '../support/effort.ts'
import { append, collect, directory, ManualScheduler, Model, storeId, walOptions } from './wal-world.ts'

interface Written {
  readonly disk: SimulatedDisk
  readonly model: Model
  readonly files: readonly string[]
}

/** Two segments of some groups each; `closed` puts the trailer behind the last group. */
async function twoSegments(closed: boolean): Promise<Written> {
  const disk = new SimulatedDisk()
  const { fileSystem } = disk
  const model = new Model()
  const recovery = await recoverWal({ fileSystem, directory, storeId }, { afterSequence: 0 })
  const world = { segmentBytes: 1536, preallocate: false }
  const wal = await Wal.start(walOptions(fileSystem, 1, new ManualScheduler(), world), recovery)
  for (let index = 0; wal.segments().length < 2 || (wal.segments().at(-1)?.bytes ?? 0) < 900; index++) {
    const group = Array.from({ length: 1 + (index % 3) }, (_, at) =>
      Buffer.alloc(10 + ((index * 37 + at) % 130), index + 65),
    )
    await Promise.all(group.map((bytes) => append(wal, model, bytes, level.sync)))
  }
  if (closed) await wal.close()
  return { disk, model, files: disk.files() }
}

type Verdict = 'reported' | 'same' | 'lost' | 'different'

async function judge(disk: SimulatedDisk, model: Model): Promise<Verdict> {
  const found: Buffer[] = []
  let recovery: WalRecovery
  try {
    recovery = await recoverWal(
      { fileSystem: disk.fileSystem, directory, storeId },
      { afterSequence: 0, onRecord: (_sequence, bytes) => found.push(bytes) },
    )
  } catch (error) {
    if (hasCode(error, 'HOLDFAST_CORRUPT') || hasCode(error, 'HOLDFAST_FORMAT_UNSUPPORTED')) return 'reported'
    throw error
  }
  if (found.some((bytes, index) => !model.records[index]?.equals(bytes))) return 'different'
  if (found.length > model.records.length) return 'different'
  return recovery.lastSequence === model.records.length ? 'same' : 'lost'
}

/** What is harmless to recovery must also be harmless to the start after it. */
async function startAndJudge(disk: SimulatedDisk, model: Model): Promise<Verdict> {
  const { fileSystem } = disk
  const recovery = await recoverWal({ fileSystem, directory, storeId }, { afterSequence: 0 })
  const world = { segmentBytes: 1536, preallocate: false }
  const wal = await Wal.start(walOptions(fileSystem, 2, new ManualScheduler(), world), recovery)
  await wal.close()
  return judge(disk, model)
}

const masks = effort(0, 1) === 1 ? [0x01, 0x10, 0x80, 0xff] : [0x01, 0xff]

function report(context: TestContext, { reported, same, lost, different }: Record<Verdict, number>): void {
  const damages = reported + same + lost + different
  reportLayer(context, 'L4', { damages, refused: reported, harmless: same, residual: lost, silent: different })
}

describe('damage to a closed log of two segments', { timeout: 240_000 }, () => {
  it('is reported or changes no record, for every byte', async (context) => {
    const { disk, model, files } = await twoSegments(true)
    expect(files).toHaveLength(2)
    expect(await judge(disk, model)).toBe('same')
    const count: Record<Verdict, number> = { reported: 0, same: 0, lost: 0, different: 0 }
    for (const file of files) {
      for (let offset = 0; offset < disk.readBytes(file).length; offset++) {
        for (const mask of masks) {
          const hurt = disk.clone()
          hurt.corrupt(file, offset, mask)
          const verdict = await judge(hurt, model)
          count[verdict]++
          if (verdict === 'same') expect(await startAndJudge(hurt, model), `${file} at ${offset}`).toBe('same')
          else expect(verdict, `${file} at ${offset}, mask ${mask}`).toBe('reported')
        }
      }
    }
    expect(count.lost + count.different).toBe(0)
    // Trailers and padding are all that may go unnoticed: they hold nothing.
    expect(count.same).toBeLessThan(count.reported / 10)
    report(context, count)
  })

  it('is reported when a whole sector is zero, unless it held the last group or nothing', async () => {
    const { disk, model, files } = await twoSegments(true)
    const newest = files.at(-1) ?? ''
    const end = disk.readBytes(newest).length
    for (const file of files) {
      const size = disk.readBytes(file).length
      for (let sector = 0; sector < size; sector += 64) {
        const hurt = disk.clone()
        const bytes = hurt.readBytes(file)
        bytes.fill(0, sector, Math.min(size, sector + 64))
        hurt.writeBytes(file, bytes)
        const verdict = await judge(hurt, model)
        if (file === newest && sector + 64 >= end - 48) continue
        expect(verdict, `${file} at ${sector}`).not.toBe('lost')
        expect(verdict).not.toBe('different')
      }
    }
  })

  it('is reported when a sector holds the bytes of another place in the log', async () => {
    const { disk, model, files } = await twoSegments(true)
    const [first, second] = files as [string, string]
    for (let from = 0; from + 128 <= 1024; from += 64) {
      for (let to = 0; to + 128 <= 832; to += 64) {
        const hurt = disk.clone()
        const bytes = hurt.readBytes(second)
        hurt.readBytes(first).copy(bytes, to, from, from + 128)
        hurt.writeBytes(second, bytes)
        expect(await judge(hurt, model), `${from} to ${to}`).toBe('reported')
      }
    }
  })

  it('is reported when a file is missing or shorter', async (context) => {
    const { disk, model, files } = await twoSegments(true)
    const [first, second] = files as [string, string]
    const missing = disk.clone()
    await missing.fileSystem.unlink(first)
    expect(await judge(missing, model)).toBe('reported')
    const count: Record<Verdict, number> = { reported: 0, same: 0, lost: 0, different: 0 }
    for (const file of [first, second]) {
      const { length } = disk.readBytes(file)
      for (let cut = 0; cut < length; cut++) {
        const short = disk.clone()
        short.writeBytes(file, disk.readBytes(file).subarray(0, cut))
        const verdict = await judge(short, model)
        count[verdict]++
        // Of the newest segment a shorter one may be what a crash left; the engine's checkpoint says how far it went.
        if (file === first) expect(verdict, `${file} cut to ${cut}`).toBe('reported')
        else expect(verdict, `${file} cut to ${cut}`).not.toBe('different')
      }
    }
    report(context, count)
    const renamed = disk.clone()
    await renamed.fileSystem.rename(second, second.replace('-00000001', '-00000009'))
    expect(await judge(renamed, model)).toBe('reported')
  })

  it('is reported when a frame was exchanged for another one with a valid checksum', async () => {
    const { disk, model, files } = await twoSegments(true)
    const [segment] = await collect(inspectSegments({ fileSystem: disk.fileSystem, directory, storeId }))
    const frames = segment?.frames.filter((frame) => frame.type !== undefined) ?? []
    const salt = segmentSalt(storeId, segment ?? { number: 0, epoch: 0 })
    for (const frame of frames) {
      const bytes = disk.readBytes(files[0] ?? '')
      const header = decodeFrameHeader(bytes, frame.offset)
      if (frame.type === 'records') bytes[frame.end - 9] = (bytes[frame.end - 9] ?? 0) ^ 1
      const payload = bytes.subarray(frame.offset + 48, frame.offset + 48 + header.payloadBytes)
      const durableEnd = frame.type === 'records' ? header.durableEnd : 0
      sealFrame(bytes, frame.offset, { ...header, durableEnd }, salt, crc32(payload))
      const hurt = disk.clone()
      hurt.writeBytes(files[0] ?? '', bytes)
      expect(await judge(hurt, model), `frame at ${frame.offset}`).toBe('reported')
    }
    expect(frames.length).toBeGreaterThan(5)
  })

  it('names the file, the offset and the sequences at risk', async () => {
    const { disk, model, files } = await twoSegments(true)
    disk.corrupt(files[0] ?? '', 64 + 50)
    const error: unknown = await recoverWal(
      { fileSystem: disk.fileSystem, directory, storeId },
      { afterSequence: 0 },
    ).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'HOLDFAST_CORRUPT', detail: { path: files[0], offset: 64, firstSequence: 1 } })
    expect(String(error)).toMatch(/sequences 1 to \d+/)
    expect(model.records.length).toBeGreaterThan(10)
  })
})

describe('damage to a log whose owner was killed before the trailer', () => {
  it('goes unnoticed in the last group only', async (context) => {
    const { disk, model, files } = await twoSegments(false)
    const newest = files.at(-1) ?? ''
    const segments = await collect(inspectSegments({ fileSystem: disk.fileSystem, directory, storeId }))
    const last = segments.at(-1)?.frames.findLast((frame) => frame.type === 'records')
    const count: Record<Verdict, number> = { reported: 0, same: 0, lost: 0, different: 0 }
    for (const file of files) {
      for (let offset = 0; offset < disk.readBytes(file).length; offset++) {
        const hurt = disk.clone()
        hurt.corrupt(file, offset)
        const verdict = await judge(hurt, model)
        count[verdict]++
        if (verdict === 'lost')
          expect(file === newest && offset >= (last?.offset ?? 0), `${file} at ${offset}`).toBe(true)
        expect(verdict).not.toBe('different')
      }
    }
    expect(count.reported).toBeGreaterThan(1500)
    report(context, count)
  })
})

describe('those who look at a damaged log without recovering it', () => {
  it('verifyWal reports what recovery would refuse, also in segments that recovery would not need', async () => {
    const { disk, files, model } = await twoSegments(true)
    disk.corrupt(files[0] ?? '', 64 + 60)
    const location = { fileSystem: disk.fileSystem, directory, storeId }
    const { problems } = await verifyWal(location)
    expect(problems).toMatchObject([{ code: 'log-damage', where: `${files[0]}:64` }])
    const needed = await recoverWal(location, { afterSequence: model.records.length - 1 })
    expect(needed.lastSequence).toBe(model.records.length)
  })

  it('inspectSegments shows the bad stretch and goes on behind it', async () => {
    const { disk, files } = await twoSegments(true)
    disk.corrupt(files[0] ?? '', 64 + 60)
    const segments = await collect(inspectSegments({ fileSystem: disk.fileSystem, directory, storeId }))
    expect(segments).toHaveLength(2)
    expect(segments[0]?.tornAt).toBe(64)
    expect(segments[0]?.frames[0]).toMatchObject({ ok: false, offset: 64 })
    expect(segments[0]?.frames[1]).toMatchObject({ ok: true, type: 'records' })
    expect(segments[0]?.frames.at(-1)).toMatchObject({ ok: true, type: 'end' })
  })

  it('readLog rejects instead of leaving records out', async () => {
    const { disk, files, model } = await twoSegments(true)
    disk.corrupt(files[0] ?? '', 64 + 60)
    const options = { fileSystem: disk.fileSystem, directory, storeId, throughSequence: model.records.length }
    await expect(readLog(options, 1).next()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })

  it('tolerateDamage hands out what precedes the damage, and the log cannot be started from there', async () => {
    const { disk, files } = await twoSegments(true)
    disk.corrupt(files[1] ?? '', 64 + 60)
    const found: number[] = []
    const recovery = await recoverWal(
      { fileSystem: disk.fileSystem, directory, storeId },
      { afterSequence: 0, tolerateDamage: true, onRecord: (sequence) => found.push(sequence) },
    )
    expect(recovery.damage).toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(found.length).toBeGreaterThan(3)
    const options = walOptions(disk.fileSystem, 2, new ManualScheduler(), { segmentBytes: 1536, preallocate: false })
    await expect(Wal.start(options, recovery)).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })
})
