import { code } from './message-pack.ts'

/** What encoding needs to know about objects with one sequence of keys: computed once, used for every such object. */
export interface Shape {
  /** Keys in the object's own order: what an object must have to be of this shape. */
  readonly keys: readonly string[]
  /** The same keys in canonical order. */
  readonly sorted: readonly string[]
  /** `encoded[i]` is `sorted[i]` as a MessagePack string. */
  readonly encoded: readonly Uint8Array[]
}

/** Objects with more keys, or longer ones, are data rather than records: their shape is not kept. */
export const keysMax = 64
export const keyLengthMax = 64

const firstKeysMax = 1024
const shapesPerFirstKey = 8

// By first key. An empty list records that the first key was seen once: only shapes that come again are worth keeping,
// so that maps with ever new keys neither fill the table nor pay for it.
let shapes = new Map<string, Shape[]>()

/** The cached shape of an object whose `Object.keys` are `keys`; undefined when it is not (yet) worth caching. */
export function shapeOf(keys: readonly string[]): Shape | undefined {
  const first = keys[0]
  if (first === undefined) return undefined
  const candidates = shapes.get(first)
  if (candidates !== undefined) {
    for (let i = 0; i < candidates.length; i++) {
      const shape = candidates[i] as Shape
      if (sameKeys(shape.keys, keys)) return shape
    }
  }
  return admit(first, candidates, keys)
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  const length = a.length
  if (length !== b.length) return false
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return false
  }
  return true
}

function admit(first: string, candidates: Shape[] | undefined, keys: readonly string[]): Shape | undefined {
  if (keys.length > keysMax || keys.some((key) => key.length > keyLengthMax || !isWellFormed(key))) return undefined
  if (candidates === undefined) {
    if (shapes.size >= firstKeysMax) shapes = new Map()
    shapes.set(first, [])
    return undefined
  }
  const sorted = sortKeys(keys)
  const shape = { keys, sorted, encoded: sorted.map(encodeKeyString) }
  if (candidates.length >= shapesPerFirstKey) candidates.pop()
  candidates.unshift(shape)
  return shape
}

/** A key as a MessagePack string; only for keys within `keyLengthMax`, whose UTF-8 form has fewer than 256 bytes. */
export function encodeKeyString(key: string): Uint8Array {
  const text = Buffer.from(key, 'utf8')
  if (text.length < 32) return Uint8Array.of(code.fixString | text.length, ...text)
  return Uint8Array.of(code.string8, text.length, ...text)
}

/** `keys` in the order of their UTF-8 bytes; `keys` itself when it already is in order. */
export function sortKeys(keys: readonly string[]): readonly string[] {
  for (let i = 1; i < keys.length; i++) {
    if (compareUtf8(keys[i - 1] as string, keys[i] as string) > 0) return [...keys].sort(compareUtf8)
  }
  return keys
}

/**
 * Order of the UTF-8 bytes of two well-formed strings. It differs from the order of UTF-16 units in one case only:
 * a surrogate (a character beyond U+FFFF) sorts after U+E000..U+FFFF in UTF-8 and before them in UTF-16.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xAbove = isSurrogate(x)
    return xAbove === isSurrogate(y) ? x - y : xAbove ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

/** False for a string with a lone surrogate, which has no UTF-8 form. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
