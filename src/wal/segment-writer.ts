import { ioError } from '../base/index.ts'
import { type FileHandle, writeFully, writeFullySync } from '../fs/index.ts'
import { frameBytes, frameHeaderBytes, frameType, sealFrame } from './frame.ts'
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
    return this.durableEnd < this.end && (this.#headerWritten || this.frames > 0)
  }

  info(active: boolean): SegmentInfo {
    const { number, epoch, firstSequence } = this.header
    const lastSequence = this.nextSequence > firstSequence ? this.nextSequence - 1 : undefined
    return { file: this.file, number, epoch, firstSequence, lastSequence, bytes: this.end, active }
  }

  /** Makes the group a frame at the current end, in its own buffer, and returns the bytes to write there. */
  seal(group: Group): Buffer {
    this.#seal(group.buffer, group.start, group.payloadBytes, frameType.records, group.recordCount)
    return group.buffer.subarray(group.start, group.start + group.frameBytes)
  }

  /** A frame with the records of `payload`, which was recovered from an older segment. */
  sealCopy(payload: Buffer, recordCount: number): Buffer {
    const bytes = Buffer.allocUnsafe(frameBytes(payload.length))
    payload.copy(bytes, frameHeaderBytes)
    this.#seal(bytes, 0, payload.length, frameType.records, recordCount)
    return bytes
  }

  /** A frame without records that promises everything synced so far; `last` when nothing will follow it. */
  sealTrailer(last: boolean): Buffer {
    const bytes = Buffer.allocUnsafe(frameHeaderBytes)
    this.#seal(bytes, 0, 0, last ? frameType.end : frameType.trailer, 0)
    return bytes
  }

  /** Writes the bytes of the frame sealed last, behind the header if that is still to be written. */
  writeSync(frame: Buffer): void {
    try {
      if (!this.#headerWritten) this.#writeHeaderSync()
      writeFullySync(this.#handle, frame, this.end)
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
    this.end += frame.length
  }

  async write(frame: Buffer): Promise<void> {
    try {
      if (!this.#headerWritten) this.#writeHeaderSync()
      await writeFully(this.#handle, frame, this.end)
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
    this.end += frame.length
  }

  /** Writes a frame while the file has no header yet, so that no recovery takes it for a segment. */
  async writeBeforeHeader(frame: Buffer): Promise<void> {
    try {
      await writeFully(this.#handle, frame, this.end)
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
    this.end += frame.length
  }

  writeHeader(): void {
    try {
      this.#writeHeaderSync()
    } catch (cause) {
      throw ioError('write to', this.path, cause)
    }
  }

  datasyncSync(): void {
    const end = this.end
    try {
      this.#handle.datasyncSync()
    } catch (cause) {
      throw ioError('sync', this.path, cause)
    }
    if (this.#headerWritten) this.durableEnd = end
  }

  async datasync(): Promise<void> {
    const end = this.end
    try {
      await this.#handle.datasync()
    } catch (cause) {
      throw ioError('sync', this.path, cause)
    }
    if (this.#headerWritten) this.durableEnd = end
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

  #writeHeaderSync(): void {
    writeFullySync(this.#handle, this.#headerBytes, 0)
    this.#headerWritten = true
  }

  #seal(buffer: Buffer, start: number, payloadBytes: number, type: number, recordCount: number): void {
    const { end: position, durableEnd, lastCrc: previousCrc, nextSequence: firstSequence } = this
    const header = { payloadBytes, type, firstSequence, recordCount, previousCrc, position, durableEnd }
    this.lastCrc = sealFrame(buffer, start, header, this.#salt)
    this.lastType = type
    this.nextSequence += recordCount
    this.frames++
  }
}
