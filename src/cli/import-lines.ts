import type { Assignment, Store } from '../index.ts'
import { explainBatch, explainLine } from './import-failure.ts'
import type { ImportCounts, ImportItem, ImportPosition } from './import-types.ts'
import { readLines } from './read-lines.ts'

const batchAssignmentsMax = 500
const batchBytesMax = 8 * 1024 * 1024

export interface ImportOptions {
  /** For messages: the file, or `stdin`. */
  readonly name: string
  /** Turns a line into its assignments, or throws a FormatError. */
  readonly parse: (line: string) => Assignment[]
  readonly onProgress?: (counts: ImportCounts) => void
  /** Checked between batches: when it is aborted, lines not written yet are left out. */
  readonly signal?: AbortSignal
}

/**
 * Writes the assignments of JSON lines, one record a batch, and holds one batch at a time. What it counts is durable.
 * CliError naming the line when one cannot be read or stored; nothing of that batch is written then.
 */
export async function importLines(
  store: Store,
  input: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportCounts> {
  const importer = new Importer(store, options)
  for await (const line of importer.readAll(input)) {
    importer.add(line.number, line.text, line.bytesRead)
    if (importer.batchIsFull) await importer.writeBatch()
    if (options.signal?.aborted === true) return importer.counts
  }
  await importer.writeBatch()
  return importer.counts
}

class Importer {
  readonly #store: Store
  readonly #options: ImportOptions
  #counts: ImportCounts = { created: 0, existing: 0, lastLine: 0, bytesRead: 0 }
  #batch: ImportItem[] = []
  #lastLine = 0
  #bytesRead = 0

  constructor(store: Store, options: ImportOptions) {
    this.#store = store
    this.#options = options
  }

  get counts(): ImportCounts {
    return this.#counts
  }

  get batchIsFull(): boolean {
    return this.#batch.length >= batchAssignmentsMax || this.#bytesRead - this.#counts.bytesRead >= batchBytesMax
  }

  /** The lines of the input. An interrupt ends them where they are. */
  async *readAll(input: AsyncIterable<Uint8Array>): ReturnType<typeof readLines> {
    try {
      yield* readLines(input)
    } catch (error) {
      if (this.#options.signal?.aborted !== true) throw explainLine(error, this.#position(this.#lastLine + 1))
    }
  }

  add(line: number, text: string, bytesRead: number): void {
    try {
      for (const assignment of this.#options.parse(text)) this.#batch.push({ line, assignment })
    } catch (error) {
      throw explainLine(error, this.#position(line))
    }
    this.#lastLine = line
    this.#bytesRead = bytesRead
  }

  async writeBatch(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    const { created, existing } = await this.#write(batch)
    this.#counts = {
      created: this.#counts.created + created,
      existing: this.#counts.existing + existing,
      lastLine: this.#lastLine,
      bytesRead: this.#bytesRead,
    }
    this.#options.onProgress?.(this.#counts)
  }

  async #write(batch: readonly ImportItem[]): Promise<{ created: number; existing: number }> {
    if (batch.length === 0) return { created: 0, existing: 0 }
    try {
      const written = await this.#store.assignments.writeMany(batch.map((item) => item.assignment))
      const created = written.filter((slot) => slot.created).length
      return { created, existing: written.length - created }
    } catch (error) {
      throw explainBatch(error, batch, this.#store, this.#position(this.#lastLine))
    }
  }

  #position(line: number): ImportPosition {
    return { name: this.#options.name, line, counts: this.#counts }
  }
}
