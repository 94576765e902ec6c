import { crc32, ioError } from '../base/index.ts'
import { type FileHandle, writeFully, writeFullySync } from '../fs/index.ts'
import { frameBytes, frameHeaderBytes, frameType, sealFrame, zeroPadding } from './frame.ts'
import type { Group } from './group.ts'
import type { SegmentInfo } from './options.ts'
import { encodeSegmentHeader, type SegmentHeader, segmentHeaderBytes, segmentSalt } from './segment-header.ts'

/**
 * Writes one segment, front to back. Its callers take care that never more than one call is in flight. Every failure
 * is final: what the file holds is unknown then, and nobody may try again.
 */
export class SegmentWriter {
  readonly file: string
  readonly header: SegmentHeader
  readonly headerCrc: number
  /** Bytes from the start of the file that were written with zeros before. */
  readonly preallocated: number
  /** End of what has been written; the next frame goes here. */
  end = segmentHeaderBytes
  /** What frames may promise: bytes up to here were written before a sync that has succeeded. 0: not even the header. */
  durableEnd = 0
  /** Checksum of the frame that ends at `end`, or of the header. */
  lastCrc: number
  lastType = 0
  frames = 0
  nextSequence: number
  readonly #handle: FileHandle
  readonly #salt: number
  readonly #headerBytes: Buffer
  #headerWritten = false

  constructor(handle: FileHandle, file: string, header: SegmentHeader, storeId: Uint8Array, preallocated: number) {
    const { bytes, crc } = encodeSegmentHeader(header, storeId)
    this.file = file
    this.header = header
    this.headerCrc = crc
    this.preallocated = preallocated
    this.lastCrc = crc
    this.nextSequence = header.firstSequence
    this.#handle = handle
    this.#salt = segmentSalt(storeId, header)
    this.#headerBytes = bytes
  }

  get path(): string {
    return this.#handle.path
  }

  /** Whether a sync is due for anything that has been written. */
  get unsynced(): boolean {
    return this.durableEnd < this.end
  }

  info(active: boolean): SegmentInfo {
    const { number, epoch, firstSequence } = this.header
    const lastSequence = this.nextSequence > firstSequence ? this.nextSequence - 1 : undefined
    return { file: this.file, number, epoch, firstSequence, lastSequence, bytes: this.end, active }
  }

  /** Makes the group a frame in its own buffer and writes it, behind the header if that is still to be written. */
  writeSync(group: Group): void {
    zeroPadding(group.buffer, group.start, group.payloadBytes)
    const position = this.#seal(group.buffer, group.start, group.payloadBytes, group.payloadCrc, group.recordCount)
    this.#writeSync(group.buffer.subarray(group.start, group.start + group.frameBytes), position)
  }

  /** As `writeSync`, on another thread, while this one sums up the payload. */
  async write(group: Group): Promise<void> {
    zeroPadding(group.buffer, group.start, group.payloadBytes)
    const frame = group.buffer.subarray(group.start, group.start + group.frameBytes)
    const writing = this.#write(frame.subarray(frameHeaderBytes), this.end + frameHeaderBytes)
    const position = this.#seal(group.buffer, group.start, group.payloadBytes, group.payloadCrc, group.recordCount)
    await writing
    this.#writeSync(frame.subarray(0, frameHeaderBytes), position)
  }

  /** Writes a frame without records that promises everything synced so far; `last` when nothing will follow it. */
  writeTrailer(last: boolean): void {
    const frame = Buffer.allocUnsafe(frameHeaderBytes)
    const position = this.#seal(frame, 0, 0, 0, 0, last ? frameType.end : frameType.trailer)
    this.#writeSync(frame, position)
  }

  /**
   * Writes a frame with the records of `payload`, which was recovered from an older segment. Only while this file has
   * no header, so that no recovery takes it for a segment yet.
   */
  async writeCopy(payload: Buffer, recordCount: number): Promise<void> {
    const frame = Buffer.allocUnsafe(frameBytes(payload.length))
    payload.copy(frame, frameHeaderBytes)
    zeroPadding(frame, 0, payload.length)
    const position = this.#seal(frame, 0, payload.length, crc32(payload), recordCount)
    await this.#write(frame, position)
  }

  /** Makes the file a segment, once it is durable. */
  writeHeader(): void {
    this.#headerWritten = true
    this.#writeSync(this.#headerBytes, 0)
  }

  datasyncSync(): void {
    const end = this.end
    try {
      this.#handle.datasyncSync()
    } catch (cause) {
      throw ioError('sync', this.path, cause)
    }
    this.durableEnd = end
  }

  async datasync(): Promise<void> {
    const end = this.end
    try {
      await this.#handle.datasync()
    } catch (cause) {
      throw ioError('sync', this.path, cause)
    }
    this.durableEnd = end
  }

  /** Gives back the zeros behind the last frame. For a segment that is never written again. */
  async trimZeros(): Promise<void> {
    if (this.preallocated <= this.end) return
    try {
      await this.#handle.truncate(this.end)
    } catch (cause) {
      throw ioError('shorten', this.path, cause)
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close()
    } catch (cause) {
      throw ioError('close', this.path, cause)
    }
  }

  #writeSync(bytes: Buffer, position: number): void {
    try {
      if (!this.#headerWritten) this.writeHeader()
      writeFullySync(this.#handle, bytes, position)
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    try {
      await writeFully(this.#handle, bytes, position)
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
  }

  /** Writes the frame's header into the buffer and takes the frame as written. Returns the place it belongs to. */
  #seal(
    buffer: Buffer,
    start: number,
    payloadBytes: number,
    payloadCrc: number,
    recordCount: number,
    type: number = frameType.records,
  ): number {
    const { end: position, durableEnd, lastCrc: previousCrc, nextSequence: firstSequence } = this
    const header = { payloadBytes, type, firstSequence, recordCount, previousCrc, position, durableEnd }
    this.lastCrc = sealFrame(buffer, start, header, this.#salt, payloadCrc)
    this.lastType = type
    this.nextSequence += recordCount
    this.end = position + frameBytes(payloadBytes)
    this.frames++
    return position
  }
}
