import { crc32, limits } from '../base/index.ts'
import { readU64, writeU64 } from './u64.ts'

export const frameHeaderBytes = 48
export const frameAlignment = 8
/** Every record is preceded by its length. */
export const recordPrefixBytes = 4
/** Largest payload of one frame: one record of the largest size with its length. */
export const framePayloadBytesMax = limits.recordBytesMax + recordPrefixBytes

/** `HFRM` in the file. */
export const frameMagic = 0x4d_52_46_48
export const frameMagicBytes = Buffer.from('HFRM', 'latin1')
export const frameMagicOffset = 4

const at = {
  crc: 0,
  magic: frameMagicOffset,
  payloadBytes: 8,
  type: 12,
  firstSequence: 16,
  recordCount: 24,
  previousCrc: 28,
  position: 32,
  durableEnd: 40,
} as const

/**
 * `records`: one group of records. `trailer`: no records, only a fresh `durableEnd`; more frames may follow.
 * `end`: a trailer after which this segment is never written again.
 */
export const frameType = { records: 1, trailer: 2, end: 3 } as const

export interface FrameHeader {
  readonly payloadBytes: number
  readonly type: number
  /** Sequence of the first record; of the next record to come when there are none. */
  readonly firstSequence: number
  readonly recordCount: number
  /** Checksum of the frame before, or of the segment header. */
  readonly previousCrc: number
  /** Offset of this frame in its segment. */
  readonly position: number
  /** Bytes of this segment known to be durable when the frame was built; 0 when not even the header was. */
  readonly durableEnd: number
}

export function alignFrame(offset: number): number {
  return Math.ceil(offset / frameAlignment) * frameAlignment
}

/** Bytes of a whole frame: header, payload, padding. */
export function frameBytes(payloadBytes: number): number {
  return alignFrame(frameHeaderBytes + payloadBytes)
}

/** Zeroes the padding of a frame: it is outside the checksum and must not leak memory to disk. */
export function zeroPadding(buffer: Buffer, start: number, payloadBytes: number): void {
  buffer.fill(0, start + frameHeaderBytes + payloadBytes, start + frameBytes(payloadBytes))
}

/**
 * Writes the header of a frame whose payload has the checksum `payloadCrc`. Returns the checksum of the frame: that of
 * the payload, salted, continued over the header. The payload comes first so that it can be summed up record by record,
 * before it is known where the frame will be.
 */
export function sealFrame(
  buffer: Buffer,
  start: number,
  header: FrameHeader,
  salt: number,
  payloadCrc: number,
): number {
  buffer.writeUInt32LE(frameMagic, start + at.magic)
  buffer.writeUInt32LE(header.payloadBytes, start + at.payloadBytes)
  buffer.writeUInt32LE(header.type, start + at.type)
  writeU64(buffer, header.firstSequence, start + at.firstSequence)
  buffer.writeUInt32LE(header.recordCount, start + at.recordCount)
  buffer.writeUInt32LE(header.previousCrc, start + at.previousCrc)
  writeU64(buffer, header.position, start + at.position)
  writeU64(buffer, header.durableEnd, start + at.durableEnd)
  const crc = headerCrc(buffer, start, salt, payloadCrc)
  buffer.writeUInt32LE(crc, start + at.crc)
  return crc
}

function headerCrc(buffer: Buffer, start: number, salt: number, payloadCrc: number): number {
  return crc32(buffer.subarray(start + at.magic, start + frameHeaderBytes), (payloadCrc ^ salt) >>> 0)
}

export function frameCrc(buffer: Buffer, start: number): number {
  return buffer.readUInt32LE(start + at.crc)
}

export function decodeFrameHeader(buffer: Buffer, start: number): FrameHeader {
  return {
    payloadBytes: buffer.readUInt32LE(start + at.payloadBytes),
    type: buffer.readUInt32LE(start + at.type),
    firstSequence: readU64(buffer, start + at.firstSequence),
    recordCount: buffer.readUInt32LE(start + at.recordCount),
    previousCrc: buffer.readUInt32LE(start + at.previousCrc),
    position: readU64(buffer, start + at.position),
    durableEnd: readU64(buffer, start + at.durableEnd),
  }
}

export function hasFrameMagic(buffer: Buffer, start: number): boolean {
  return buffer.readUInt32LE(start + at.magic) === frameMagic
}

/**
 * Why a decoded header cannot be that of a frame at `position` in a file of `fileBytes`; undefined when it can.
 * Runs before the payload is read: it bounds what a damaged length makes us read, and it is what keeps data that
 * looks like a frame from being checksummed over and over.
 */
export function implausible(header: FrameHeader, position: number, fileBytes: number): string | undefined {
  if (header.position !== position) return 'the frame says it belongs to another offset'
  if (header.payloadBytes > framePayloadBytesMax) return 'the payload length is beyond the limit'
  if (position + frameHeaderBytes + header.payloadBytes > fileBytes) return 'the frame reaches beyond the file'
  if (header.durableEnd > position) return 'the frame promises bytes that come after it'
  if (header.type < frameType.records || header.type > frameType.end) return 'unknown frame type'
  if (!Number.isSafeInteger(header.firstSequence)) return 'the sequence is beyond the limit'
  return undefined
}

/** Whether the checksum of the frame at `start` matches its bytes. */
export function frameIsIntact(buffer: Buffer, start: number, payloadBytes: number, salt: number): boolean {
  const payload = buffer.subarray(start + frameHeaderBytes, start + frameHeaderBytes + payloadBytes)
  return headerCrc(buffer, start, salt, crc32(payload)) === frameCrc(buffer, start)
}

/**
 * Calls `each` with every record of an intact frame, as a view of `payload`. Returns false, before calling `each`,
 * when the lengths inside do not add up, which no writer of this format produces.
 */
export function eachRecord(
  payload: Buffer,
  header: FrameHeader,
  each: (sequence: number, bytes: Buffer) => void,
): boolean {
  let count = 0
  let offset = 0
  while (offset + recordPrefixBytes <= payload.length) {
    offset += recordPrefixBytes + payload.readUInt32LE(offset)
    count++
  }
  if (offset !== payload.length || count !== header.recordCount) return false
  if ((header.type === frameType.records) !== count > 0) return false
  offset = 0
  for (let index = 0; index < count; index++) {
    const start = offset + recordPrefixBytes
    offset = start + payload.readUInt32LE(offset)
    each(header.firstSequence + index, payload.subarray(start, offset))
  }
  return true
}
