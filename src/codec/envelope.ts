import { crc32, HoldfastError } from '../base/index.ts'

/** Bytes before the payload: the kind, and the CRC-32 (little-endian). */
export const envelopeHeaderBytes = 5

/** What a value is. Numbers are part of the format: never reuse one. 16 to 63 belong to the cache structures. */
export const kind = {
  /** In memory only: the entry was deleted and the backend has not heard of it yet. Never stored. */
  tombstone: 0,
  contentMessage: 1,
  contentBytes: 2,
  /** Payload: the 32-byte digest of the content. */
  link: 4,
  head: 5,
  pathBytes: 6,
  pathLink: 7,
  pathGroup: 8,
  location: 9,
  pin: 10,
  meta: 11,
  cacheFirst: 16,
  cacheLast: 63,
} as const

/** Set in a kind whose payload only says where in the log the value is. */
const pointerBit = 0x80

export interface Envelope {
  readonly kind: number
  /** A view of the envelope's bytes, not a copy. */
  readonly payload: Uint8Array
}

/**
 * Writes kind, CRC and payload at `position` and answers where they end. The CRC covers the key as well, so that a value
 * found under another key is noticed. `target` must have room; `payload` may hold more than `payloadLength` bytes.
 */
export function writeEnvelope(
  target: Buffer,
  position: number,
  key: string,
  kindByte: number,
  payload: Uint8Array,
  payloadLength = payload.length,
): number {
  const checksum = envelopeChecksum(key, kindByte, payload, payloadLength)
  target[position] = kindByte
  target[position + 1] = checksum & 0xff
  target[position + 2] = (checksum >>> 8) & 0xff
  target[position + 3] = (checksum >>> 16) & 0xff
  target[position + 4] = checksum >>> 24
  const start = position + envelopeHeaderBytes
  target.set(payloadLength === payload.length ? payload : payload.subarray(0, payloadLength), start)
  return start + payloadLength
}

/**
 * Takes an envelope apart and checks it. HOLDFAST_CORRUPT when it is too short or its CRC does not fit key, kind and
 * payload; HOLDFAST_FORMAT_UNSUPPORTED for a pointer. The payload of content is NOT covered: check it against its id.
 */
export function readEnvelope(key: string, bytes: Uint8Array): Envelope {
  if (bytes.length < envelopeHeaderBytes) {
    throw corrupt(key, `only ${bytes.length} bytes, the header alone has ${envelopeHeaderBytes}`)
  }
  const kindByte = bytes[0] as number
  const payload = bytes.subarray(envelopeHeaderBytes)
  const stored = storedChecksum(bytes)
  const computed = envelopeChecksum(key, kindByte, payload, payload.length)
  if (stored !== computed) {
    throw corrupt(
      key,
      `checksum ${hex(computed)} where ${hex(stored)} is stored (kind ${kindByte}, ${bytes.length} bytes)`,
    )
  }
  if ((kindByte & pointerBit) !== 0) throw pointerUnsupported(key, kindByte)
  return { kind: kindByte, payload }
}

/**
 * 32 bits that stand for an entry in an order-independent digest of all entries. For content only the key counts: the
 * key names its bytes. Not a check: the envelope is taken as it is.
 */
export function fingerprint(key: string, envelope: Uint8Array): number {
  return isContent(envelope[0] as number) ? keyChecksum(key) : storedChecksum(envelope)
}

/** A key for messages: printable ASCII as it is, every other byte as \xHH. */
export function printableKey(key: string): string {
  return key.replace(/[^\x20-\x5b\x5d-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function isContent(kindByte: number): boolean {
  return kindByte === kind.contentMessage || kindByte === kind.contentBytes
}

// Continuing over one byte is table[(crc ^ byte) & 0xff] ^ (crc >>> 8): a table spares a native call for each kind byte.
export const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

function envelopeChecksum(key: string, kindByte: number, payload: Uint8Array, payloadLength: number): number {
  const inverted = ~keyChecksum(key)
  const prefix = ~((crcTable[(inverted ^ kindByte) & 0xff] as number) ^ (inverted >>> 8)) >>> 0
  if (isContent(kindByte)) return prefix
  return crc32(payloadLength === payload.length ? payload : payload.subarray(0, payloadLength), prefix)
}

// Up to this a loop over the table beats laying the key out for a native call.
const keyLoopMax = 128

// crc32 of a string takes its UTF-8 bytes, but a character of a key stands for ONE byte.
function keyChecksum(key: string): number {
  if (key.length > keyLoopMax) return crc32(Buffer.from(key, 'latin1'))
  let crc = -1
  for (let i = 0; i < key.length; i++) crc = (crcTable[(crc ^ key.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8)
  return ~crc >>> 0
}

function storedChecksum(bytes: Uint8Array): number {
  return (
    ((bytes[1] as number) |
      ((bytes[2] as number) << 8) |
      ((bytes[3] as number) << 16) |
      ((bytes[4] as number) << 24)) >>>
    0
  )
}

function corrupt(key: string, reason: string): HoldfastError {
  const name = printableKey(key)
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the value of key ${name} is damaged: ${reason}; restore it from a backup`,
    {
      detail: { key: name },
    },
  )
}

function pointerUnsupported(key: string, kindByte: number): HoldfastError {
  const name = printableKey(key)
  return new HoldfastError(
    'HOLDFAST_FORMAT_UNSUPPORTED',
    `the value of key ${name} is kept in the log (kind ${kindByte}), which this version cannot read; use a newer one`,
    { detail: { key: name, kind: kindByte } },
  )
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0')
}
