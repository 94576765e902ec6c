/**
 * What `verify` checks of the cache structures: every entry can be read, spaces hold as much as their ledgers say, and
 * indexes lead to exactly what is there. All figures are of one snapshot, so writes meanwhile raise no false alarms.
 */
import { HoldfastError } from '../base/index.ts'
import { decodeKey, decodeValue, printableKey } from '../codec/index.ts'
import type { CheckContext, CheckedEntry, Checker } from '../engine/index.ts'
import type { Caches, Standing } from './caches.ts'
import { indexKey, parseIndexKey } from './deadline-window.ts'
import { KeyDigest, Tally } from './check-tallies.ts'
import { findStrayDeadlines } from './check-deadlines.ts'
import { decodeSummary, type Summary } from './ledger.ts'
import { domainOfSummary, letter, nameOfDomain, shapeDomain } from './names.ts'
import { cacheKind, deadlineOf, valueStart } from './payload.ts'
import { TableKeys } from './check-tables.ts'

const structures: Readonly<Record<string, string>> = {
  [letter.keyValue]: 'namespace',
  [letter.loaded]: 'times of loading of namespace',
  [letter.table]: 'table',
  [letter.records]: 'records of type',
  [letter.stack]: 'stack',
  [letter.queue]: 'queue',
  [letter.returned]: 'returned items of queue',
  [letter.leased]: 'leased items of queue',
  [letter.dead]: 'dead letters of queue',
}
const positioned: ReadonlySet<string> = new Set([letter.queue, letter.returned, letter.dead, letter.stack])

export function checkCaches(caches: Caches): Checker[] {
  const check = new CacheCheck(caches)
  const counted = Object.keys(structures).map(
    (prefix, i): Checker => ({
      prefix,
      check: (entries, context) => check.entries(entries, context),
      // Once, whichever letter it is.
      ...(i === 0 ? { begin: () => check.begin(), finish: (context) => check.finish(context) } : {}),
    }),
  )
  return [
    ...counted,
    { prefix: letter.tableIndex, check: (entries, context) => check.tableIndex(entries, context) },
    { prefix: letter.deadlines, check: (entries, context) => check.deadlines(entries, context) },
    { prefix: letter.summaries, check: (entries, context) => check.summaries(entries, context) },
    { prefix: letter.shapes, check: (entries, context) => check.shapes(entries, context) },
  ]
}

class CacheCheck {
  readonly #caches: Caches
  readonly #tallies = new Map<string, Tally>()
  readonly #summaries = new Map<string, Summary>()
  readonly #shapes = new Map<string, Readonly<Record<string, unknown>>>()
  readonly #wantedDeadlines = new KeyDigest()
  readonly #foundDeadlines = new KeyDigest()
  readonly #tables = new TableKeys()
  #standing: Standing | undefined

  constructor(caches: Caches) {
    this.#caches = caches
  }

  begin(): void {
    this.#standing = this.#caches.standing()
  }

  entries(entries: readonly CheckedEntry[], context: CheckContext): Promise<void> {
    for (const entry of entries) {
      const domain = domainOf(entry.key)
      reading(entry, context, () => {
        if (entry.kind !== cacheKind.value && entry.kind !== cacheKind.timed) throw wrongKind(entry)
        const payload = asBuffer(entry.payload)
        const key = decodeKey(entry.key.slice(domain.length))
        const { value } = decodeValue(payload, valueStart(entry.kind, payload, 0), payload.length)
        this.#tallyOf(domain).add(key, value)
        if (domain[0] === letter.table) this.#tables.tuple(domain, key)
        if (domain[0] !== letter.keyValue || entry.kind !== cacheKind.timed) return
        const at = deadlineOf(entry.kind, payload, 0)
        this.#wantedDeadlines.add(indexKey(at, domain, entry.key.slice(domain.length)))
      })
    }
    return Promise.resolve()
  }

  tableIndex(entries: readonly CheckedEntry[], context: CheckContext): Promise<void> {
    for (const entry of entries) {
      reading(entry, context, () => {
        if (entry.kind !== cacheKind.partition || entry.payload.length > 0) throw wrongKind(entry)
        this.#tables.index(domainOf(entry.key), entry.key)
      })
    }
    return Promise.resolve()
  }

  deadlines(entries: readonly CheckedEntry[], context: CheckContext): Promise<void> {
    for (const entry of entries) {
      reading(entry, context, () => {
        if (entry.kind !== cacheKind.deadline || entry.payload.length > 0) throw wrongKind(entry)
        const { domain, encoded } = parseIndexKey(entry.key)
        decodeKey(encoded)
        if (domain[0] === letter.keyValue) this.#foundDeadlines.add(entry.key)
      })
    }
    return Promise.resolve()
  }

  summaries(entries: readonly CheckedEntry[], context: CheckContext): Promise<void> {
    for (const entry of entries) {
      reading(entry, context, () => {
        if (entry.kind !== cacheKind.summary) throw wrongKind(entry)
        this.#summaries.set(domainOfSummary(entry.key), decodeSummary(entry.key, asBuffer(entry.payload)))
      })
    }
    return Promise.resolve()
  }

  shapes(entries: readonly CheckedEntry[], context: CheckContext): Promise<void> {
    for (const entry of entries) {
      reading(entry, context, () => {
        if (entry.kind !== cacheKind.shape) throw wrongKind(entry)
        const { value } = decodeValue(entry.payload, 0, entry.payload.length)
        this.#shapes.set(`${entry.key.slice(shapeDomain.length)}/`, value as Readonly<Record<string, unknown>>)
      })
    }
    return Promise.resolve()
  }

  async finish(context: CheckContext): Promise<void> {
    const standing = this.#standing
    const domains = new Set([...this.#tallies.keys(), ...this.#summaries.keys(), ...(standing?.domains ?? [])])
    for (const domain of domains) {
      const known = standing?.of(domain, this.#summaries.get(domain)) ?? [0, 0, 0, 0]
      this.#checkSpace(domain, known, context)
    }
    this.#tables.compare(this.#shapes, context)
    if (!this.#wantedDeadlines.equals(this.#foundDeadlines)) await findStrayDeadlines(this.#caches, context)
  }

  #checkSpace(domain: string, [count, entries, first, last]: Summary, context: CheckContext): void {
    const tally = this.#tallies.get(domain) ?? new Tally()
    const where = placeOf(domain)
    if (tally.entries !== entries)
      context.report('cache-entries', where, `it should have ${entries} entries, and ${tally.entries} are there`)
    const items = this.#isBag(domain) ? tally.items : tally.entries
    if (items !== count) context.report('cache-count', where, `it counts ${count} items, and ${items} are there`)
    if (!positioned.has(domain[0] as string) || tally.entries === 0) return
    if (tally.lowest < first || tally.highest >= last)
      context.report(
        'cache-position',
        where,
        `its items should be from ${first} to ${last - 1}, and are from ${tally.lowest} to ${tally.highest}`,
      )
  }

  #isBag(domain: string): boolean {
    const type = this.#shapes.get(domain)?.['type']
    return type === 'bag' || type === 'duplicate-bag'
  }

  #tallyOf(domain: string): Tally {
    let tally = this.#tallies.get(domain)
    if (tally === undefined) {
      tally = new Tally()
      this.#tallies.set(domain, tally)
    }
    return tally
  }
}

/** Reports what cannot be read instead of ending the whole check. */
function reading({ key }: CheckedEntry, context: CheckContext, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof HoldfastError) && !(error instanceof RangeError)) throw error
    context.report('cache-entry', `${placeOf(domainOf(key))}, ${printableKey(key)}`, error.message)
  }
}

function wrongKind({ key, kind, payload }: CheckedEntry): HoldfastError {
  const name = printableKey(key)
  return new HoldfastError('HOLDFAST_CORRUPT', `the entry of ${name} has kind ${kind} and ${payload.length} bytes`, {
    detail: { key: name },
  })
}

function placeOf(domain: string): string {
  const structure = structures[domain[0] as string]
  return structure === undefined ? printableKey(domain) : `${structure} ${JSON.stringify(nameOfDomain(domain))}`
}

function domainOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
