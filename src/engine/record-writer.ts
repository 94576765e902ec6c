/** Builds one record at a time, straight into the log's filling buffer: a value is encoded once and never copied again. */
import { limits } from '../base/index.ts'
import type { Level, Log } from '../wal/index.ts'
import { RecordBuilder } from './record-builder.ts'

/** Up to here a record asks for no more room than it needs. */
const exactRoomBytes = 256 * 1024

export class RecordWriter extends RecordBuilder {
  readonly #wal: Log
  /** What a large record asked for last. */
  #room = 0

  constructor(wal: Log) {
    super()
    this.#wal = wal
  }

  commit(level: number): number {
    const sequence = this.#wal.append(this.length, level as Level)
    this.length = 0
    this.#room = 0
    return sequence
  }

  protected override reserve(byteLength: number): number {
    const needed = this.length + byteLength
    this.refuseTooLarge(needed)
    const space = this.#wal.space(this.#roomFor(needed))
    if (this.length > 0 && (space.buffer !== this.buffer || space.start !== this.start)) {
      const written = this.buffer.subarray(this.start, this.start + this.length)
      space.buffer.set(written, space.start)
    }
    this.buffer = space.buffer
    this.start = space.start
    return this.start + this.length
  }

  /** A large record asks for four times what it needs whenever it outgrows its room: growing it put by put would copy it at each. */
  #roomFor(needed: number): number {
    if (needed <= exactRoomBytes) return needed
    if (needed > this.#room) this.#room = Math.min(needed * 4, limits.recordBytesMax)
    return this.#room
  }
}
