import { join } from 'node:path'
import { ioError } from '../base/index.ts'
import { frameType } from './frame.ts'
import type { Group } from './group.ts'
import type { SegmentInfo, WalOptions } from './options.ts'
import { Preallocation } from './preallocation.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { StartedLog } from './start.ts'

/** Up to here copying into the page cache costs less than a hop to another thread. */
export const directWriteBytesMax = 256 * 1024
/** A spare is worth its zeros only when so much has been written to the segment before it. */
const spareAfterBytes = 64 * 1024
/** A segment that is not prepared itself is left for a spare about here. */
const unpreparedBytes = 256 * 1024

export interface TrimReport {
  readonly segments: number
  readonly bytes: number
}

/** The segments on disk as one log: writes frames, changes segments, deletes old ones. One call at a time, but for `trim`. */
export class SegmentedLog {
  rotations = 0
  preparedRotations = 0
  readonly #options: WalOptions
  readonly #preallocation: Preallocation
  #writer: SegmentWriter
  #earlier: SegmentInfo[]

  constructor(options: WalOptions, started: StartedLog) {
    const { fileSystem, directory, epoch, segmentBytes } = options
    const enabled = options.preallocate !== false
    this.#options = options
    this.#writer = started.writer
    this.#earlier = [...started.earlier]
    this.#preallocation = new Preallocation({ fileSystem, directory, epoch, segmentBytes, enabled })
  }

  /** The retained segments, oldest first; the last one is being written. */
  segments(): SegmentInfo[] {
    return [...this.#earlier, this.#writer.info(true)]
  }

  get unsynced(): boolean {
    return this.#writer.unsynced
  }

  /** Whether a trailer would promise something that no frame promises yet. */
  get wantsTrailer(): boolean {
    return this.#writer.lastType === frameType.records && !this.#writer.unsynced
  }

  /** Whether a frame of that size belongs into the next segment. A segment takes at least one, whatever its size. */
  mustRotate(frameBytes: number): boolean {
    const { end, frames, preallocated } = this.#writer
    if (frames === 0) return false
    if (end + frameBytes > this.#options.segmentBytes) return true
    return end + frameBytes > preallocated && this.#preallocation.ready
  }

  writeSync(group: Group): void {
    this.#writer.writeSync(group)
  }

  async write(group: Group): Promise<void> {
    if (group.frameBytes <= directWriteBytesMax) this.#writer.writeSync(group)
    else await this.#writer.write(group)
  }

  datasyncSync(): void {
    this.#writer.datasyncSync()
  }

  datasync(): Promise<void> {
    return this.#writer.datasync()
  }

  /** Has the next segment's file made in the background, step by step as this one fills. */
  prepareNext(): void {
    const { end, preallocated, header } = this.#writer
    const { segmentBytes } = this.#options
    if (end < Math.min(spareAfterBytes, segmentBytes / 8)) return
    const capacity = preallocated > 0 ? preallocated : Math.min(segmentBytes, unpreparedBytes)
    this.#preallocation.advance(header.number + 1, end / capacity)
  }

  /**
   * Goes on to the next segment. Its header is written together with its first frame; by then everything in this one
   * is durable.
   */
  async rotate(): Promise<void> {
    await this.#finish()
    const old = this.#writer
    const { number, epoch } = old.header
    const prepared = this.#preallocation.ready
    const fresh = await this.#preallocation.take(number + 1)
    const header = {
      number: number + 1,
      epoch,
      firstSequence: old.nextSequence,
      predecessorEnd: old.end,
      predecessorCrc: old.lastCrc,
    }
    this.#writer = new SegmentWriter(fresh.handle, fresh.file, header, this.#options.storeId, fresh.zeroedBytes)
    this.#earlier.push(old.info(false))
    this.rotations++
    if (prepared) this.preparedRotations++
    await old.close()
  }

  /** Promises everything written, durably. Only when nothing is unsynced. */
  async writeTrailer(): Promise<void> {
    this.#writer.writeTrailer(false)
    await this.#writer.datasync()
  }

  /** Deletes the segments that hold nothing above `sequence`, oldest first, never the one being written. */
  async trim(sequence: number): Promise<TrimReport> {
    let segments = 0
    let bytes = 0
    try {
      for (let info = this.#earlier[0]; info !== undefined; info = this.#earlier[0]) {
        if ((info.lastSequence ?? info.firstSequence - 1) > sequence) break
        await this.#options.fileSystem.unlink(join(this.#options.directory, info.file))
        this.#earlier.shift()
        segments++
        bytes += info.bytes
      }
      if (segments > 0) await this.#options.fileSystem.syncDirectory(this.#options.directory)
    } catch (cause) {
      throw ioError('remove old segments from', this.#options.directory, cause)
    }
    return { segments, bytes }
  }

  /** Ends the segment for good and closes everything. A segment without frames stays as it is: it will be replaced. */
  async close(): Promise<void> {
    try {
      if (this.#writer.frames > 0) await this.#finish()
      await this.#writer.trimZeros()
      await this.#preallocation.discard()
    } finally {
      await this.abandon()
    }
  }

  /** Closes the files and touches nothing. */
  async abandon(): Promise<void> {
    await this.#preallocation.abandon()
    await this.#writer.close()
  }

  async #finish(): Promise<void> {
    if (this.#writer.unsynced) await this.#writer.datasync()
    this.#writer.writeTrailer(true)
    await this.#writer.datasync()
  }
}
