/** Builds one record at a time, straight into the log's filling buffer: a value is encoded once and never copied again. */
import { HoldfastError, limits } from '../base/index.ts'
import { envelopeHeaderBytes, writeEnvelope } from '../codec/index.ts'
import type { Level, Log } from '../wal/index.ts'
import { mutationHeaderBytes, op, writeMutationHeader } from './record-format.ts'

/** Up to here a record asks for no more room than it needs. */
const exactRoomBytes = 256 * 1024

export class RecordWriter {
  readonly #wal: Log
  #buffer: Buffer | undefined
  #start = 0
  #length = 0
  /** What a large record asked for last. */
  #room = 0

  constructor(wal: Log) {
    this.#wal = wal
  }

  /** Bytes of the record so far; 0 when nothing was written. Also a mark to truncate back to. */
  get length(): number {
    return this.#length
  }

  /** Takes back everything after `mark`. */
  truncate(mark: number): void {
    this.#length = mark
  }

  /** Adds a put; answers the absolute offset of its envelope in {@link buffer}. */
  put(key: string, kind: number, payload: Uint8Array, payloadLength: number): number {
    const valueLength = envelopeHeaderBytes + payloadLength
    const position = this.#reserve(mutationHeaderBytes + key.length + valueLength)
    const buffer = this.buffer
    const valueStart = writeMutationHeader(buffer, position, op.put, key, valueLength)
    const end = writeEnvelope(buffer, valueStart, key, kind, payload, payloadLength)
    this.#length = end - this.#start
    return valueStart
  }

  /** Adds a delete with its note, of at most `noteBytesMax` bytes. */
  delete(key: string, note: Uint8Array): void {
    const position = this.#reserve(mutationHeaderBytes + key.length + note.length)
    const noteStart = writeMutationHeader(this.buffer, position, op.delete, key, note.length)
    this.buffer.set(note, noteStart)
    this.#length = noteStart + note.length - this.#start
  }

  /** Where the record is being built. Earlier buffers of the same record keep their bytes: references stay valid. */
  get buffer(): Buffer {
    return this.#buffer as Buffer
  }

  commit(level: number): number {
    const sequence = this.#wal.append(this.#length, level as Level)
    this.#length = 0
    this.#room = 0
    return sequence
  }

  /** A large record asks for four times what it needs whenever it outgrows its room: growing it put by put would copy it at each. */
  #roomFor(needed: number): number {
    if (needed <= exactRoomBytes) return needed
    if (needed > this.#room) this.#room = Math.min(needed * 4, limits.recordBytesMax)
    return this.#room
  }

  #reserve(byteLength: number): number {
    const needed = this.#length + byteLength
    if (needed > limits.recordBytesMax) throw tooLarge(needed)
    const space = this.#wal.space(this.#roomFor(needed))
    if (this.#length > 0 && (space.buffer !== this.#buffer || space.start !== this.#start)) {
      const written = this.buffer.subarray(this.#start, this.#start + this.#length)
      space.buffer.set(written, space.start)
    }
    this.#buffer = space.buffer
    this.#start = space.start
    return this.#start + this.#length
  }
}

function tooLarge(bytes: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_VALUE_TOO_LARGE',
    `a record of ${bytes} bytes is over the limit of ${limits.recordBytesMax}; split it into several writes`,
    { detail: { bytes, limit: limits.recordBytesMax } },
  )
}
