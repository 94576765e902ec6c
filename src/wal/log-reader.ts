import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import { buildChain, type ChainSegment, listSegmentFiles } from './chain.ts'
import type { IntactFrame } from './segment-reader.ts'
import type { WalLocation } from './options.ts'
import { damaged } from './problems.ts'
import { segmentSalt } from './segment-header.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentScan } from './segment-scan.ts'

export interface LogRecord {
  readonly sequence: number
  /** A view of memory that is never changed or reused. */
  readonly bytes: Buffer
}

export interface ReadLogOptions extends WalLocation {
  /** Nothing above this is handed out. For a log that is being written: its durable sequence. */
  readonly throughSequence: number
}

/**
 * The records from `fromSequence` to `throughSequence`, in order, as they lie on disk; the log may be written and
 * trimmed meanwhile. Rejects with HOLDFAST_WATCH_LOST when a record has been trimmed away, with HOLDFAST_CORRUPT or
 * HOLDFAST_IO when one cannot be read.
 */
export async function* readLog(
  options: ReadLogOptions,
  fromSequence: number,
): AsyncGenerator<LogRecord, void, undefined> {
  const { throughSequence, directory } = options
  if (fromSequence > throughSequence) return
  const { segments } = buildChain(directory, (await listSegmentFiles(options)).files)
  const oldest = segments[0]?.header.firstSequence
  if (oldest === undefined || fromSequence < oldest) throw trimmedAway(directory, fromSequence, oldest)
  let wanted = fromSequence
  const start = segments.findLastIndex((segment) => segment.header.firstSequence <= fromSequence)
  for (let index = start; wanted <= throughSequence; index++) {
    const segment = segments[index]
    if (segment === undefined)
      throw damaged(directory, `the log ends before sequence ${wanted}, which had been durable`)
    for await (const frame of frames(options, segment, segments[index + 1])) {
      if (frame.header.firstSequence + frame.header.recordCount <= wanted) continue
      for (const record of recordsOf(frame)) {
        if (record.sequence < wanted) continue
        if (record.sequence > throughSequence) return
        yield record
        wanted = record.sequence + 1
      }
      if (wanted > throughSequence) return
    }
  }
}

async function* frames(
  location: WalLocation,
  segment: ChainSegment,
  next: ChainSegment | undefined,
): AsyncGenerator<CheckedFrame, void, undefined> {
  const salt = segmentSalt(location.storeId, segment.header)
  const reader = await SegmentReader.open(location.fileSystem, location.directory, segment.file, salt)
  if (reader === undefined) {
    throw trimmedAway(join(location.directory, segment.file), segment.header.firstSequence, undefined)
  }
  try {
    const scan = new SegmentScan(reader, segment, next)
    for (let frame = await scan.next(); frame !== undefined; frame = await scan.next()) {
      yield { header: frame.header, frame, scan }
    }
  } finally {
    await reader.close()
  }
}

interface CheckedFrame {
  readonly header: IntactFrame['header']
  readonly frame: IntactFrame
  readonly scan: SegmentScan
}

function recordsOf({ scan, frame }: CheckedFrame): LogRecord[] {
  const records: LogRecord[] = []
  scan.eachRecord(frame, (sequence, bytes) => records.push({ sequence, bytes }))
  return records
}

function trimmedAway(where: string, sequence: number, oldest: number | undefined): HoldfastError {
  const since = oldest === undefined ? '' : `; the oldest record still there is ${oldest}`
  return new HoldfastError(
    'HOLDFAST_WATCH_LOST',
    `the log no longer holds sequence ${sequence}${since}; read the current state and go on from there`,
    { detail: { path: where, sequence, oldestSequence: oldest } },
  )
}
