import type { Entry } from './entry.ts'

/** From this ratio of lengths on, searching the longer list beats walking it. */
const SPARSE_RATIO = 8

/** Index from `from` on of the first entry whose key is not below `key`. */
export function lowerBound(entries: readonly Entry[], key: string, from: number): number {
  let low = from
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && entry.key < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Merges two lists ascending by key without repeats; of two entries with one key that of `first` stays. */
export function mergeEntries(first: Entry[], second: Entry[]): Entry[] {
  if (first.length === 0) return second
  if (second.length === 0) return first
  if (first.length * SPARSE_RATIO < second.length) return mergeSparse(first, second, true)
  if (second.length * SPARSE_RATIO < first.length) return mergeSparse(second, first, false)
  return mergeDense(first, second)
}

function mergeDense(first: readonly Entry[], second: readonly Entry[]): Entry[] {
  const merged: Entry[] = []
  let i = 0
  let j = 0
  let a = first[0]
  let b = second[0]
  while (a !== undefined && b !== undefined) {
    if (a.key < b.key) {
      merged.push(a)
      a = first[++i]
    } else if (a.key === b.key) {
      b = second[++j]
    } else {
      merged.push(b)
      b = second[++j]
    }
  }
  pushRange(merged, first, i, first.length)
  pushRange(merged, second, j, second.length)
  return merged
}

/** Most of the long list is copied without a look at its keys. */
function mergeSparse(short: readonly Entry[], long: readonly Entry[], shortWins: boolean): Entry[] {
  const merged: Entry[] = []
  let from = 0
  for (const entry of short) {
    const to = lowerBound(long, entry.key, from)
    pushRange(merged, long, from, to)
    const same = long[to]
    if (same?.key !== entry.key) {
      merged.push(entry)
      from = to
    } else {
      merged.push(shortWins ? entry : same)
      from = to + 1
    }
  }
  pushRange(merged, long, from, long.length)
  return merged
}

function pushRange(target: Entry[], source: readonly Entry[], from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const entry = source[i]
    if (entry !== undefined) target.push(entry)
  }
}
