/**
 * Notices a lost lock before it acknowledges anything. The event loop may stand still for longer than the lock lives
 * (a debugger, a suspended machine); another process may then own the store. Every opening writes its epoch in place
 * into one small file; an owner whose clock jumped reads it back first.
 */
import { type Clock, crc32, HoldfastError, ioError } from '../base/index.ts'
import { type FileHandle, type FileSystem, writeFullySync } from '../fs/index.ts'

/** Half of the time after which the directory lock counts as stale. */
const trustedGapMs = 5_000
const tickMs = 1_000
const recordBytes = 16

export class EpochFence {
  readonly #handle: FileHandle
  readonly #clock: Clock
  readonly #epoch: number
  readonly #timer: NodeJS.Timeout
  #lastSeen: number

  private constructor(handle: FileHandle, clock: Clock, epoch: number) {
    this.#handle = handle
    this.#clock = clock
    this.#epoch = epoch
    this.#lastSeen = clock.monotonic()
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#timer.unref()
  }

  /** Claims the store for `epoch`. Call with LevelDB's lock held and the superblock already carrying the epoch. */
  static async claim(fileSystem: FileSystem, file: string, clock: Clock, epoch: number): Promise<EpochFence> {
    try {
      const exists = (await fileSystem.stat(file)) !== undefined
      const handle = await fileSystem.open(file, exists ? 'write' : 'create')
      try {
        writeFullySync(handle, encodeEpoch(epoch), 0)
        await handle.datasync()
      } catch (error) {
        await handle.close()
        throw error
      }
      return new EpochFence(handle, clock, epoch)
    } catch (error) {
      throw ioError('claim', file, error)
    }
  }

  /** Throws HOLDFAST_LOCKED when another owner has opened the store since. */
  check(): void {
    const now = this.#clock.monotonic()
    if (now - this.#lastSeen > trustedGapMs) this.confirm()
    this.#lastSeen = now
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#handle.close()
    } catch (error) {
      throw ioError('close', this.#handle.path, error)
    }
  }

  /** Only keeps the gap small while the loop is alive; a tick after a long gap must not hide it from `check`. */
  #tick(): void {
    const now = this.#clock.monotonic()
    if (now - this.#lastSeen <= trustedGapMs) this.#lastSeen = now
  }

  /** As `check`, however little time has passed: for when LevelDB's lock was let go and taken again. */
  confirm(): void {
    const bytes = Buffer.alloc(recordBytes)
    if (this.#readBack(bytes) === recordBytes && bytes.equals(encodeEpoch(this.#epoch))) return
    throw new HoldfastError(
      'HOLDFAST_LOCKED',
      `${this.#handle.path}: another process opened this store while this one stood still`,
      {
        detail: { file: this.#handle.path, epoch: this.#epoch },
      },
    )
  }

  #readBack(bytes: Buffer): number {
    try {
      return this.#handle.readSync(bytes, 0)
    } catch (error) {
      throw ioError('read', this.#handle.path, error)
    }
  }
}

function encodeEpoch(epoch: number): Buffer {
  const bytes = Buffer.alloc(recordBytes)
  bytes.writeBigUInt64LE(BigInt(epoch), 0)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8)
  return bytes
}
