import { join } from 'node:path'
import { HoldfastError, ioError, systemCode } from '../base/index.ts'
import type { WalLocation } from './options.ts'
import { damaged, sequencesFrom, unsupportedSegment } from './problems.ts'
import {
  decodeSegmentHeader,
  type HeaderReading,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentSalt,
} from './segment-header.ts'
import { isBrokenFileName, parseSegmentFileName, type SegmentName } from './segment-name.ts'
import { SegmentReader } from './segment-reader.ts'

export interface SegmentFile extends SegmentName {
  readonly file: string
  readonly size: number
  readonly reading: HeaderReading
}

/** A segment that belongs to the log. */
export interface ChainSegment {
  readonly file: string
  readonly size: number
  readonly header: SegmentHeader
  readonly headerCrc: number
}

export interface Chain {
  /** Segments with consecutive numbers that end with the newest one, oldest first. */
  readonly segments: readonly ChainSegment[]
  /**
   * Segment files that are no part of the log: of a crash in creation, of an owner that had been replaced, and
   * obsolete ones before a hole. Whether the first kind really is one is for `recover` to find out: see `suspects`.
   */
  readonly leftovers: readonly SegmentFile[]
  /** Leftovers without a valid header that are newer than the newest segment: a damaged one would be one of these. */
  readonly suspects: readonly SegmentFile[]
  /** The file with a damaged header right before the first segment of the chain, if that is why the chain starts there. */
  readonly damagedBefore: SegmentFile | undefined
}

/** The segment files in the directory with their headers, by number and epoch. None if there is no directory. */
export async function listSegmentFiles(location: WalLocation): Promise<{ files: SegmentFile[]; broken: string[] }> {
  let names: string[]
  try {
    names = await location.fileSystem.readdir(location.directory)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return { files: [], broken: [] }
    throw ioError('list', location.directory, cause)
  }
  const files: SegmentFile[] = []
  for (const file of names) {
    const name = parseSegmentFileName(file)
    if (name === undefined) continue
    const found = await readHeader(location, file, name)
    if (found !== undefined) files.push(found)
  }
  files.sort((a, b) => a.number - b.number || a.epoch - b.epoch)
  return { files, broken: names.filter(isBrokenFileName) }
}

async function readHeader(location: WalLocation, file: string, name: SegmentName): Promise<SegmentFile | undefined> {
  const salt = segmentSalt(location.storeId, name)
  const reader = await SegmentReader.open(location.fileSystem, location.directory, file, salt, segmentHeaderBytes)
  if (reader === undefined) return undefined
  try {
    const bytes = await reader.view(0, segmentHeaderBytes)
    return { file, ...name, size: reader.size, reading: decodeSegmentHeader(bytes, location.storeId, name) }
  } finally {
    await reader.close()
  }
}

/**
 * Finds the log among the files. Of several valid segments with one number the highest epoch counts (it replaced the
 * others), and a segment whose epoch is below that of a lower number was written by an owner that had been replaced.
 */
export function buildChain(directory: string, files: readonly SegmentFile[]): Chain {
  refuseForeign(directory, files)
  const chosen = new Map<number, ChainSegment>()
  let highest = 0
  for (const { file, size, epoch, number, reading } of files) {
    if (reading.kind !== 'valid' || epoch < highest) continue
    highest = epoch
    chosen.set(number, { file, size, header: reading.header, headerCrc: reading.crc })
  }
  const newest = Math.max(0, ...chosen.keys())
  const segments: ChainSegment[] = []
  for (let number = newest; ; number--) {
    const segment = chosen.get(number)
    if (segment === undefined || (segments[0] !== undefined && !precedes(segment, segments[0]))) break
    segments.unshift(segment)
  }
  const members = new Set(segments.map((segment) => segment.file))
  const leftovers = files.filter((entry) => !members.has(entry.file))
  const last = segments.at(-1)
  const first = segments[0]
  const invalid = leftovers.filter((entry) => entry.reading.kind === 'invalid')
  return {
    segments,
    leftovers,
    suspects: invalid.filter((entry) => last === undefined || isNewer(entry, last.header)),
    damagedBefore: invalid.find((entry) => entry.number + 1 === first?.header.number),
  }
}

function isNewer(entry: SegmentName, than: SegmentName): boolean {
  return entry.number > than.number || (entry.number === than.number && entry.epoch > than.epoch)
}

function precedes(segment: ChainSegment, next: ChainSegment): boolean {
  return segment.header.firstSequence <= next.header.firstSequence
}

function refuseForeign(directory: string, files: readonly SegmentFile[]): void {
  for (const { file, reading } of files) {
    if (reading.kind === 'unsupported') throw unsupportedSegment(join(directory, file), reading.version)
    if (reading.kind === 'foreign') {
      throw damaged(join(directory, file), `${reading.reason}, so it was copied or renamed to where it is`)
    }
  }
}

/**
 * Index of the segment that holds the record after `afterSequence`: everything before it is obsolete. Throws
 * HOLDFAST_CORRUPT when records between `afterSequence` and the first segment are missing.
 */
export function firstNeeded(directory: string, chain: Chain, afterSequence: number): number {
  const first = chain.segments[0]
  if (first === undefined) return 0
  if (first.header.firstSequence <= afterSequence + 1) {
    return chain.segments.findLastIndex((segment) => segment.header.firstSequence <= afterSequence + 1)
  }
  const lost = sequencesFrom(afterSequence + 1, first.header.firstSequence - 1)
  const detail = { firstSequence: afterSequence + 1, lastSequence: first.header.firstSequence - 1 }
  if (chain.damagedBefore !== undefined) {
    throw damaged(join(directory, chain.damagedBefore.file), `its header is damaged, ${lost} cannot be read`, detail)
  }
  const missing = first.header.number - 1
  throw new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the log has a gap: segment number ${missing} is missing from ${directory}, and with it ${lost}; ` +
      'put the file back or restore the store from a backup',
    { detail: { path: directory, number: missing, ...detail } },
  )
}
