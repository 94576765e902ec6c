import type { Writable } from 'node:stream'
import { systemCode } from '../base/index.ts'

const bufferBytesMax = 64 * 1024

/** The reader of our output went away. Not an error of ours: the command ends quietly. */
export class BrokenPipeError extends Error {
  override readonly name = 'BrokenPipeError'
}

/** Buffered output that waits for slow readers and notices when the reader is gone. */
export class Output {
  readonly #stream: Writable
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(stream: Writable) {
    this.#stream = stream
    // Without a listener the stream would throw the error a second time, past every handler; `flush` reports it.
    this.#stream.on('error', () => {})
  }

  async write(data: string | Uint8Array): Promise<void> {
    const chunk =
      typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= bufferBytesMax) await this.flush()
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** Hands everything to the stream and waits until it has taken it. BrokenPipeError when nobody reads any more. */
  async flush(): Promise<void> {
    if (this.#bytes === 0) return
    const data = Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#bytes = 0
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error === null || error === undefined) resolve()
        else
          reject(
            isBrokenPipe(error) ? new BrokenPipeError('nobody reads the output any more', { cause: error }) : error,
          )
      })
    })
  }
}

function isBrokenPipe(error: Error): boolean {
  const code = systemCode(error)
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET'
}
