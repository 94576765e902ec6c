/**
 * A record that stays open over several writes, for writes that are acknowledged at once: what a log record and its
 * bookkeeping cost is shared by all of them. Its bytes lie outside the log's own buffer, which the log may take away
 * from under a record at any turn of the event loop.
 */
import { type Level, level, type Log } from '../wal/index.ts'
import { RecordBuilder } from './record-builder.ts'

const slabBytes = 1024 * 1024
/** It is closed when it has grown to this. */
const fullBytes = 64 * 1024

export class StagedRecord extends RecordBuilder {
  readonly #wal: Log

  constructor(wal: Log) {
    super()
    this.#wal = wal
  }

  get isFull(): boolean {
    return this.length >= fullBytes
  }

  /** Appends it to the log. Answers its sequence. */
  commit(wanted: Level = level.buffered): number {
    const { buffer, start, length } = this
    const space = this.#wal.space(length)
    buffer.copy(space.buffer, space.start, start, start + length)
    const sequence = this.#wal.append(length, wanted)
    this.start += length
    this.length = 0
    return sequence
  }

  protected override reserve(byteLength: number): number {
    const needed = this.length + byteLength
    if (this.start + needed <= this.buffer.length) return this.start + this.length
    this.refuseTooLarge(needed)
    const slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, needed))
    this.buffer.copy(slab, 0, this.start, this.start + this.length)
    this.buffer = slab
    this.start = 0
    return this.length
  }
}
