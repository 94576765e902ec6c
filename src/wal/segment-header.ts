import { crc32 } from '../base/index.ts'
import type { SegmentName } from './segment-name.ts'
import { readU64, writeU64 } from './u64.ts'

export const segmentHeaderBytes = 64
export const segmentFormatVersion = 1
const magic = Buffer.from('HFSEGM01', 'latin1')

const at = {
  version: 8,
  reserved: 12,
  number: 16,
  epoch: 24,
  firstSequence: 32,
  predecessorEnd: 40,
  predecessorCrc: 48,
  store: 52,
  reserved2: 56,
  crc: 60,
} as const

export interface SegmentHeader extends SegmentName {
  /** Sequence of the first record of this segment; the predecessor's last one is this minus one. */
  readonly firstSequence: number
  /** Where the predecessor's valid bytes end: what it holds beyond is dropped. 0 when there is no predecessor. */
  readonly predecessorEnd: number
  /** Checksum of the predecessor's frame that ends at `predecessorEnd`, or of its header when it has no frame. */
  readonly predecessorCrc: number
}

export type HeaderReading =
  | { readonly kind: 'valid'; readonly header: SegmentHeader; readonly crc: number }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'unsupported'; readonly version: number }
  | { readonly kind: 'foreign'; readonly reason: string }

export function encodeSegmentHeader(header: SegmentHeader, storeId: Uint8Array): { bytes: Buffer; crc: number } {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  magic.copy(bytes)
  bytes.writeUInt32LE(segmentFormatVersion, at.version)
  writeU64(bytes, header.number, at.number)
  writeU64(bytes, header.epoch, at.epoch)
  writeU64(bytes, header.firstSequence, at.firstSequence)
  writeU64(bytes, header.predecessorEnd, at.predecessorEnd)
  bytes.writeUInt32LE(header.predecessorCrc, at.predecessorCrc)
  bytes.writeUInt32LE(crc32(storeId), at.store)
  const crc = crc32(bytes.subarray(0, at.crc))
  bytes.writeUInt32LE(crc, at.crc)
  return { bytes, crc }
}

/**
 * `foreign`: an intact header that belongs to another store or another file name: never a leftover of a crash, so
 * never to be ignored. `unsupported`: an intact header of another format version.
 */
export function decodeSegmentHeader(bytes: Buffer, storeId: Uint8Array, name: SegmentName): HeaderReading {
  if (bytes.length < segmentHeaderBytes) return { kind: 'invalid', reason: 'the file is shorter than a header' }
  if (bytes.compare(magic, 0, magic.length, 0, magic.length) !== 0)
    return { kind: 'invalid', reason: 'no segment magic' }
  const crc = bytes.readUInt32LE(at.crc)
  if (crc32(bytes.subarray(0, at.crc)) !== crc) return { kind: 'invalid', reason: 'the header checksum does not match' }
  const version = bytes.readUInt32LE(at.version)
  if (version !== segmentFormatVersion) return { kind: 'unsupported', version }
  if (bytes.readUInt32LE(at.store) !== crc32(storeId)) return { kind: 'foreign', reason: 'it belongs to another store' }
  const header: SegmentHeader = {
    number: readU64(bytes, at.number),
    epoch: readU64(bytes, at.epoch),
    firstSequence: readU64(bytes, at.firstSequence),
    predecessorEnd: readU64(bytes, at.predecessorEnd),
    predecessorCrc: bytes.readUInt32LE(at.predecessorCrc),
  }
  if (header.number !== name.number || header.epoch !== name.epoch) {
    return { kind: 'foreign', reason: `its header says number ${header.number}, epoch ${header.epoch}` }
  }
  return { kind: 'valid', header, crc }
}

/** Seeds every frame checksum of a segment, so that bytes of another store, segment or epoch never validate. */
export function segmentSalt(storeId: Uint8Array, name: SegmentName): number {
  const bytes = Buffer.alloc(storeId.length + 16)
  bytes.set(storeId)
  writeU64(bytes, name.number, storeId.length)
  writeU64(bytes, name.epoch, storeId.length + 8)
  return crc32(bytes)
}
