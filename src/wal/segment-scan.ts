import { HoldfastError } from '../base/index.ts'
import type { ChainSegment } from './chain.ts'
import { eachRecord, frameType } from './frame.ts'
import { damaged, sequencesFrom } from './problems.ts'
import { segmentHeaderBytes } from './segment-header.ts'
import type { IntactFrame, SegmentReader } from './segment-reader.ts'

interface Mark {
  readonly end: number
  readonly crc: number
  readonly nextSequence: number
}

/**
 * Walks the frames of one segment and decides where its valid bytes end. A segment with a successor ends where the
 * successor's header says, and everything up to there must be intact. The newest segment ends at the first bad frame,
 * provided that no later frame proves that the bad bytes were durable once.
 */
export class SegmentScan {
  /** Where the next frame is expected. */
  position = segmentHeaderBytes
  nextSequence: number
  frames = 0
  /** Whether the frame read last says that this segment is never written again. */
  ended = false
  #reason = ''
  readonly #reader: SegmentReader
  readonly #next: ChainSegment | undefined
  /** Ends of frames that no later frame has promised yet; the first one is promised, or nothing is. */
  readonly #marks: Mark[]
  #promised = 0

  constructor(reader: SegmentReader, segment: ChainSegment, next: ChainSegment | undefined) {
    this.#reader = reader
    this.#next = next
    this.nextSequence = segment.header.firstSequence
    this.#marks = [{ end: segmentHeaderBytes, crc: segment.headerCrc, nextSequence: this.nextSequence }]
  }

  get promisedEnd(): number {
    return this.#promised
  }

  get promisedCrc(): number {
    return this.#first.crc
  }

  get promisedNextSequence(): number {
    return this.#first.nextSequence
  }

  /** The next frame; undefined at the end. Rejects with HOLDFAST_CORRUPT for damage before the end is reached. */
  async next(): Promise<IntactFrame | undefined> {
    if (this.#next !== undefined && this.position >= this.#next.header.predecessorEnd) {
      this.#checkSuccessor(this.#next)
      return undefined
    }
    if (this.ended) {
      if (this.#next !== undefined) throw this.#damage('it ends before the place where the next segment continues')
      return undefined
    }
    const reading = await this.#reader.frameAt(this.position)
    if (reading.kind === 'bad') {
      this.#reason = reading.reason
      if (this.#next !== undefined) throw this.#damage(reading.reason)
      return undefined
    }
    this.#accept(reading)
    return reading
  }

  /** Hands out the records of a frame that `next` returned. */
  eachRecord(frame: IntactFrame, each: (sequence: number, bytes: Buffer) => void): void {
    if (!eachRecord(frame.payload, frame.header, each)) {
      throw damaged(
        this.#reader.path,
        `the frame at offset ${frame.header.position} is intact but its records do not add up`,
        {
          offset: frame.header.position,
        },
      )
    }
  }

  /**
   * For the newest segment, when `next` has found its end: rejects with HOLDFAST_CORRUPT if what is bad there was
   * durable once, else resolves to the end of the torn bytes that follow (the position itself when there are none).
   */
  async settleEnd(): Promise<number> {
    // Nothing is ever written after an `end` frame.
    if (this.ended) return this.position
    const promise = await this.#reader.promiseBeyond(this.position, this.position)
    if (promise !== undefined) throw this.#damage(this.#reason, promise.firstSequence - 1)
    return this.#reader.contentEnd(this.position)
  }

  /** For the newest segment of a log that is being written: rejects if it ends before a sequence that is durable. */
  requireThrough(sequence: number): void {
    if (this.nextSequence <= sequence) throw this.#damage(this.#reason, sequence)
  }

  get #first(): Mark {
    const mark = this.#marks[0]
    if (mark === undefined)
      throw new HoldfastError('HOLDFAST_ASSERTION', 'a segment scan lost its marks; please report this as a bug')
    return mark
  }

  // An intact checksum covers position, epoch and segment, and each position is written once: a frame that does not
  // continue the one before can only come from damage, never from a crash.
  #accept(frame: IntactFrame): void {
    const previous = this.#marks.at(-1)
    const { header } = frame
    if (header.previousCrc !== previous?.crc) throw this.#damage('the frame does not continue the one before it')
    if (header.firstSequence !== this.nextSequence) {
      throw this.#damage(`the frame starts at sequence ${header.firstSequence} instead of ${this.nextSequence}`)
    }
    this.#promise(header.durableEnd)
    this.frames++
    this.position = frame.end
    this.nextSequence += header.recordCount
    this.ended = header.type === frameType.end
    this.#marks.push({ end: frame.end, crc: frame.crc, nextSequence: this.nextSequence })
  }

  #promise(durableEnd: number): void {
    if (durableEnd <= this.#promised) return
    const index = this.#marks.findIndex((mark) => mark.end === durableEnd)
    if (index < 0) throw this.#damage(`the frame promises bytes up to ${durableEnd}, where no frame ends`)
    this.#marks.splice(0, index)
    this.#promised = durableEnd
  }

  #checkSuccessor(next: ChainSegment): void {
    const { predecessorEnd, predecessorCrc, firstSequence } = next.header
    const last = this.#marks.at(-1)
    if (this.position !== predecessorEnd || last?.crc !== predecessorCrc) {
      throw this.#damage(`${next.file} does not continue it`)
    }
    if (firstSequence !== this.nextSequence) {
      throw this.#damage(`${next.file} continues at sequence ${firstSequence} instead of ${this.nextSequence}`)
    }
  }

  #damage(what: string, lastAtRisk?: number): HoldfastError {
    const last = lastAtRisk ?? (this.#next === undefined ? undefined : this.#next.header.firstSequence - 1)
    const lost =
      last === undefined || last < this.nextSequence
        ? ''
        : `, which puts ${sequencesFrom(this.nextSequence, last)} at risk`
    return damaged(this.#reader.path, `at offset ${this.position} ${what}${lost}`, {
      offset: this.position,
      firstSequence: this.nextSequence,
      lastSequence: last,
    })
  }
}
