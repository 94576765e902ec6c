/** Ranges of keys as bounds on encoded keys. Pure. */
import { encodeKey, encodeKeyPrefix } from '../codec/index.ts'
import type { KeyRange } from './types.ts'

export interface EncodedRange {
  readonly gte?: string
  readonly lt?: string
  readonly reverse: boolean
  /** Infinity: no limit. */
  readonly limit: number
}

/** What follows an encoded key directly: no encoded key begins with another. */
const next = '\x00'

/** TypeError for what is no range. */
export function encodeRange(range: KeyRange | undefined): EncodedRange {
  if (range === undefined) return { reverse: false, limit: Number.POSITIVE_INFINITY }
  if (typeof range !== 'object' || range === null) throw new TypeError('a range is given as an object')
  const { reverse = false, limit = Number.POSITIVE_INFINITY } = range
  if (typeof reverse !== 'boolean') throw new TypeError('reverse must be true or false')
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new TypeError(`limit must be a whole number from 0 on, not ${String(limit)}`)
  return { ...boundsOf(range), reverse, limit }
}

function boundsOf({ gt, gte, lt, lte, prefix }: KeyRange): { gte?: string; lt?: string } {
  if (gt !== undefined && gte !== undefined) throw new TypeError('a range has gt or gte, not both')
  if (lt !== undefined && lte !== undefined) throw new TypeError('a range has lt or lte, not both')
  const lower = gte !== undefined ? encodeKey(gte) : gt !== undefined ? encodeKey(gt) + next : undefined
  const upper = lt !== undefined ? encodeKey(lt) : lte !== undefined ? encodeKey(lte) + next : undefined
  if (prefix === undefined)
    return { ...(lower === undefined ? {} : { gte: lower }), ...(upper === undefined ? {} : { lt: upper }) }
  if (lower !== undefined || upper !== undefined) throw new TypeError('a range has a prefix or bounds, not both')
  if (typeof prefix !== 'string' && !(prefix instanceof Uint8Array) && !Array.isArray(prefix))
    throw new TypeError('prefix must be a string, a Uint8Array or an array')
  return encodeKeyPrefix(prefix)
}
