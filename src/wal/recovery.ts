import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import { buildChain, type Chain, type ChainSegment, firstNeeded, listSegmentFiles, type SegmentFile } from './chain.ts'
import type { SegmentInfo, WalLocation } from './options.ts'
import { damaged, sequencesFrom } from './problems.ts'
import { segmentHeaderBytes, segmentSalt } from './segment-header.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentScan } from './segment-scan.ts'

export interface RecoverOptions {
  /** Records up to this sequence are already elsewhere: they are neither needed nor handed out. */
  readonly afterSequence: number
  /**
   * Called with every record after `afterSequence`, in order. `bytes` is never changed or reused, but it is a view of
   * a buffer of about 1 MiB that lives as long as the view does.
   */
  readonly onRecord?: (sequence: number, bytes: Buffer) => void
  /** Accept a directory without segments even though `afterSequence` says there were records. Default false. */
  readonly mayBeEmpty?: boolean
  /** Report damage in `damage` and hand out what precedes it, instead of rejecting. `Wal.start` will refuse. */
  readonly tolerateDamage?: boolean
}

/** How the newest segment ends; what `Wal.start` needs to go on from there. */
export interface WalTail {
  readonly segment: ChainSegment
  /** Frames end here; what follows is a torn tail or nothing. */
  readonly framesEnd: number
  /** Bytes up to here are known to be durable. Frames beyond may be in the page cache alone. */
  readonly promisedEnd: number
  /** Checksum of the frame (or header) that ends at `promisedEnd`. */
  readonly promisedCrc: number
  /** Sequence of the first record after `promisedEnd`. */
  readonly promisedNextSequence: number
  /** End of the last nonzero byte after `framesEnd`; equal to it when nothing is torn. */
  readonly tornEnd: number
}

export interface WalRecovery {
  readonly afterSequence: number
  /** Sequence of the last record in the log; `afterSequence` when there is none. */
  readonly lastSequence: number
  /** Records handed to `onRecord`, and their bytes. */
  readonly records: number
  readonly bytes: number
  readonly segmentsRead: number
  /** True when the last owner closed the log, or there is none. */
  readonly clean: boolean
  /** Bytes of a torn tail, written but never acknowledged as durable. */
  readonly tornBytes: number
  readonly tornSegment: string | undefined
  /** Highest epoch in any file name; the next one must be higher. */
  readonly highestEpoch: number
  readonly segments: readonly SegmentInfo[]
  /** Files that are no part of the log; `Wal.start` deletes them. */
  readonly leftovers: readonly string[]
  readonly broken: readonly string[]
  readonly tail: WalTail | undefined
  readonly damage: HoldfastError | undefined
}

interface Progress {
  lastSequence: number
  records: number
  bytes: number
  segmentsRead: number
  ended: boolean
  tail: WalTail | undefined
}

/**
 * Reads the log and hands out its records. Changes nothing. Rejects with HOLDFAST_CORRUPT when bytes that were once
 * durable are damaged or missing, with HOLDFAST_IO when something cannot be read, with HOLDFAST_FORMAT_UNSUPPORTED for
 * a newer format. A torn tail is what a crash leaves and no error.
 */
export async function recoverWal(location: WalLocation, options: RecoverOptions): Promise<WalRecovery> {
  const { files, broken } = await listSegmentFiles(location)
  const progress: Progress = {
    lastSequence: options.afterSequence,
    records: 0,
    bytes: 0,
    segmentsRead: 0,
    ended: false,
    tail: undefined,
  }
  let chain: Chain | undefined
  let damage: HoldfastError | undefined
  try {
    chain = buildChain(location.directory, files)
    await replay(location, options, chain, progress)
  } catch (error) {
    if (options.tolerateDamage !== true || !(error instanceof HoldfastError) || error.code !== 'HOLDFAST_CORRUPT')
      throw error
    damage = error
  }
  const tail = progress.tail
  const tornBytes = tail === undefined ? 0 : tail.tornEnd - tail.framesEnd
  return {
    afterSequence: options.afterSequence,
    lastSequence: progress.lastSequence,
    records: progress.records,
    bytes: progress.bytes,
    segmentsRead: progress.segmentsRead,
    clean: damage === undefined && tornBytes === 0 && (tail === undefined || progress.ended),
    tornBytes,
    tornSegment: tornBytes > 0 ? tail?.segment.file : undefined,
    highestEpoch: Math.max(0, ...files.map((entry) => entry.epoch)),
    segments: chain === undefined ? [] : describe(chain.segments, tail, progress.lastSequence),
    leftovers: (chain?.leftovers ?? []).map((entry) => entry.file),
    broken,
    tail,
    damage,
  }
}

async function replay(location: WalLocation, options: RecoverOptions, chain: Chain, progress: Progress): Promise<void> {
  for (const suspect of chain.suspects) await refuseIfPromised(location, suspect)
  if (chain.segments.length === 0) {
    if (options.afterSequence > 0 && options.mayBeEmpty !== true) throw missingLog(location, options.afterSequence)
    return
  }
  const needed = chain.segments.slice(firstNeeded(location.directory, chain, options.afterSequence))
  for (const [index, segment] of needed.entries()) {
    progress.segmentsRead++
    await replaySegment(location, options, segment, needed[index + 1], progress)
  }
  if (progress.lastSequence < options.afterSequence) throw shortLog(location, options.afterSequence, progress)
}

async function replaySegment(
  location: WalLocation,
  options: RecoverOptions,
  segment: ChainSegment,
  next: ChainSegment | undefined,
  progress: Progress,
): Promise<void> {
  const reader = await openSegment(location, segment)
  try {
    const scan = new SegmentScan(reader, segment, next)
    progress.lastSequence = segment.header.firstSequence - 1
    for (let frame = await scan.next(); frame !== undefined; frame = await scan.next()) {
      scan.eachRecord(frame, (sequence, bytes) => {
        progress.lastSequence = sequence
        if (sequence <= options.afterSequence) return
        progress.records++
        progress.bytes += bytes.length
        options.onRecord?.(sequence, bytes)
      })
    }
    if (next !== undefined) return
    const tornEnd = await scan.settleEnd()
    progress.ended = scan.ended || scan.frames === 0
    progress.tail = {
      segment,
      framesEnd: scan.position,
      promisedEnd: scan.promisedEnd,
      promisedCrc: scan.promisedCrc,
      promisedNextSequence: scan.promisedNextSequence,
      tornEnd,
    }
  } finally {
    await reader.close()
  }
}

async function openSegment(location: WalLocation, segment: ChainSegment): Promise<SegmentReader> {
  const salt = segmentSalt(location.storeId, segment.header)
  const reader = await SegmentReader.open(location.fileSystem, location.directory, segment.file, salt)
  if (reader === undefined)
    throw damaged(join(location.directory, segment.file), 'the file disappeared while it was read')
  return reader
}

/** A newest segment without a header is a crash in creation, unless something in it says that bytes were durable. */
async function refuseIfPromised(location: WalLocation, suspect: SegmentFile): Promise<void> {
  const salt = segmentSalt(location.storeId, suspect)
  const reader = await SegmentReader.open(location.fileSystem, location.directory, suspect.file, salt)
  if (reader === undefined) return
  try {
    const promise = await reader.promiseBeyond(segmentHeaderBytes, segmentHeaderBytes)
    if (promise === undefined) return
    const what = `its header is damaged, and the records it holds before sequence ${promise.firstSequence} were durable`
    throw damaged(reader.path, what, { offset: 0, lastSequence: promise.firstSequence - 1 })
  } finally {
    await reader.close()
  }
}

function missingLog(location: WalLocation, afterSequence: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the log is missing: ${location.directory} has no segment, though records up to sequence ${afterSequence} were ` +
      'written; put the files back or restore the store from a backup',
    { detail: { path: location.directory, afterSequence } },
  )
}

function shortLog(location: WalLocation, afterSequence: number, progress: Progress): HoldfastError {
  const lost = sequencesFrom(progress.lastSequence + 1, afterSequence)
  return damaged(
    location.directory,
    `it ends at sequence ${progress.lastSequence}, but ${lost} had been durable when the checkpoint was made`,
    { lastSequence: progress.lastSequence, afterSequence },
  )
}

function describe(segments: readonly ChainSegment[], tail: WalTail | undefined, lastSequence: number): SegmentInfo[] {
  return segments.map((segment, index) => {
    const next = segments[index + 1]
    const last = next === undefined ? lastSequence : next.header.firstSequence - 1
    return {
      file: segment.file,
      number: segment.header.number,
      epoch: segment.header.epoch,
      firstSequence: segment.header.firstSequence,
      lastSequence: last < segment.header.firstSequence ? undefined : last,
      bytes: next === undefined ? (tail?.framesEnd ?? segment.size) : next.header.predecessorEnd,
      active: false,
    }
  })
}
