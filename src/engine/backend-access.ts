/** Reading envelopes out of the backend, and surviving a backend that had to be closed and opened again. */
import { assert, HoldfastError } from '../base/index.ts'
import { fingerprint, readEnvelope } from '../codec/index.ts'
import type { Backend } from '../kv/index.ts'
import { BASE_ABSENT, BASE_UNKNOWN, Entry, TOMBSTONE, UNDECODED } from '../memory/index.ts'

/** A clean entry from bytes of the backend; HOLDFAST_CORRUPT when their checksum fails. */
export function cleanEntry(key: string, bytes: Uint8Array): Entry {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { kind } = readEnvelope(key, buffer)
  return new Entry(key, kind, 0, 0, UNDECODED, buffer, 0, buffer.length, fingerprint(key, buffer))
}

export class BackendAccess {
  readonly backend: Backend
  /** Set while the backend is closed after an error and opened again. */
  #reopening: Promise<void> | undefined

  constructor(backend: Backend) {
    this.backend = backend
  }

  getSync(key: string): Entry | undefined {
    const bytes = this.#guard(() => this.backend.getSync(key), key)
    return bytes === undefined ? undefined : cleanEntry(key, bytes)
  }

  async get(key: string): Promise<Entry | undefined> {
    if (this.#reopening !== undefined) await this.#reopening
    let bytes: Uint8Array | undefined
    try {
      bytes = await this.backend.get(key)
    } catch (error) {
      throw readFailed(this.backend, key, error)
    }
    return bytes === undefined ? undefined : cleanEntry(key, bytes)
  }

  async getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    if (this.#reopening !== undefined) await this.#reopening
    let values: (Uint8Array | undefined)[]
    try {
      values = await this.backend.getMany(keys)
    } catch (error) {
      throw readFailed(this.backend, keys[0] ?? '', error)
    }
    return values.map((bytes, i) => (bytes === undefined ? undefined : cleanEntry(keys[i] as string, bytes)))
  }

  /** Drops the handle and opens the backend again: after a failed append LevelDB would go on and lose batches. */
  async reopen(): Promise<void> {
    const reopening = (async () => {
      await this.backend.close()
      await this.backend.open({ create: false })
    })()
    this.#reopening = reopening.then(
      () => undefined,
      () => undefined,
    )
    try {
      await reopening
    } finally {
      this.#reopening = undefined
    }
  }

  #guard<T>(read: () => T, key: string): T {
    try {
      return read()
    } catch (error) {
      throw readFailed(this.backend, key, error)
    }
  }
}

function readFailed(backend: Backend, key: string, error: unknown): unknown {
  if (error instanceof HoldfastError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new HoldfastError(
    'HOLDFAST_IO',
    `could not read ${JSON.stringify(key)} from ${backend.description}: ${reason}`,
    {
      detail: { key, location: backend.location },
      cause: error,
    },
  )
}

export function entryFingerprint(entry: Entry): number {
  assert(entry.buffer !== null, 'a dirty entry has its bytes')
  return fingerprint(entry.key, entry.buffer.subarray(entry.offset, entry.offset + entry.length))
}

/** What the backend holds under a key by the time an entry that replaced `previous` gets there. */
export function baseAfter(previous: Entry | undefined, generation: number): number {
  if (previous === undefined) return BASE_UNKNOWN
  if (previous.generation === 0 || previous.generation === generation) return previous.base
  // `previous` is in the sealed generation, which reaches the backend first.
  return previous.kind === TOMBSTONE ? BASE_ABSENT : entryFingerprint(previous)
}

/** The caller knows that the backend does not have the key. */
export function noteAbsence(entry: Entry): void {
  if (entry.base === BASE_UNKNOWN) entry.base = BASE_ABSENT
}
