import { listSegmentFiles, type SegmentFile } from './chain.ts'
import { eachRecord, frameType } from './frame.ts'
import type { WalLocation } from './options.ts'
import { type SegmentHeader, segmentHeaderBytes, segmentSalt } from './segment-header.ts'
import { SegmentReader } from './segment-reader.ts'

export interface InspectedFrame {
  readonly offset: number
  /** End of the frame; of the bad stretch when `ok` is false. */
  readonly end: number
  readonly ok: boolean
  /** What is wrong, when `ok` is false. */
  readonly reason: string | undefined
  readonly type: 'records' | 'trailer' | 'end' | undefined
  readonly firstSequence: number | undefined
  readonly recordCount: number
  readonly payloadBytes: number
  readonly durableEnd: number | undefined
  readonly crc: number | undefined
}

export interface InspectedSegment {
  readonly file: string
  readonly number: number
  readonly epoch: number
  readonly fileBytes: number
  /** Undefined when the header is not valid; `headerProblem` then says why. */
  readonly header: SegmentHeader | undefined
  readonly headerProblem: string | undefined
  readonly frames: readonly InspectedFrame[]
  /** End of the intact frames that follow each other from the header on. */
  readonly intactEnd: number
  /** First byte that is neither part of an intact frame nor zero; undefined when there is none. */
  readonly tornAt: number | undefined
}

/**
 * Every segment file as it is on disk, oldest first, for a person to look at. Damage is shown, not thrown: after bad
 * bytes the listing goes on with the next intact frame. Rejects only when a file cannot be read.
 */
export async function* inspectSegments(location: WalLocation): AsyncGenerator<InspectedSegment, void, undefined> {
  const { files } = await listSegmentFiles(location)
  for (const entry of files) {
    const inspected = await inspect(location, entry)
    if (inspected !== undefined) yield inspected
  }
}

async function inspect(location: WalLocation, entry: SegmentFile): Promise<InspectedSegment | undefined> {
  const { file, number, epoch, size, reading } = entry
  const salt = segmentSalt(location.storeId, entry)
  const reader = await SegmentReader.open(location.fileSystem, location.directory, file, salt)
  if (reader === undefined) return undefined
  try {
    const frames = await listFrames(reader)
    const firstBad = frames.find((frame) => !frame.ok)
    return {
      file,
      number,
      epoch,
      fileBytes: size,
      header: reading.kind === 'valid' ? reading.header : undefined,
      headerProblem: reading.kind === 'valid' ? undefined : headerProblem(reading),
      frames,
      intactEnd: firstBad?.offset ?? frames.at(-1)?.end ?? segmentHeaderBytes,
      tornAt: firstBad?.offset,
    }
  } finally {
    await reader.close()
  }
}

function headerProblem(reading: Exclude<SegmentFile['reading'], { kind: 'valid' }>): string {
  return reading.kind === 'unsupported' ? `unknown format version ${reading.version}` : reading.reason
}

async function listFrames(reader: SegmentReader): Promise<InspectedFrame[]> {
  const frames: InspectedFrame[] = []
  for (let position = segmentHeaderBytes; ; ) {
    const reading = await reader.frameAt(position)
    const intact = reading.kind === 'frame' ? reading : await reader.intactFrom(position)
    if (reading.kind === 'bad') {
      const end = intact?.header.position ?? (await reader.contentEnd(position))
      if (end > position) frames.push(badStretch(position, end, reading.reason))
    }
    if (intact === undefined) return frames
    const { header, payload, crc, end } = intact
    const ok = eachRecord(payload, header, () => undefined)
    frames.push({
      offset: header.position,
      end,
      ok,
      reason: ok ? undefined : 'the records do not add up',
      type: header.type === frameType.records ? 'records' : header.type === frameType.trailer ? 'trailer' : 'end',
      firstSequence: header.firstSequence,
      recordCount: header.recordCount,
      payloadBytes: header.payloadBytes,
      durableEnd: header.durableEnd,
      crc,
    })
    position = end
  }
}

function badStretch(offset: number, end: number, reason: string): InspectedFrame {
  return {
    offset,
    end,
    ok: false,
    reason,
    type: undefined,
    firstSequence: undefined,
    recordCount: 0,
    payloadBytes: 0,
    durableEnd: undefined,
    crc: undefined,
  }
}
