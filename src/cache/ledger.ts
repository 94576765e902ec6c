/**
 * How much a space holds, kept exact by the mutations themselves: as they are applied, undone and replayed. Replay need
 * not know what an entry replaced, because every mutation says what it changed. Between checkpoints the log is the
 * record of it; each checkpoint stores a summary of every space that changed.
 */
import { decodeKey, decodeValue } from '../codec/index.ts'
import { letter } from './names.ts'
import { damaged } from './payload.ts'

/** What has a key; `id` is the position itself where there is one. */
export interface Placed {
  readonly key: string
  readonly id: unknown
}

/** As stored. `first` and `last` bound the positions of queues and stacks: [first, last). */
export type Summary = readonly [count: number, entries: number, first: number, last: number]

const queues: ReadonlySet<string> = new Set([letter.queue, letter.returned, letter.dead])

export class Ledger {
  readonly domain: string
  count = 0
  entries = 0
  first = 0
  last = 0
  /** The summary in the store is not of this state. */
  changed = false
  readonly #order: 'none' | 'queue' | 'stack'

  constructor(domain: string) {
    this.domain = domain
    this.#order = domain[0] === letter.stack ? 'stack' : queues.has(domain[0] as string) ? 'queue' : 'none'
  }

  get summary(): Summary {
    return [this.count, this.entries, this.first, this.last]
  }

  /** Takes over a stored summary, as of where it was written. */
  reset(summary: Summary): void {
    this.count = summary[0]
    this.entries = summary[1]
    this.first = summary[2]
    this.last = summary[3]
    this.changed = false
  }

  put(entry: Placed, entries: number, count: number): void {
    this.add(entries, count)
    if (this.#order !== 'none' && entries === 1) this.last = this.#position(entry) + 1
  }

  delete(entry: Placed, count: number): void {
    this.add(-1, count)
    if (this.#order === 'queue') this.first = this.#position(entry) + 1
    else if (this.#order === 'stack') this.last = this.#position(entry)
  }

  undoPut(entry: Placed, entries: number, count: number): void {
    this.add(-entries, -count)
    if (this.#order !== 'none' && entries === 1) this.last = this.#position(entry)
  }

  undoDelete(entry: Placed, count: number): void {
    this.add(1, -count)
    if (this.#order === 'queue') this.first = this.#position(entry)
    else if (this.#order === 'stack') this.last = this.#position(entry) + 1
  }

  add(entries: number, count: number): void {
    this.entries += entries
    this.count += count
    this.changed = true
  }

  #position(entry: Placed): number {
    const { id } = entry
    return typeof id === 'number' ? id : (decodeKey(entry.key.slice(this.domain.length)) as number)
  }
}

export function decodeSummary(key: string, payload: Uint8Array): Summary {
  const { value } = decodeValue(payload, 0, payload.length)
  if (!Array.isArray(value) || value.length !== 4 || !value.every(Number.isSafeInteger)) {
    throw damaged(key, 'it is no summary')
  }
  return value as unknown as Summary
}
