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

  /** Writes the header in front; answers where it begins in {@link buffer}. The payload goes on to {@link end}. */
  head(isNew: boolean, countChange: number, deadline: number): number {
    const start = headerBytesMax - headerLength(isNew, countChange, deadline)
    writeHeader(this.#encoder.buffer, start, isNew, countChange, deadline)
    return start
  }

  get buffer(): Buffer {
    return this.#encoder.buffer
  }

  get end(): number {
    return this.#end
  }
}
