/** Ranges of byte keys as abstract-level means them. Pure. */
import type { KeyRange } from '../cache/index.ts'

/** Bounds as abstract-level hands them down: `gte` wins over `gt`, `lte` over `lt`; limit -1 is none. */
export interface LevelRange {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse: boolean
  readonly limit: number
}

/** In the order of keys every byte array lies in [firstBytes, afterBytes). */
const firstBytes = new Uint8Array(0)
const afterBytes = ''

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

export function holdsKey(range: LevelRange, key: Uint8Array): boolean {
  const { gt, gte, lt, lte } = range
  if (gte !== undefined ? compareKeys(key, gte) < 0 : gt !== undefined && compareKeys(key, gt) <= 0) return false
  return !(lte !== undefined ? compareKeys(key, lte) > 0 : lt !== undefined && compareKeys(key, lt) >= 0)
}

/** The part of the range from `target` on, in its direction. */
export function rangeFrom(range: LevelRange, target: Uint8Array, limit: number): LevelRange {
  const { gt, gte, lt, lte, reverse } = range
  if (reverse) return { ...(gte !== undefined ? { gte } : gt !== undefined && { gt }), lte: target, reverse, limit }
  return { ...(lte !== undefined ? { lte } : lt !== undefined && { lt }), gte: target, reverse, limit }
}

/** Bounded to byte keys: keys of other types in the namespace are not the view's. */
export function keyRange(range: LevelRange): KeyRange {
  const { gt, gte, lt, lte, reverse, limit } = range
  return {
    ...(gte !== undefined ? { gte } : gt !== undefined ? { gt } : { gte: firstBytes }),
    ...(lte !== undefined ? { lte } : lt !== undefined ? { lt } : { lt: afterBytes }),
    ...(reverse && { reverse }),
    ...(limit >= 0 && Number.isFinite(limit) && { limit }),
  }
}
