/** Ordered scans that merge the memory tier with the backend: newest entry per key, tombstones hide, one snapshot. */
import type { BackendEntry, BackendIterator } from '../kv/index.ts'
import { type Entry, type MemoryTier, TOMBSTONE } from '../memory/index.ts'
import { type BackendAccess, cleanEntry } from './backend-access.ts'
import { releasing } from './releasing.ts'

/** What a scan reads. */
export interface ScanSource {
  readonly tier: MemoryTier
  readonly access: BackendAccess
  isAcknowledged(entry: Entry): boolean
  acknowledged(entry: Entry): Promise<void>
}

export interface ScanRange {
  /** The domain its dirty entries were put under. */
  readonly domain: string
  readonly gte: string
  readonly lt: string
  readonly reverse?: boolean
  readonly limit?: number
}

export type MergedScan = AsyncGenerator<Entry, void, undefined>

const firstBatch = 32
const largestBatch = 1024
/** A larger limit is none to the backend. */
const backendLimitMax = 2 ** 24

/** Takes both snapshots now, in one synchronous step: a checkpoint in between could otherwise hide an entry from both. */
export function startScan(source: ScanSource, range: ScanRange): MergedScan {
  const dirty = source.tier.dirtyInRange(range.domain, range.gte, range.lt, range.limit, range.reverse)
  const rows = source.access.backend.iterate({
    gte: range.gte,
    lt: range.lt,
    reverse: range.reverse === true,
    ...(range.limit === undefined || range.limit > backendLimitMax ? {} : { limit: range.limit + dirty.length }),
  })
  return releasing(merge(source, dirty, rows, range), () => rows.close())
}

export function startScanAll(source: ScanSource, prefix: string): MergedScan {
  const lt = String.fromCharCode(prefix.charCodeAt(0) + 1)
  const dirty = source.tier.dirtyAll().filter((entry) => entry.key.startsWith(prefix))
  const rows = source.access.backend.iterate({ gte: prefix, lt })
  return releasing(merge(source, dirty, rows, {}), () => rows.close())
}

async function* merge(
  source: ScanSource,
  dirty: Entry[],
  iterator: BackendIterator,
  range: Pick<ScanRange, 'reverse' | 'limit'>,
): MergedScan {
  const reader = new RowReader(iterator, range.limit)
  const direction = range.reverse === true ? -1 : 1
  let remaining = range.limit ?? Number.POSITIVE_INFINITY
  let next = 0
  try {
    await acknowledgedAll(source, dirty)
    while (remaining > 0) {
      const entry = dirty[next]
      if (!reader.ready) await reader.fill()
      const row = reader.row
      if (entry === undefined && row === undefined) return
      const order = compare(entry, row, direction)
      if (order >= 0) reader.advance()
      if (order <= 0) next++
      if (order <= 0 && entry?.kind === TOMBSTONE) continue
      remaining--
      yield order <= 0 ? (entry as Entry) : cleanEntry((row as BackendEntry).key, (row as BackendEntry).value)
    }
  } finally {
    await iterator.close()
  }
}

/** Negative: the memory entry comes first; positive: the row does; 0: both are the same key (memory wins). */
function compare(entry: Entry | undefined, row: BackendEntry | undefined, direction: number): number {
  if (entry === undefined) return 1
  if (row === undefined) return -1
  if (entry.key === row.key) return 0
  return entry.key < row.key ? -direction : direction
}

/** A scan shows nothing a crash could undo: it waits for the newest unacknowledged write it includes. */
async function acknowledgedAll(source: ScanSource, dirty: readonly Entry[]): Promise<void> {
  const waiting = dirty.filter((entry) => !source.isAcknowledged(entry))
  for (const entry of waiting) if (!source.isAcknowledged(entry)) await source.acknowledged(entry)
}

class RowReader {
  readonly #iterator: BackendIterator
  #rows: BackendEntry[] = []
  #position = 0
  #size: number
  #ended = false

  constructor(iterator: BackendIterator, limit: number | undefined) {
    this.#iterator = iterator
    this.#size = Math.min(limit ?? firstBatch, largestBatch)
  }

  /** Whether `row` is what comes next; otherwise `fill` first. */
  get ready(): boolean {
    return this.#ended || this.#position < this.#rows.length
  }

  /** Undefined at the end. */
  get row(): BackendEntry | undefined {
    return this.#rows[this.#position]
  }

  async fill(): Promise<void> {
    this.#rows = await this.#iterator.next(this.#size)
    this.#position = 0
    this.#ended = this.#rows.length < this.#size
    this.#size = Math.min(this.#size * 2, largestBatch)
  }

  advance(): void {
    this.#position++
  }
}
