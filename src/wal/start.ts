import { join } from 'node:path'
import { HoldfastError, ioError } from '../base/index.ts'
import { type FileHandle, makeDirectoryDurable, writeFully } from '../fs/index.ts'
import { frameType } from './frame.ts'
import type { SegmentInfo, WalOptions } from './options.ts'
import { createSegmentFile, fillWithZeros } from './preallocation.ts'
import { damaged } from './problems.ts'
import type { WalRecovery, WalTail } from './recovery.ts'
import { type SegmentHeader, segmentHeaderBytes, segmentSalt } from './segment-header.ts'
import { brokenFileName } from './segment-name.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentWriter } from './segment-writer.ts'

const brokenKept = 4
const copyBytes = 1024 * 1024
/** Zeros that the first segment of an opening begins with: a few milliseconds of it. */
const preparedBytes = 4 * 1024 * 1024

export interface StartedLog {
  readonly writer: SegmentWriter
  /** The segments before the new one, oldest first. */
  readonly earlier: readonly SegmentInfo[]
}

/**
 * Begins a new segment after a recovery. No byte of an older segment is changed, and none of its frames is given up
 * before its copy is durable, so a crash anywhere in here leaves a log that recovers to the same records.
 */
export async function startSegment(options: WalOptions, recovery: WalRecovery): Promise<StartedLog> {
  if (recovery.damage !== undefined) throw recovery.damage
  refuseOldEpoch(options, recovery)
  await makeDirectoryDurable(options.fileSystem, options.directory)
  await saveTornBytes(options, recovery)
  await tidy(options, recovery)

  const { tail } = recovery
  // A segment that is not known to hold anything durable, not even its header, cannot be built upon: its replacement
  // takes its number and its place.
  const replaced = tail !== undefined && tail.promisedEnd <= segmentHeaderBytes
  const header = nextHeader(options, recovery, tail, replaced)
  const writer = await createWriter(options, header)
  try {
    // The header makes the file part of the log and cuts off what follows `promisedEnd` in the segment before. It is
    // written when everything it replaces is durable here.
    if (tail !== undefined) await copyUnpromised(options, recovery, tail, writer)
    writer.writeHeader()
    await writer.datasync()
    if (replaced) await remove(options, [tail.segment.file])
  } catch (cause) {
    await writer.close()
    throw cause
  }
  return { writer, earlier: earlierSegments(recovery, tail, replaced) }
}

function nextHeader(
  options: WalOptions,
  recovery: WalRecovery,
  tail: WalTail | undefined,
  replaced: boolean,
): SegmentHeader {
  const { epoch } = options
  if (tail === undefined) {
    return { number: 1, epoch, firstSequence: recovery.lastSequence + 1, predecessorEnd: 0, predecessorCrc: 0 }
  }
  if (replaced) return { ...tail.segment.header, epoch }
  return {
    number: tail.segment.header.number + 1,
    epoch,
    firstSequence: tail.promisedNextSequence,
    predecessorEnd: tail.promisedEnd,
    predecessorCrc: tail.promisedCrc,
  }
}

function earlierSegments(recovery: WalRecovery, tail: WalTail | undefined, replaced: boolean): SegmentInfo[] {
  if (tail === undefined || replaced) return recovery.segments.slice(0, -1)
  const lastSequence = tail.promisedNextSequence - 1
  return recovery.segments.map((info) => {
    if (info.file !== tail.segment.file) return info
    return {
      ...info,
      bytes: tail.promisedEnd,
      lastSequence: lastSequence < info.firstSequence ? undefined : lastSequence,
    }
  })
}

function refuseOldEpoch(options: WalOptions, recovery: WalRecovery): void {
  if (options.epoch > recovery.highestEpoch) return
  throw new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the log in ${options.directory} has been written at epoch ${recovery.highestEpoch}, so epoch ${options.epoch} ` +
      'cannot be a new one: the rest of the store is older than its log; restore both from the same backup',
    { detail: { path: options.directory, epoch: options.epoch, highestEpoch: recovery.highestEpoch } },
  )
}

async function createWriter(options: WalOptions, header: SegmentHeader): Promise<SegmentWriter> {
  let created: FileHandle | undefined
  try {
    const { handle, file } = await createSegmentFile(options.fileSystem, options.directory, header.number, header.epoch)
    created = handle
    // The sync that makes the header durable covers the zeros too: the first writes find a prepared file.
    const zeroed =
      options.preallocate === false ? 0 : await fillWithZeros(handle, Math.min(options.segmentBytes, preparedBytes))
    return new SegmentWriter(handle, file, header, options.storeId, zeroed)
  } catch (cause) {
    await created?.close()
    throw ioError('create a segment in', options.directory, cause)
  }
}

/** Writes every frame after `promisedEnd` again, with the same records, and makes the copies durable. */
async function copyUnpromised(
  options: WalOptions,
  recovery: WalRecovery,
  tail: WalTail,
  writer: SegmentWriter,
): Promise<void> {
  const from = Math.max(segmentHeaderBytes, tail.promisedEnd)
  if (from < tail.framesEnd) {
    const salt = segmentSalt(options.storeId, tail.segment.header)
    const reader = await SegmentReader.open(options.fileSystem, options.directory, tail.segment.file, salt)
    if (reader === undefined)
      throw damaged(join(options.directory, tail.segment.file), 'the file disappeared after recovery')
    try {
      for (let position = from; position < tail.framesEnd; ) {
        const reading = await reader.frameAt(position)
        if (reading.kind === 'bad')
          throw damaged(reader.path, `at offset ${position} ${reading.reason}, though recovery had read it`)
        position = reading.end
        if (reading.header.type !== frameType.records) continue
        await writer.writeCopy(reading.payload, reading.header.recordCount)
      }
    } finally {
      await reader.close()
    }
    if (writer.frames > 0) await writer.datasync()
  }
  if (writer.nextSequence !== recovery.lastSequence + 1) {
    throw damaged(
      writer.path,
      `${writer.nextSequence - 1} is not the last sequence ${recovery.lastSequence} that recovery had found`,
    )
  }
}

/** Keeps the bytes that recovery did not accept, for a person to look at; the newest few such files stay. */
async function saveTornBytes(options: WalOptions, recovery: WalRecovery): Promise<void> {
  const { tail } = recovery
  if (tail === undefined || recovery.tornBytes === 0) return
  const file = brokenFileName(tail.segment.file)
  const reader = await SegmentReader.open(options.fileSystem, options.directory, tail.segment.file, 0)
  if (reader === undefined) return
  try {
    if (recovery.broken.includes(file)) await remove(options, [file])
    const path = join(options.directory, file)
    const handle = await options.fileSystem.open(path, 'create')
    try {
      for (let offset = tail.framesEnd; offset < tail.tornEnd; ) {
        const bytes = await reader.view(offset, Math.min(copyBytes, tail.tornEnd - offset))
        if (bytes.length === 0) break
        await writeFully(handle, bytes, offset - tail.framesEnd)
        offset += bytes.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw ioError('save the torn end of', reader.path, cause)
  } finally {
    await reader.close()
  }
}

async function tidy(options: WalOptions, recovery: WalRecovery): Promise<void> {
  const broken = new Set(recovery.broken)
  if (recovery.tornSegment !== undefined) broken.add(brokenFileName(recovery.tornSegment))
  const old = [...broken].sort().slice(0, -brokenKept)
  const doomed = [...recovery.leftovers, ...old]
  if (doomed.length > 0) await remove(options, doomed)
}

async function remove(options: WalOptions, files: readonly string[]): Promise<void> {
  try {
    for (const file of files) await options.fileSystem.unlink(join(options.directory, file))
    await options.fileSystem.syncDirectory(options.directory)
  } catch (cause) {
    throw ioError('remove old files from', options.directory, cause)
  }
}
