import type { Entry } from './entry.ts'

const PRESORT_MIN = 256
/** Four key bytes and the index must fit the 53 bits of an exact number. */
const PRESORT_MAX = 1 << 21
const SAMPLES = 32
const INSERTION_MAX = 16

/**
 * Sorts in place by key. String comparisons, each a miss of the processor's cache, are what it costs: so a large list is
 * put in order by the four bytes after the keys' common prefix, packed into numbers, which sort natively; then the few
 * that agree in these are compared. Should the sampled prefix not have been common to all, an ordinary sort puts it right.
 */
export function sortEntries(entries: Entry[]): void {
  if (isSorted(entries)) return
  if (entries.length >= PRESORT_MIN && entries.length <= PRESORT_MAX) {
    sortByFourBytes(entries)
    if (isSorted(entries)) return
  }
  entries.sort(byKey)
}

/** Two entries of one key come in either order. */
function byKey(a: Entry, b: Entry): number {
  if (a === b) return 0
  return a.key < b.key ? -1 : 1
}

function isSorted(entries: readonly Entry[]): boolean {
  let last = ''
  for (const { key } of entries) {
    if (key < last) return false
    last = key
  }
  return true
}

function sortByFourBytes(entries: Entry[]): void {
  const at = sampledPrefixLength(entries)
  const packed = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) {
    packed[i] = fourBytes(entries[i]?.key ?? '', at) * PRESORT_MAX + i
  }
  packed.sort()
  const unsorted = entries.slice()
  let tiesFrom = 0
  let last = -1
  for (let i = 0; i < entries.length; i++) {
    const value = packed[i] ?? 0
    entries[i] = unsorted[value % PRESORT_MAX] as Entry
    const bytes = Math.floor(value / PRESORT_MAX)
    if (bytes === last) continue
    sortTies(entries, tiesFrom, i)
    tiesFrom = i
    last = bytes
  }
  sortTies(entries, tiesFrom, entries.length)
}

/** Mostly two or three. */
function sortTies(entries: Entry[], from: number, to: number): void {
  if (to - from > INSERTION_MAX) {
    const ties = entries.slice(from, to).sort(byKey)
    for (let i = 0; i < ties.length; i++) entries[from + i] = ties[i] as Entry
    return
  }
  for (let i = from + 1; i < to; i++) {
    const entry = entries[i] as Entry
    let at = i
    for (; at > from && entry.key < (entries[at - 1] as Entry).key; at--) entries[at] = entries[at - 1] as Entry
    entries[at] = entry
  }
}

function fourBytes(key: string, at: number): number {
  let bytes = 0
  for (let i = at; i < at + 4; i++) bytes = bytes * 256 + (i < key.length ? key.charCodeAt(i) & 0xff : 0)
  return bytes
}

/** Length of the prefix common to a sample; that of all keys may be shorter, which costs time and not correctness. */
function sampledPrefixLength(entries: readonly Entry[]): number {
  const first = entries[0]?.key ?? ''
  let common = first.length
  for (let s = 1; s <= SAMPLES; s++) {
    const key = entries[Math.floor(((entries.length - 1) * s) / SAMPLES)]?.key ?? ''
    let i = 0
    while (i < common && i < key.length && key.charCodeAt(i) === first.charCodeAt(i)) i++
    common = i
  }
  return common
}
