/**
 * Where the entries of each structure live in the ordered keyspace. A space is one letter and one name; its domain is
 * `<letter><name>/`, with the name escaped so that it has no slash: no name reaches into another. Pure.
 */
import { isWellFormed, printableKey } from '../codec/index.ts'

/** What each letter's space holds. Part of the format: never reuse one. Others in use: a c h l p r ! */
export const letter = {
  keyValue: 'k',
  table: 't',
  /** Of tables whose key and partition differ: finds the partitions of a key. Not counted. */
  tableIndex: 'u',
  records: 'o',
  stack: 's',
  /** Items never handed out, oldest first. */
  queue: 'q',
  /** Items that came back, to be handed out before new ones. */
  returned: 'w',
  /** Items handed out under a lease. */
  leased: 'y',
  dead: 'd',
  /** When a value of a namespace was loaded, where somebody wants to know how old it is. */
  loaded: 'f',
  /** All deadlines of the store, in order of time. Not counted. */
  deadlines: 'x',
  summaries: 'n',
  /** What a space was opened as when it was first written to. */
  shapes: 'm',
} as const

export const summaryDomain = `${letter.summaries}/`
export const shapeDomain = `${letter.shapes}/`
export const deadlineDomain = `${letter.deadlines}/`

const counted: ReadonlySet<string> = new Set([
  ...[letter.keyValue, letter.table, letter.records, letter.stack],
  ...[letter.queue, letter.returned, letter.leased, letter.dead, letter.loaded],
])

/** Longest name, in bytes of UTF-8. */
export const nameBytesMax = 512

/** TypeError unless `name` is a string that can name a namespace, table, queue, … */
export function checkName(name: unknown, what: string): asserts name is string {
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`the name of a ${what} must be a string with something in it`)
  if (!isWellFormed(name)) throw new TypeError(`the name of a ${what} cannot have a lone surrogate`)
  if (Buffer.byteLength(name) > nameBytesMax) {
    throw new TypeError(`the name of a ${what} can have at most ${nameBytesMax} bytes, not ${Buffer.byteLength(name)}`)
  }
}

/** Domain of a space, which all its keys begin with. */
export function domainOfSpace(spaceLetter: string, name: string): string {
  const bytes = Buffer.from(name, 'utf8').toString('latin1')
  return `${spaceLetter}${bytes.replace(/[%/]/g, (c) => (c === '%' ? '%25' : '%2F'))}/`
}

/** Domain of the counted space that a key belongs to; undefined when it belongs to none. */
export function countedDomainOf(key: string): string | undefined {
  return counted.has(key[0] as string) ? key.slice(0, key.indexOf('/') + 1) : undefined
}

/** Name that a domain was made of. */
export function nameOfDomain(domain: string): string {
  const escaped = domain.slice(1, -1).replace(/%(25|2F)/g, (_, hex) => (hex === '25' ? '%' : '/'))
  return Buffer.from(escaped, 'latin1').toString('utf8')
}

export function summaryKey(domain: string): string {
  return summaryDomain + domain.slice(0, -1)
}

export function shapeKey(domain: string): string {
  return shapeDomain + domain.slice(0, -1)
}

/** Domain that a summary key is about. */
export function domainOfSummary(key: string): string {
  return `${key.slice(summaryDomain.length)}/`
}

/** For messages. */
export function describeDomain(domain: string): string {
  return printableKey(domain)
}
