import { hash } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'

/** SHA-256 as 32 raw bytes. */
export const digestBytes = 32

/** Length of a content id: 32 bytes in unpadded base64url. */
export const idLength = 43

// 43 characters carry 258 bits: the last character must leave the two spare bits zero, or two ids would name one digest.
const idPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** SHA-256 of `bytes` as a content id. A digest asked for as a string is several times cheaper than one as a buffer. */
export function contentIdOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url')
}

export function isContentId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

/** The 32 raw bytes of a content id. HOLDFAST_INVALID_ID unless `id` is 43 canonical base64url characters. */
export function idToDigest(id: string): Buffer {
  if (!isContentId(id)) {
    throw new HoldfastError(
      'HOLDFAST_INVALID_ID',
      `not a content id: ${JSON.stringify(id)}; expected ${idLength} base64url characters (SHA-256)`,
    )
  }
  return Buffer.from(id, 'base64url')
}

/** The content id of the 32 raw digest bytes at `offset`. */
export function digestToId(bytes: Uint8Array, offset = 0): string {
  if (bytes.byteLength - offset < digestBytes) throw new RangeError(`a digest has ${digestBytes} bytes`)
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, digestBytes).toString('base64url')
}
