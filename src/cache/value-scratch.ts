import { ValueEncoder } from '../codec/index.ts'
import { headerBytesMax, headerLength, writeHeader } from './payload.ts'

/** Where payloads are built: one at a time, valid until the next. */
export class ValueScratch {
  readonly #encoder = new ValueEncoder()
  #end = 0

  /** Encodes the value, leaving room for the header. TypeError for what cannot be stored. */
  encode(value: unknown): this {
    this.#end = this.#encoder.encode(value, headerBytesMax)
    return this
  }

  /** Only what was encoded, for payloads without a header. */
  bare(): Buffer {
    return this.#encoder.buffer.subarray(headerBytesMax, this.#end)
  }

  /** The payload with its header. */
  payload(isNew: boolean, countChange: number, deadline: number): Buffer {
    const { buffer } = this.#encoder
    const length = headerLength(isNew, countChange, deadline)
    const start = headerBytesMax - length
    writeHeader(buffer, start, isNew, countChange, deadline)
    return buffer.subarray(start, this.#end)
  }
}
