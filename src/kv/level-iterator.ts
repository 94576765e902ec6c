import type { BackendEntry, BackendIterator } from './backend.ts'

/** The part of a classic-level iterator used here; keys are plain bytes. */
export interface LevelCursor {
  nextv(size: number): Promise<[Buffer, Uint8Array | undefined][]>
  close(): Promise<void>
}

const noValue = new Uint8Array(0)

/** LevelDB reserves room for a whole chunk before it reads one entry, so a huge `size` is read in parts. */
const chunkEntriesMax = 1000

/** LevelDB ends a chunk early at its byte mark; this one hands out full chunks, as the contract says. */
export class LevelIterator implements BackendIterator {
  readonly #cursor: LevelCursor
  readonly #wrap: (error: unknown) => Error

  constructor(cursor: LevelCursor, wrap: (error: unknown) => Error) {
    this.#cursor = cursor
    this.#wrap = wrap
  }

  async next(size: number): Promise<BackendEntry[]> {
    const entries: BackendEntry[] = []
    try {
      while (entries.length < size) {
        const chunk = await this.#cursor.nextv(Math.min(size - entries.length, chunkEntriesMax))
        if (chunk.length === 0) break
        for (const [key, value] of chunk) entries.push({ key: key.toString('latin1'), value: value ?? noValue })
      }
    } catch (error) {
      throw this.#wrap(error)
    }
    return entries
  }

  async close(): Promise<void> {
    await this.#cursor.close()
  }
}
