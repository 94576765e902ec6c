/**
 * Key and envelope in one pass, for short keys: writing a key's bytes, summing them up and writing the envelope takes one
 * loop, without a string of the encoded key. The bytes are those of `encodeKey` and `writeEnvelope`.
 */
import { crc32 } from '../base/index.ts'
import { crcTable, envelopeHeaderBytes } from './envelope.ts'

/** What `encodeKey` puts around a string. */
const textTag = 0x40
const textEnd = 0
/** Up to this a loop over the payload beats a native call. */
const payloadLoopMax = 96

/** Bytes of a string's key beside its characters. */
export const textFrameBytes = 2

/** What all keys of a domain begin with, and the state of their checksum behind it. */
export class KeyPrefix {
  readonly bytes: Buffer
  /** Inverted, as the loop carries it. */
  readonly crc: number

  constructor(text: string) {
    this.bytes = Buffer.from(text, 'latin1')
    this.crc = ~crc32(this.bytes)
  }
}

/**
 * Writes the key of `prefix` and `rest`, and behind it the envelope of payload[from, to). Answers where the key ends; the
 * envelope follows with `envelopeHeaderBytes + to - from` bytes. `rest` is what `encodeKey` made or, with `isText`, the
 * string that is the key: if that is not plain ASCII the answer is -1, with anything written there, and `encodeKey` has to
 * do it.
 */
export function writeKeyAndEnvelope(
  target: Buffer,
  position: number,
  prefix: KeyPrefix,
  rest: string,
  isText: boolean,
  kind: number,
  payload: Uint8Array,
  from: number,
  to: number,
): number {
  let at = writePrefix(target, position, prefix)
  let { crc } = prefix
  if (isText) {
    target[at++] = textTag
    crc = next(crc, textTag)
  }
  for (let i = 0; i < rest.length; i++) {
    const byte = rest.charCodeAt(i)
    // What would have to be escaped, or takes more than one byte.
    if (isText && (byte < 2 || byte > 0x7f)) return -1
    target[at++] = byte
    crc = next(crc, byte)
  }
  if (isText) {
    target[at++] = textEnd
    crc = next(crc, textEnd)
  }
  writeEnvelopeAfter(target, at, crc, kind, payload, from, to)
  return at
}

/** The checksum over one more byte. */
function next(crc: number, byte: number): number {
  return (crcTable[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
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
  let crc = next(keyCrc, kind)
  const start = position + envelopeHeaderBytes
  if (to - from <= payloadLoopMax) {
    for (let i = from; i < to; i++) {
      const byte = payload[i] as number
      target[start + i - from] = byte
      crc = next(crc, byte)
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
