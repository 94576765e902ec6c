import type { FileHandle } from '../fs/index.ts'
import type { Operation, Verdict } from './fault.ts'
import { SimulatedHandle } from './simulated-handle.ts'

/** Decides about each call of a handle: at once for the synchronous ones, possibly after holding it up for the rest. */
export interface CallJudge {
  now(operation: Operation, path: string): Verdict | undefined
  later(operation: Operation, path: string): Promise<Verdict | undefined>
}

/** A handle whose calls fail as the injector decides. */
export class FaultyHandle implements FileHandle {
  readonly path: string
  readonly #inner: FileHandle
  readonly #judge: CallJudge

  constructor(inner: FileHandle, judge: CallJudge) {
    this.path = inner.path
    this.#inner = inner
    this.#judge = judge
  }

  async write(data: Uint8Array, position: number): Promise<number> {
    const verdict = await this.#judge.later('write', this.path)
    if (verdict === undefined) return this.#inner.write(data, position)
    const part = data.subarray(0, allowed(verdict, data.length))
    const written = part.length === 0 ? 0 : await this.#inner.write(part, position)
    if (verdict.error !== undefined) throw verdict.error
    return written
  }

  writeSync(data: Uint8Array, position: number): number {
    const verdict = this.#judge.now('writeSync', this.path)
    if (verdict === undefined) return this.#inner.writeSync(data, position)
    const part = data.subarray(0, allowed(verdict, data.length))
    const written = part.length === 0 ? 0 : this.#inner.writeSync(part, position)
    if (verdict.error !== undefined) throw verdict.error
    return written
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.#later('read', () => this.#inner.read(target, position))
  }

  readSync(target: Uint8Array, position: number): number {
    const error = this.#judge.now('readSync', this.path)?.error
    if (error !== undefined) throw error
    return this.#inner.readSync(target, position)
  }

  datasync(): Promise<void> {
    return this.#laterSync('datasync', () => this.#inner.datasync())
  }

  datasyncSync(): void {
    const verdict = this.#judge.now('datasyncSync', this.path)
    if (verdict?.error === undefined) return this.#inner.datasyncSync()
    if (verdict.after) this.#inner.datasyncSync()
    else this.#failSync(verdict)
    throw verdict.error
  }

  sync(): Promise<void> {
    return this.#laterSync('sync', () => this.#inner.sync())
  }

  truncate(length: number): Promise<void> {
    return this.#later('truncate', () => this.#inner.truncate(length))
  }

  size(): Promise<number> {
    return this.#later('size', () => this.#inner.size())
  }

  /** Even a close that reports failure closes, as the system does. */
  async close(): Promise<void> {
    const verdict = await this.#judge.later('close', this.path)
    await this.#inner.close()
    if (verdict?.error !== undefined) throw verdict.error
  }

  async #later<T>(operation: Operation, perform: () => Promise<T>): Promise<T> {
    const verdict = await this.#judge.later(operation, this.path)
    if (verdict?.error === undefined) return perform()
    if (verdict.after) await perform()
    throw verdict.error
  }

  async #laterSync(operation: Operation, perform: () => Promise<void>): Promise<void> {
    const verdict = await this.#judge.later(operation, this.path)
    if (verdict?.error === undefined) return perform()
    if (verdict.after) await perform()
    else this.#failSync(verdict)
    throw verdict.error
  }

  #failSync(verdict: Verdict): void {
    if (this.#inner instanceof SimulatedHandle) this.#inner.failSync(verdict.unsynced)
  }
}

function allowed(verdict: Verdict, wanted: number): number {
  if (verdict.shortWrite !== undefined) return Math.min(verdict.shortWrite, wanted)
  return verdict.error === undefined || verdict.after ? wanted : 0
}
