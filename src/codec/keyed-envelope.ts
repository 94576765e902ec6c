/**
 * Key and envelope in one pass, for short keys: writing a key's bytes, summing them up and writing the envelope takes one
 * loop, without a string of the encoded key. The bytes are those of `encodeKey` and `writeEnvelope`.
 */
import { crc32 } from '../base/index.ts'
import { crcTable, envelopeHeaderBytes } from './envelope.ts'

/** Up to this a loop over the payload beats a native call. */
const payloadLoopMax = 96

/** What all keys of a domain begin with, and the state of their checksum behind it. */
export class KeyPrefix {
  readonly bytes: Buffer
  /** Inverted, as the loop carries it. */
  readonly crc: number

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'latin1')
    this.crc = ~crc32(this.bytes)
  }

  /** Bytes of a string's key; at least the bytes of an encoded key. */
  lengthWith(text: string): number {
    return this.bytes.length + text.length + 2
  }
}

/**
 * Writes the key of prefix and string `text`, and behind it the envelope of payload[from, to). Answers where the key
 * ends; the envelope follows with `envelopeHeaderBytes + to - from` bytes. Answers -1, and may have written anything
 * there, for a text that is not plain ASCII: `encodeKey` has to do that.
 */
export function writeTextKeyAndEnvelope(
  target: Buffer,
  position: number,
  prefix: KeyPrefix,
  text: string,
  kind: number,
  payload: Uint8Array,
  from: number,
  to: number,
): number {
  let at = writePrefix(target, position, prefix)
  let crc = prefix.crc
  target[at++] = 0x40
  crc = (crcTable[(crc ^ 0x40) & 0xff] as number) ^ (crc >>> 8)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 2 || code > 0x7f) return -1
    target[at++] = code
    crc = (crcTable[(crc ^ code) & 0xff] as number) ^ (crc >>> 8)
  }
  target[at++] = 0
  crc = (crcTable[crc & 0xff] as number) ^ (crc >>> 8)
  writeEnvelopeAfter(target, at, crc, kind, payload, from, to)
  return at
}

/** The same for the rest of a key that is encoded already, a byte string. */
export function writeEncodedKeyAndEnvelope(
  target: Buffer,
  position: number,
  prefix: KeyPrefix,
  encoded: string,
  kind: number,
  payload: Uint8Array,
  from: number,
  to: number,
): number {
  let at = writePrefix(target, position, prefix)
  let crc = prefix.crc
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded.charCodeAt(i)
    target[at++] = code
    crc = (crcTable[(crc ^ code) & 0xff] as number) ^ (crc >>> 8)
  }
  writeEnvelopeAfter(target, at, crc, kind, payload, from, to)
  return at
}

function writePrefix(target: Buffer, position: number, prefix: KeyPrefix): number {
  const { bytes } = prefix
  for (let i = 0; i < bytes.length; i++) target[position + i] = bytes[i] as number
  return position + bytes.length
}

function writeEnvelopeAfter(
  target: Buffer,
  position: number,
  keyCrc: number,
  kind: number,
  payload: Uint8Array,
  from: number,
  to: number,
): void {
  let crc = (crcTable[(keyCrc ^ kind) & 0xff] as number) ^ (keyCrc >>> 8)
  const start = position + envelopeHeaderBytes
  if (to - from <= payloadLoopMax) {
    for (let i = from; i < to; i++) {
      const byte = payload[i] as number
      target[start + i - from] = byte
      crc = (crcTable[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
    }
    crc = ~crc
  } else {
    const bytes = payload.subarray(from, to)
    target.set(bytes, start)
    crc = crc32(bytes, ~crc >>> 0)
  }
  target[position] = kind
  target[position + 1] = crc & 0xff
  target[position + 2] = (crc >>> 8) & 0xff
  target[position + 3] = (crc >>> 16) & 0xff
  target[position + 4] = crc >>> 24
}
