import type { FileHandle } from '../fs/index.ts'
import type { FailedSync, FileChange, SimulatedFile } from './simulated-file.ts'
import { systemError } from './system-error.ts'

/** What a handle needs of the disk it is on. */
export interface HandleHost {
  /** Counts the call; throws when the disk is gone or has reached the call it crashes at. */
  enter(call: string, path: string): void
  /** How many of `wanted` bytes at `position` fit; throws ENOSPC when none does. */
  room(file: SimulatedFile, position: number, wanted: number, path: string): number
  failSync(file: SimulatedFile, outcome: FailedSync): void
}

/**
 * A call takes effect at once and its promise resolves in a later microtask, as if the disk were instant but the
 * answer took time. A sync covers only writes whose call had returned before it began, as the system promises.
 */
export class SimulatedHandle implements FileHandle {
  readonly path: string
  readonly #host: HandleHost
  readonly #file: SimulatedFile
  readonly #writable: boolean
  #closed = false

  constructor(host: HandleHost, path: string, file: SimulatedFile, writable: boolean) {
    this.#host = host
    this.path = path
    this.#file = file
    this.#writable = writable
    file.handles += 1
  }

  async write(data: Uint8Array, position: number): Promise<number> {
    const { written, change } = this.#write(data, position)
    await Promise.resolve()
    if (change !== undefined) change.settled = true
    return written
  }

  writeSync(data: Uint8Array, position: number): number {
    const { written, change } = this.#write(data, position)
    if (change !== undefined) change.settled = true
    return written
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return this.readSync(target, position)
  }

  readSync(target: Uint8Array, position: number): number {
    this.#enter('read')
    return this.#file.read(target, position)
  }

  async datasync(): Promise<void> {
    this.datasyncSync()
  }

  datasyncSync(): void {
    this.#enter('fdatasync')
    this.#file.sync()
  }

  async sync(): Promise<void> {
    this.#enter('fsync')
    this.#file.sync()
  }

  async truncate(length: number): Promise<void> {
    this.#enter('ftruncate', true)
    this.#file.truncate(length).settled = true
  }

  async size(): Promise<number> {
    this.#enter('fstat')
    return this.#file.size
  }

  async close(): Promise<void> {
    this.#enter('close')
    this.#closed = true
    this.#file.handles -= 1
  }

  /** The disk's half of a sync that fails; whoever injects the fault also throws the error. Not a call of its own. */
  failSync(outcome: FailedSync): void {
    this.#host.failSync(this.#file, outcome)
  }

  #write(data: Uint8Array, position: number): { written: number; change: FileChange | undefined } {
    this.#enter('write', true)
    if (data.length === 0) return { written: 0, change: undefined }
    const written = this.#host.room(this.#file, position, data.length, this.path)
    return { written, change: this.#file.write(position, data.subarray(0, written)) }
  }

  #enter(call: string, writes = false): void {
    this.#host.enter(call, this.path)
    if (this.#closed || (writes && !this.#writable)) throw systemError('EBADF', call, this.path)
  }
}
