import { releasing } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import { encodeRange } from './key-range.ts'
import type { KeyValueEntries } from './key-value-entries.ts'
import type { KeyRange } from './types.ts'

export type Wanted = 'keys' | 'values' | 'entries'
type Items = AsyncGenerator<unknown, void, undefined>

/**
 * A snapshot as of this call, also of what has expired by then. TypeError at once for what is no range. What comes out is
 * acknowledged.
 */
export function readRange(entries: KeyValueEntries, range: KeyRange | undefined, wanted: Wanted): Items {
  const { reverse, limit, ...bounds } = encodeRange(range)
  const now = entries.now()
  // With nothing past its deadline the scan itself can stop at the limit: an entry is at least one item.
  const atMost = limit !== Number.POSITIVE_INFINITY && entries.settle() ? { limit } : {}
  const scan = entries.space.scan({ ...bounds, reverse, ...atMost })
  return releasing(read(entries, scan, { reverse, limit, now, wanted }), () => scan.return())
}

interface Reading {
  readonly reverse: boolean
  readonly limit: number
  readonly now: number
  readonly wanted: Wanted
}

/** Expired entries are stepped over here, so that they do not count against the limit. */
async function* read(entries: KeyValueEntries, scan: AsyncIterable<Entry>, reading: Reading): Items {
  let left = reading.limit
  if (left === 0) return
  for await (const entry of scan) {
    const deadline = entries.space.deadlineOf(entry)
    if (deadline !== 0 && deadline <= reading.now) continue
    for (const item of itemsOf(entries, entry, reading)) {
      yield item
      if (--left === 0) return
    }
  }
}

/** A bag has several: one a value, but one key. */
function itemsOf(entries: KeyValueEntries, entry: Entry, { wanted, reverse }: Reading): unknown[] {
  const key = entries.space.keyOf(entry)
  if (wanted === 'keys') return [key]
  const values = entries.valuesOf(entry)
  if (reverse) values.reverse()
  return wanted === 'values' ? values : values.map((value) => [key, value])
}
