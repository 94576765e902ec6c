import type { Entry } from './entry.ts'
import { lowerBound, mergeEntries } from './merge-entries.ts'
import { sortEntries } from './sort-entries.ts'

/**
 * The dirty entries of one domain and generation in key order, sorted only when somebody looks. A write appends to an
 * unsorted tail; a scan sorts the tail into a run, and runs merge when the newer is at least half the older, so that
 * there are few and each entry is merged a logarithmic number of times.
 *
 * Superseded and undone entries stay in here until the next merge or sweep; what counts is `isDirty`. One generation
 * holds at most one dirty entry of a key, so two dirty ones under one key are the same object (put back by an undo).
 */
export class DomainIndex {
  #tail: Entry[] = []
  #runs: Entry[][] = []

  /** Entries it holds on to, dirty or not. */
  get held(): number {
    return this.#runs.reduce((sum, run) => sum + run.length, this.#tail.length)
  }

  get runs(): number {
    return this.#runs.length
  }

  push(entry: Entry): void {
    this.#tail.push(entry)
  }

  /** Takes over all of `other`, the same domain's index of an earlier generation. */
  adopt(other: DomainIndex): void {
    this.#tail = this.#tail.concat(...other.#runs, other.#tail)
  }

  /** Forgets what is no longer dirty. */
  sweep(): void {
    this.#tail = this.#tail.filter(isDirty)
    this.#runs = this.#runs.map((run) => run.filter(isDirty)).filter((run) => run.length > 0)
  }

  /** The dirty entries with gte <= key < lt, ascending: the first `limit` of them or, with `last`, the last. */
  collect(gte: string, lt: string, limit: number, last: boolean): Entry[] {
    this.#sortTail()
    let found: Entry[] = []
    for (const run of this.#runs) found = mergeEntries(found, collectRun(run, gte, lt, limit, last))
    return truncate(found, limit, last)
  }

  #sortTail(): void {
    if (this.#tail.length === 0) return
    let run = this.#tail.filter(isDirty)
    this.#tail = []
    sortEntries(run)
    removeRepeats(run)
    let previous = this.#runs.at(-1)
    while (previous !== undefined && previous.length <= 2 * run.length) {
      this.#runs.pop()
      run = mergeEntries(run, previous.filter(isDirty))
      previous = this.#runs.at(-1)
    }
    if (run.length > 0) this.#runs.push(run)
  }
}

/** Must stay in memory: in its generation's list, and not settled. */
export function isDirty(entry: Entry): boolean {
  return entry.position >= 0 && entry.generation > 0
}

/** The first `limit` of a list or, with `last`, the last. */
export function truncate(entries: Entry[], limit: number, last: boolean): Entry[] {
  if (entries.length <= limit) return entries
  return last ? entries.slice(entries.length - limit) : entries.slice(0, limit)
}

function collectRun(run: readonly Entry[], gte: string, lt: string, limit: number, last: boolean): Entry[] {
  const from = lowerBound(run, gte, 0)
  const to = lowerBound(run, lt, from)
  const step = last ? -1 : 1
  const found: Entry[] = []
  for (let i = last ? to - 1 : from; i >= from && i < to && found.length < limit; i += step) {
    const entry = run[i]
    if (entry !== undefined && isDirty(entry)) found.push(entry)
  }
  return last ? found.reverse() : found
}

function removeRepeats(run: Entry[]): void {
  let kept = 0
  let before: Entry | undefined
  for (const entry of run) {
    if (entry !== before) run[kept++] = entry
    before = entry
  }
  run.length = kept
}
