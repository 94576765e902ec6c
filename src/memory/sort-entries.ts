import type { Entry } from './entry.ts'

const PRESORT_MIN = 256
/** Four key bytes and the index must fit the 53 bits of an exact number. */
const PRESORT_MAX = 1 << 21
const SAMPLES = 32

/**
 * Sorts in place by key. String comparisons dominate here, so a large list is first put nearly in order by the four
 * bytes that follow the keys' common prefix, packed into numbers, which sort natively; the sort proper then has few
 * comparisons left, and is what makes the order right whatever the first pass did.
 */
export function sortEntries(entries: Entry[]): void {
  if (isSorted(entries)) return
  if (entries.length >= PRESORT_MIN && entries.length <= PRESORT_MAX) presort(entries)
  entries.sort(byKey)
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function isSorted(entries: readonly Entry[]): boolean {
  let last = ''
  for (const { key } of entries) {
    if (key < last) return false
    last = key
  }
  return true
}

function presort(entries: Entry[]): void {
  const at = sampledPrefixLength(entries)
  const packed = new Float64Array(entries.length)
  for (let i = 0; i < entries.length; i++) {
    packed[i] = fourBytes(entries[i]?.key ?? '', at) * PRESORT_MAX + i
  }
  packed.sort()
  const unsorted = entries.slice()
  for (let i = 0; i < entries.length; i++) {
    const entry = unsorted[(packed[i] ?? 0) % PRESORT_MAX]
    if (entry !== undefined) entries[i] = entry
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
