/** Equality of cache values by what they hold. Pure. */
import { types } from 'node:util'

const { isDate, isMap, isSet, isUint8Array } = types
type Same = (a: unknown, b: unknown) => boolean

/** Whether storing the one or the other would make no difference: 0 and -0 differ, NaN is NaN. */
export function sameValue(a: unknown, b: unknown): boolean {
  return same(a, b, Object.is)
}

/** As `sameValue`, but 0 and -0 are equal, as they are in keys. */
export function equalValue(a: unknown, b: unknown): boolean {
  return same(a, b, equalPrimitive)
}

export function equalPrimitive(a: unknown, b: unknown): boolean {
  return a === b || (a !== a && b !== b)
}

/** Neither null nor an array, Map, Set, Date or byte array. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function same(a: unknown, b: unknown, primitive: Same): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return primitive(a, b)
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b, primitive)
  if (isUint8Array(a)) return isUint8Array(b) && equalBytes(a, b)
  if (isDate(a)) return isDate(b) && primitive(a.getTime(), b.getTime())
  if (isMap(a)) return isMap(b) && sameMaps(a, b, primitive)
  if (isSet(a)) return isSet(b) && sameSets(a, b, primitive)
  return isPlainObject(a) && isPlainObject(b) && sameObjects(a, b, primitive)
}

function sameItems(a: readonly unknown[], b: readonly unknown[], primitive: Same): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i], primitive)) return false
  return true
}

function sameObjects(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>, primitive: Same) {
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key], primitive))
}

function sameMaps(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>, primitive: Same): boolean {
  if (a.size !== b.size) return false
  const left = new Map(b)
  for (const [key, value] of a) {
    const suits = (other: unknown) => same(value, left.get(other), primitive)
    const partner = left.has(key) ? (suits(key) ? { key } : undefined) : partnerOf(key, left.keys(), suits, primitive)
    if (partner === undefined) return false
    left.delete(partner.key)
  }
  return true
}

function sameSets(a: ReadonlySet<unknown>, b: ReadonlySet<unknown>, primitive: Same): boolean {
  if (a.size !== b.size) return false
  const left = new Set(b)
  for (const item of a) {
    const partner = left.has(item) ? { key: item } : partnerOf(item, left, () => true, primitive)
    if (partner === undefined) return false
    left.delete(partner.key)
  }
  return true
}

/** A key equal to `key` whose place suits. Objects as keys are found by what they hold, so each is compared. */
function partnerOf(
  key: unknown,
  candidates: Iterable<unknown>,
  suits: (other: unknown) => boolean,
  primitive: Same,
): { readonly key: unknown } | undefined {
  for (const other of candidates) if (same(key, other, primitive) && suits(other)) return { key: other }
  return undefined
}
