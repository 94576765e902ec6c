import { crc32, HoldfastError, limits } from '../base/index.ts'
import { alignFrame, framePayloadBytesMax, frameBytes, frameHeaderBytes, recordPrefixBytes } from './frame.ts'

const slabBytesDefault = 1024 * 1024
const noBytes = Buffer.alloc(0)

/** Records up to this size are summed up when they are appended, while the processor's cache still holds them. */
const hotBytesMax = 64 * 1024

/** Room for the next record: at least the bytes asked for lie free after `start`. */
export interface RecordSpace {
  readonly buffer: Buffer
  readonly start: number
}

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly value: unknown
  readonly reject: (error: Error) => void
}

/** Records that become one frame, and those who wait for them. */
export class Group {
  readonly firstSequence: number
  /** Offset of the frame in `buffer`. */
  readonly start: number
  buffer: Buffer
  /** End of the last record. */
  end: number
  recordCount = 0
  #summedEnd: number
  #crc = 0
  #osWaiters: Waiter[] = []
  #syncWaiters: Waiter[] = []

  constructor(buffer: Buffer, start: number, firstSequence: number) {
    this.buffer = buffer
    this.start = start
    this.end = start + frameHeaderBytes
    this.#summedEnd = this.end
    this.firstSequence = firstSequence
  }

  /** Checksum of the payload. */
  get payloadCrc(): number {
    if (this.#summedEnd < this.end) this.#sum()
    return this.#crc
  }

  /** Takes the record that ends at `end`. */
  add(end: number): void {
    this.end = end
    this.recordCount++
    if (end - this.#summedEnd <= hotBytesMax) this.#sum()
  }

  get lastSequence(): number {
    return this.firstSequence + this.recordCount - 1
  }

  get payloadBytes(): number {
    return this.end - this.start - frameHeaderBytes
  }

  /** Bytes of the records alone. */
  get recordBytes(): number {
    return this.payloadBytes - this.recordCount * recordPrefixBytes
  }

  get frameBytes(): number {
    return frameBytes(this.payloadBytes)
  }

  #sum(): void {
    this.#crc = crc32(this.buffer.subarray(this.#summedEnd, this.end), this.#crc)
    this.#summedEnd = this.end
  }

  wait<T>(durable: boolean, value: T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiters = durable ? this.#syncWaiters : this.#osWaiters
      waiters.push({ resolve: resolve as (value: unknown) => void, value, reject })
    })
  }

  /** The frame is with the operating system. The slab it was built in is let go: others may still hold views of it. */
  wasWritten(): void {
    this.buffer = noBytes
    const waiters = this.#osWaiters
    this.#osWaiters = []
    for (const waiter of waiters) waiter.resolve(waiter.value)
  }

  wasSynced(): void {
    const waiters = this.#syncWaiters
    this.#syncWaiters = []
    for (const waiter of waiters) waiter.resolve(waiter.value)
  }

  failed(reason: (lastSequence: number) => Error): void {
    const waiters = [...this.#osWaiters, ...this.#syncWaiters]
    this.#osWaiters = []
    this.#syncWaiters = []
    if (waiters.length === 0) return
    const error = reason(this.lastSequence)
    for (const waiter of waiters) waiter.reject(error)
  }
}

/**
 * The group that is being filled. Records are built right where they will be written from: a group lies in one piece,
 * with room for its frame header before it. Slab memory is never reused, so views of a record stay as they are.
 */
export class FillingBuffer {
  readonly #slabBytes: number
  #slab: Buffer
  #current: Group
  #closed: Group[] = []
  readonly #space: { buffer: Buffer; start: number }

  constructor(segmentBytes: number, firstSequence: number) {
    this.#slabBytes = Math.max(limits.segmentBytesMin, Math.min(slabBytesDefault, segmentBytes))
    this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes)
    this.#current = new Group(this.#slab, 0, firstSequence)
    this.#space = { buffer: this.#slab, start: 0 }
  }

  /** The group the next record goes to; it may be empty. */
  get current(): Group {
    return this.#current
  }

  get isEmpty(): boolean {
    return this.#current.recordCount === 0 && this.#closed.length === 0
  }

  /** Whether all there is to write is a single record. */
  get holdsOneRecord(): boolean {
    return this.#closed.length === 0 && this.#current.recordCount === 1
  }

  get nextSequence(): number {
    return this.#current.firstSequence + this.#current.recordCount
  }

  /** The object is the same at every call: it says where the next record goes, until the next call. */
  space(byteLength: number): RecordSpace {
    if (byteLength > limits.recordBytesMax) throw recordTooLarge(byteLength)
    const group = this.#current
    const start = group.end + recordPrefixBytes
    const payload = start + byteLength - group.start - frameHeaderBytes
    if (alignFrame(start + byteLength) > this.#slab.length || payload > framePayloadBytesMax)
      return this.#move(byteLength)
    this.#space.buffer = this.#slab
    this.#space.start = start
    return this.#space
  }

  /** Closes the record that was built in the space given out last; returns the group it belongs to. */
  append(byteLength: number): Group {
    const group = this.#current
    const start = group.end + recordPrefixBytes
    if (alignFrame(start + byteLength) > this.#slab.length)
      throw new RangeError('append of more bytes than space was asked for')
    this.#slab.writeUInt32LE(byteLength, group.end)
    group.add(start + byteLength)
    return group
  }

  /** All groups that hold records, oldest first, the filling one included; a fresh one is begun. */
  take(): Group[] {
    const groups = this.#closed
    this.#closed = []
    if (this.#current.recordCount > 0) {
      groups.push(this.#current)
      this.#begin(alignFrame(this.#current.end))
    }
    return groups
  }

  /** The closed or filling group that holds `sequence`. */
  find(sequence: number): Group | undefined {
    if (sequence >= this.#current.firstSequence) return sequence < this.nextSequence ? this.#current : undefined
    return this.#closed.find((group) => sequence >= group.firstSequence && sequence <= group.lastSequence)
  }

  #move(byteLength: number): RecordSpace {
    if (this.#current.recordCount > 0) this.#closed.push(this.#current)
    const needed = frameBytes(recordPrefixBytes + byteLength)
    this.#slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, needed))
    this.#begin(0)
    this.#space.buffer = this.#slab
    this.#space.start = this.#current.end + recordPrefixBytes
    return this.#space
  }

  #begin(start: number): void {
    this.#current = new Group(this.#slab, start, this.nextSequence)
  }
}

function recordTooLarge(byteLength: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_VALUE_TOO_LARGE',
    `a record of ${byteLength} bytes is larger than the ${limits.recordBytesMax} bytes the log accepts; write it in parts`,
    { detail: { bytes: byteLength, bytesMax: limits.recordBytesMax } },
  )
}
