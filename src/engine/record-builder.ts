/** Lays out the mutations of one record, wherever its bytes are. */
import { HoldfastError, limits } from '../base/index.ts'
import {
  envelopeHeaderBytes,
  type KeyPrefix,
  textFrameBytes,
  writeEnvelope,
  writeKeyAndEnvelope,
} from '../codec/index.ts'
import { mutationHeaderBytes, op, writeMutationHeader } from './record-format.ts'

/** Longest string whose key is written in one loop. */
const textLoopMax = 96

export abstract class RecordBuilder {
  /** Where the record is being built. Earlier buffers of the same record keep their bytes: references stay valid. */
  buffer: Buffer = Buffer.alloc(0)
  protected start = 0
  /** Bytes of the record so far; 0 when nothing was written. Also a mark to truncate back to. */
  length = 0

  /** Makes room for so many more bytes; answers the absolute position of the first. */
  protected abstract reserve(byteLength: number): number

  /** Takes back everything after `mark`. */
  truncate(mark: number): void {
    this.length = mark
  }

  /** Adds a put; answers the absolute offset of its envelope in {@link buffer}. */
  put(key: string, kind: number, payload: Uint8Array, payloadLength: number): number {
    refuseLongKey(key.length)
    const valueLength = envelopeHeaderBytes + payloadLength
    const position = this.reserve(mutationHeaderBytes + key.length + valueLength)
    const valueStart = writeMutationHeader(this.buffer, position, op.put, key, valueLength)
    this.length = writeEnvelope(this.buffer, valueStart, key, kind, payload, payloadLength) - this.start
    return valueStart
  }

  /**
   * As `put`, of payload[from, to), without making the whole key: `rest` stands behind `prefix`, encoded or, with `isText`,
   * as the string that is the key. Answers -1, having added nothing, for such a string that is long or not plain ASCII.
   */
  putKeyed(
    prefix: KeyPrefix,
    rest: string,
    isText: boolean,
    kind: number,
    payload: Uint8Array,
    from: number,
    to: number,
  ): number {
    if (isText && rest.length > textLoopMax) return -1
    const keyLength = prefix.bytes.length + rest.length + (isText ? textFrameBytes : 0)
    refuseLongKey(keyLength)
    const valueLength = envelopeHeaderBytes + to - from
    const position = this.reserve(mutationHeaderBytes + keyLength + valueLength)
    const { buffer } = this
    const keyStart = writeKeyedHeader(buffer, position, keyLength, valueLength)
    const valueStart = writeKeyAndEnvelope(buffer, keyStart, prefix, rest, isText, kind, payload, from, to)
    if (valueStart >= 0) this.length = valueStart + valueLength - this.start
    return valueStart
  }

  /** Adds a delete with its note, of at most `noteBytesMax` bytes. */
  delete(key: string, note: Uint8Array): void {
    refuseLongKey(key.length)
    const position = this.reserve(mutationHeaderBytes + key.length + note.length)
    const noteStart = writeMutationHeader(this.buffer, position, op.delete, key, note.length)
    this.buffer.set(note, noteStart)
    this.length = noteStart + note.length - this.start
  }

  protected refuseTooLarge(bytes: number): void {
    if (bytes <= limits.recordBytesMax) return
    throw new HoldfastError(
      'HOLDFAST_VALUE_TOO_LARGE',
      `a record of ${bytes} bytes is over the limit of ${limits.recordBytesMax}; split it into several writes`,
      { detail: { bytes, limit: limits.recordBytesMax } },
    )
  }
}

function refuseLongKey(bytes: number): void {
  if (bytes <= limits.keyBytesMax) return
  throw new HoldfastError(
    'HOLDFAST_VALUE_TOO_LARGE',
    `a key of ${bytes} bytes is over the limit of ${limits.keyBytesMax}; use a shorter one, such as a hash of it`,
    { detail: { bytes, limit: limits.keyBytesMax } },
  )
}

function writeKeyedHeader(target: Buffer, position: number, keyLength: number, valueLength: number): number {
  target[position] = op.put
  target[position + 1] = keyLength & 0xff
  target[position + 2] = keyLength >>> 8
  target[position + 3] = valueLength & 0xff
  target[position + 4] = (valueLength >>> 8) & 0xff
  target[position + 5] = (valueLength >>> 16) & 0xff
  target[position + 6] = valueLength >>> 24
  return position + mutationHeaderBytes
}
