/** Patterns over tuples: literals, `any`, `capture(n)`, nested in arrays, plain objects and the values of Maps. Pure. */
import { types } from 'node:util'
import { limits } from '../base/index.ts'
import { equalBytes, equalPrimitive, equalValue, isPlainObject } from './tuple-equality.ts'
import type { CacheValue, Tuple } from './types.ts'

const { isDate, isMap, isSet, isUint8Array } = types

/** Matches whatever is in its place. No value can be mistaken for it: symbols cannot be stored. */
export const any: unique symbol = Symbol('any')

/** What `capture(n)` answers. No value can be mistaken for it: instances of classes cannot be stored. */
export class Capture {
  readonly number: number

  constructor(number: number) {
    this.number = number
    Object.freeze(this)
  }
}

const few = Array.from({ length: 16 }, (_, number) => new Capture(number))

/**
 * Matches whatever is in its place and answers it. Captures are answered in order of their numbers, each number once;
 * a number that comes again matches only what equals its first. TypeError unless `number` is a whole number from 0 up.
 */
export function capture(number: number): Capture {
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new TypeError(`capture() takes a whole number from 0 up, not ${String(number)}`)
  }
  return few[number] ?? new Capture(number)
}

/** Of a plain object. */
class ObjectNode {
  readonly entries: readonly (readonly [string, unknown])[]

  constructor(entries: readonly (readonly [string, unknown])[]) {
    this.entries = entries
  }
}

class MapNode {
  readonly entries: readonly (readonly [unknown, unknown])[]

  constructor(entries: readonly (readonly [unknown, unknown])[]) {
    this.entries = entries
  }
}

/**
 * As `Pattern`, without making one: for the usual patterns of nothing but primitives, `any` and captures in ascending
 * order. What is captured, or false when the tuple does not match; undefined for any other pattern, or none at all.
 */
export function matchSimply(pattern: readonly unknown[], tuple: Tuple): CacheValue[] | false | undefined {
  const captured: CacheValue[] = []
  let matches = pattern.length === tuple.length
  let highest = -1
  for (let i = 0; i < pattern.length; i++) {
    const item = pattern[i]
    if (item === any) continue
    if (typeof item === 'object' && item !== null) {
      if (!(item instanceof Capture) || item.number <= highest) return undefined
      highest = item.number
      captured.push(tuple[i])
    } else if (typeof item === 'symbol' || typeof item === 'function') {
      return undefined
    } else if (!equalPrimitive(item, tuple[i])) {
      matches = false
    }
  }
  return matches ? captured : false
}

/** Not captured in this tuple yet. */
const NOTHING: unique symbol = Symbol('nothing')

/** A pattern that was checked, independent of the caller's arrays and objects. */
export class Pattern {
  readonly length: number
  readonly #items: readonly unknown[]
  readonly #literal: readonly boolean[]
  readonly #numbers: number[] = []
  readonly #captured: unknown[] = []
  #wildcards = 0

  /** TypeError for what is no pattern: not an array, or with something in it that no tuple can hold. */
  constructor(pattern: readonly unknown[]) {
    if (!Array.isArray(pattern)) throw new TypeError('a pattern must be an array, one item for each of the tuple')
    const literal: boolean[] = []
    const items: unknown[] = []
    for (let i = 0; i < pattern.length; i++) {
      const before = this.#wildcards
      items.push(this.#compile(pattern[i], 1))
      literal.push(this.#wildcards === before)
    }
    this.length = pattern.length
    this.#items = items
    this.#literal = literal
    this.#numbers.sort((a, b) => a - b)
  }

  /** No wildcard in this place, and none inside it. */
  isLiteral(position: number): boolean {
    return this.#literal[position] === true
  }

  /** Whether the tuple has the pattern's length and everything in it matches. */
  matches(tuple: Tuple): boolean {
    if (tuple.length !== this.length) return false
    const captured = this.#captured
    for (let i = 0; i < this.#numbers.length; i++) captured[i] = NOTHING
    for (let i = 0; i < this.length; i++) if (!this.#match(this.#items[i], tuple[i])) return false
    return true
  }

  /** Right after `matches` said yes: what was captured, in order of the numbers. */
  captured(): CacheValue[] {
    return this.#captured.slice() as CacheValue[]
  }

  // ------------------------------------------------------------------ checking

  #compile(item: unknown, depth: number): unknown {
    switch (typeof item) {
      case 'object':
        return item === null ? null : this.#compileObject(item, depth)
      case 'symbol':
        if (item !== any) throw new TypeError('a pattern cannot hold a symbol other than `any`')
        this.#wildcards++
        return item
      case 'function':
        throw new TypeError('a pattern cannot hold a function; write capture(1), with a number')
      default:
        return item
    }
  }

  #compileObject(item: object, depth: number): unknown {
    if (item instanceof Capture) {
      this.#wildcards++
      if (!this.#numbers.includes(item.number)) this.#numbers.push(item.number)
      return item
    }
    if (depth > limits.messageDepthMax) {
      throw new TypeError(`a pattern cannot be nested deeper than ${limits.messageDepthMax} levels or contain itself`)
    }
    if (Array.isArray(item)) return Array.from(item, (inner: unknown) => this.#compile(inner, depth + 1))
    if (isUint8Array(item)) return new Uint8Array(item)
    if (isDate(item)) return new Date(item.getTime())
    if (isSet(item)) return new Set(Array.from(item, (member) => this.#compileLiteral(member, 'a Set', depth)))
    if (isMap(item)) {
      return new MapNode(
        Array.from(item, ([key, value]) => [
          this.#compileLiteral(key, 'the keys of a Map', depth),
          this.#compile(value, depth + 1),
        ]),
      )
    }
    if (!isPlainObject(item)) throw new TypeError('a pattern cannot hold an instance of a class: no tuple holds one')
    return new ObjectNode(Object.entries(item).map(([key, value]) => [key, this.#compile(value, depth + 1)]))
  }

  /** Where things have no place of their own, nothing can stand for whatever is in the place. */
  #compileLiteral(item: unknown, where: string, depth: number): unknown {
    const before = this.#wildcards
    this.#compile(item, depth + 1)
    if (this.#wildcards !== before) throw new TypeError(`a pattern cannot have any or capture() in ${where}`)
    return typeof item === 'object' ? structuredClone(item) : item
  }

  // ------------------------------------------------------------------ matching

  #match(node: unknown, value: unknown): boolean {
    if (typeof node !== 'object' || node === null) return node === any || equalPrimitive(node, value)
    if (node instanceof Capture) return this.#capture(this.#numbers.indexOf(node.number), value)
    if (Array.isArray(node)) return Array.isArray(value) && this.#matchItems(node, value)
    if (node instanceof ObjectNode) return isPlainObject(value) && this.#matchObject(node.entries, value)
    if (node instanceof MapNode) return isMap(value) && this.#matchMap(node.entries, value)
    if (isUint8Array(node)) return isUint8Array(value) && equalBytes(node, value)
    return equalValue(node, value)
  }

  #capture(place: number, value: unknown): boolean {
    const first = this.#captured[place]
    if (first !== NOTHING) return equalValue(first, value)
    this.#captured[place] = value
    return true
  }

  #matchItems(nodes: readonly unknown[], values: readonly unknown[]): boolean {
    if (nodes.length !== values.length) return false
    for (let i = 0; i < nodes.length; i++) if (!this.#match(nodes[i], values[i])) return false
    return true
  }

  #matchObject(entries: ObjectNode['entries'], value: Readonly<Record<string, unknown>>): boolean {
    if (entries.length !== Object.keys(value).length) return false
    for (const [key, node] of entries) if (!Object.hasOwn(value, key) || !this.#match(node, value[key])) return false
    return true
  }

  #matchMap(entries: MapNode['entries'], value: ReadonlyMap<unknown, unknown>): boolean {
    if (entries.length !== value.size) return false
    for (const [key, node] of entries) {
      const own = ownKey(value, key)
      if (own === NOTHING || !this.#match(node, value.get(own))) return false
    }
    return true
  }
}

/** The Map's own key equal to `key`. Objects as keys are found by what they hold. */
function ownKey(map: ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (map.has(key)) return key
  if (typeof key === 'object' && key !== null) for (const own of map.keys()) if (equalValue(own, key)) return own
  return NOTHING
}
