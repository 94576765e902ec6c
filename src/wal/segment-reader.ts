import { join } from 'node:path'
import { ioError, systemCode } from '../base/index.ts'
import { type FileHandle, type FileSystem, readFully } from '../fs/index.ts'
import {
  alignFrame,
  decodeFrameHeader,
  type FrameHeader,
  frameAlignment,
  frameBytes,
  frameCrc,
  frameHeaderBytes,
  frameIsIntact,
  frameMagicBytes,
  frameMagicOffset,
  hasFrameMagic,
  implausible,
} from './frame.ts'
import { segmentHeaderBytes } from './segment-header.ts'

const chunkBytesDefault = 1024 * 1024

export interface IntactFrame {
  readonly kind: 'frame'
  readonly header: FrameHeader
  readonly crc: number
  readonly payload: Buffer
  readonly end: number
}

export type FrameReading = IntactFrame | { readonly kind: 'bad'; readonly reason: string }

/**
 * Reads one segment file in chunks. The buffers it hands out are views of chunks that are never reused, so they stay
 * as they are for as long as anybody holds them. Every failed read rejects with HOLDFAST_IO: an unreadable byte is
 * never taken for the end of the log.
 */
export class SegmentReader {
  readonly path: string
  readonly size: number
  readonly #handle: FileHandle
  readonly #salt: number
  readonly #chunkBytes: number
  #chunk: Buffer = Buffer.alloc(0)
  #chunkStart = 0

  private constructor(handle: FileHandle, size: number, salt: number, chunkBytes: number) {
    this.#handle = handle
    this.path = handle.path
    this.size = size
    this.#salt = salt
    this.#chunkBytes = chunkBytes
  }

  /** Undefined when there is no such file. */
  static async open(
    fileSystem: FileSystem,
    directory: string,
    file: string,
    salt: number,
    chunkBytes = chunkBytesDefault,
  ): Promise<SegmentReader | undefined> {
    const path = join(directory, file)
    let handle: FileHandle | undefined
    try {
      handle = await fileSystem.open(path, 'read')
      return new SegmentReader(handle, await handle.size(), salt, chunkBytes)
    } catch (cause) {
      // Why it cannot be read is what the caller needs; a close that fails after that adds nothing to act on.
      await handle?.close().catch(() => undefined)
      if (handle === undefined && systemCode(cause) === 'ENOENT') return undefined
      throw ioError('open', path, cause)
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close()
    } catch (cause) {
      throw ioError('close', this.path, cause)
    }
  }

  /** The bytes in [offset, offset + length), fewer at the end of the file. */
  async view(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(this.size, offset + length)
    if (end <= offset) return Buffer.alloc(0)
    if (offset < this.#chunkStart || end > this.#chunkStart + this.#chunk.length) await this.#load(offset, end - offset)
    return this.#chunk.subarray(offset - this.#chunkStart, Math.min(end - this.#chunkStart, this.#chunk.length))
  }

  /** The frame at `position`, its checksum verified. Whether it continues the frame before is the caller's to check. */
  async frameAt(position: number): Promise<FrameReading> {
    const head = await this.view(position, frameHeaderBytes)
    if (head.length < frameHeaderBytes) return { kind: 'bad', reason: 'the file ends here' }
    if (!hasFrameMagic(head, 0)) return { kind: 'bad', reason: 'there is no frame here' }
    const header = decodeFrameHeader(head, 0)
    const reason = implausible(header, position, this.size)
    if (reason !== undefined) return { kind: 'bad', reason }
    const whole = await this.view(position, frameHeaderBytes + header.payloadBytes)
    if (whole.length < frameHeaderBytes + header.payloadBytes) return { kind: 'bad', reason: 'the file ends here' }
    if (!frameIsIntact(whole, 0, header.payloadBytes, this.#salt)) {
      return { kind: 'bad', reason: 'the frame checksum does not match' }
    }
    const end = position + frameBytes(header.payloadBytes)
    return { kind: 'frame', header, crc: frameCrc(whole, 0), payload: whole.subarray(frameHeaderBytes), end }
  }

  /** The first intact frame at or after `from`, whatever lies between. */
  async intactFrom(from: number): Promise<IntactFrame | undefined> {
    let position = alignFrame(Math.max(segmentHeaderBytes, from))
    while (position + frameHeaderBytes <= this.size) {
      const candidate = await this.#nextMagic(position)
      if (candidate === undefined) return undefined
      const reading = await this.frameAt(candidate)
      if (reading.kind === 'frame') return reading
      position = candidate + frameAlignment
    }
    return undefined
  }

  /**
   * Looks at and after `from` for an intact frame that was built when bytes beyond `point` were already durable.
   * It proves that what is unreadable at `point` was once safely on disk.
   */
  async promiseBeyond(point: number, from: number): Promise<FrameHeader | undefined> {
    for (let frame = await this.intactFrom(from); frame !== undefined; frame = await this.intactFrom(frame.end)) {
      if (frame.header.durableEnd > point) return frame.header
    }
    return undefined
  }

  /** The end of the last byte that is not zero, at least `from`. */
  async contentEnd(from: number): Promise<number> {
    let found = from
    for (let offset = from; offset < this.size; ) {
      const bytes = await this.#stretch(offset)
      if (bytes.length === 0) break
      const last = lastNonZero(bytes)
      if (last >= 0) found = offset + last + 1
      offset += bytes.length
    }
    return found
  }

  /** Offset of the next aligned place whose magic looks like a frame's. */
  async #nextMagic(from: number): Promise<number | undefined> {
    for (let position = from; position + frameHeaderBytes <= this.size; ) {
      const bytes = await this.#stretch(position)
      for (let index = bytes.indexOf(frameMagicBytes); index >= 0; ) {
        const start = position + index - frameMagicOffset
        if (start >= from && start % frameAlignment === 0) return start
        index = bytes.indexOf(frameMagicBytes, index + 1)
      }
      // Chunks overlap by one header, so that a magic on the seam is seen.
      if (position + bytes.length >= this.size || bytes.length <= frameHeaderBytes) return undefined
      position += bytes.length - frameHeaderBytes
    }
    return undefined
  }

  /** As many bytes from `offset` on as one chunk holds; at least a frame header of them unless the file ends. */
  async #stretch(offset: number): Promise<Buffer> {
    const chunkEnd = this.#chunkStart + this.#chunk.length
    const enough = Math.min(this.size, offset + frameHeaderBytes + 1)
    if (offset < this.#chunkStart || enough > chunkEnd)
      await this.#load(offset, Math.min(this.#chunkBytes, this.size - offset))
    return this.#chunk.subarray(offset - this.#chunkStart)
  }

  async #load(offset: number, length: number): Promise<void> {
    const chunk = Buffer.allocUnsafeSlow(Math.min(Math.max(length, this.#chunkBytes), this.size - offset))
    let got: number
    try {
      got = await readFully(this.#handle, chunk, offset)
    } catch (cause) {
      throw ioError('read', this.path, cause)
    }
    this.#chunk = chunk.subarray(0, got)
    this.#chunkStart = offset
  }
}

function lastNonZero(bytes: Buffer): number {
  const step = 4096
  const zeros = Buffer.alloc(step)
  for (let end = bytes.length; end > 0; ) {
    const start = Math.max(0, end - step)
    if (bytes.compare(zeros, 0, end - start, start, end) !== 0) {
      for (let index = end - 1; index >= start; index--) if (bytes[index] !== 0) return index
    }
    end = start
  }
  return -1
}
