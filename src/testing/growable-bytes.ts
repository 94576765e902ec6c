/** Bytes of a file. Everything past `size` in the buffer is zero, so that growing leaves zeros as a disk does. */
export class GrowableBytes {
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0
  /** A copy may look at the same buffer: whoever changes it first takes one of its own. Most copies never change. */
  #shared = false

  get size(): number {
    return this.#size
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#reserve(offset + bytes.length)
    this.#buffer.set(bytes, offset)
    this.#size = Math.max(this.#size, offset + bytes.length)
  }

  truncate(length: number): void {
    if (length === this.#size) return
    this.#reserve(length)
    if (length < this.#size) this.#buffer.fill(0, length, this.#size)
    this.#size = length
  }

  read(target: Uint8Array, offset: number): number {
    const part = this.#buffer.subarray(Math.min(offset, this.#size), Math.min(offset + target.length, this.#size))
    target.set(part)
    return part.length
  }

  /** Flips bits of one byte; does nothing past the end. */
  flip(offset: number, mask: number): void {
    if (offset >= this.#size) return
    this.#reserve(this.#size)
    this.#buffer[offset] = (this.#buffer[offset] ?? 0) ^ mask
  }

  toBuffer(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#size))
  }

  copy(): GrowableBytes {
    const copy = new GrowableBytes()
    copy.#buffer = this.#buffer
    copy.#size = this.#size
    copy.#shared = true
    this.#shared = true
    return copy
  }

  /** A buffer of its own with room for `length` bytes. */
  #reserve(length: number): void {
    if (!this.#shared && length <= this.#buffer.length) return
    const capacity =
      length <= this.#buffer.length ? this.#buffer.length : Math.max(length, this.#buffer.length * 2, 256)
    const own = Buffer.alloc(capacity)
    own.set(this.#buffer)
    this.#buffer = own
    this.#shared = false
  }
}
