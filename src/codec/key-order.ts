import { types } from 'node:util'
import { HoldfastError, limits } from '../base/index.ts'
import { printableKey } from './envelope.ts'
import { isWellFormed } from './key-shapes.ts'
import { decodeKeyNumber, encodeKeyBigInt, encodeKeyNumber, numberTags } from './key-order-numbers.ts'

/**
 * A key of an ordered structure. One total order over all of them:
 * null < false < true < numbers and bigints by value (a number before the bigint of the same value; -0 is 0) <
 * byte arrays by their bytes < strings by their UTF-8 bytes < arrays item by item (a prefix before what it begins).
 */
export type Key = null | boolean | number | bigint | string | Uint8Array | readonly Key[]

// Type tags, in the order of the types. 0x00 ends arrays, strings and bytes: below every tag and every escaped byte, it
// puts the shorter one first.
const tag = {
  end: 0x00,
  null: 0x10,
  false: 0x11,
  true: 0x12,
  bytes: 0x30,
  string: 0x40,
  array: 0x50,
} as const

const end = '\x00'

/**
 * The key as a byte string whose byte order is the order of keys, also when such strings are concatenated: none is a
 * prefix of another. TypeError for NaN, lone surrogates and anything that is no key.
 */
export function encodeKey(key: Key): string {
  return encodeAt(key, 0)
}

/** The range [gte, lt) of the encodings of all strings, byte arrays or arrays that begin with `prefix`. */
export function encodeKeyPrefix(prefix: string | Uint8Array | readonly Key[]): { gte: string; lt: string } {
  const gte = encodeKey(prefix).slice(0, -end.length)
  // The least byte string above all that begin with `gte`. The type tag is below ff, so there is always a byte to raise.
  let last = gte.length - 1
  while (gte.charCodeAt(last) === 0xff) last--
  return { gte, lt: gte.slice(0, last) + String.fromCharCode(gte.charCodeAt(last) + 1) }
}

function encodeAt(key: Key, depth: number): string {
  switch (typeof key) {
    case 'string':
      return encodeText(key)
    case 'number':
      return encodeKeyNumber(key)
    case 'bigint':
      return encodeKeyBigInt(key)
    case 'boolean':
      return key ? '\x12' : '\x11'
    case 'object':
      return encodeObject(key, depth)
    default:
      throw new TypeError(`a key cannot be ${key === undefined ? 'undefined' : `a ${typeof key}`}`)
  }
}

function encodeObject(key: null | Uint8Array | readonly Key[], depth: number): string {
  if (key === null) return '\x10'
  if (types.isUint8Array(key)) return `\x30${escape(latin1(key))}${end}`
  if (!Array.isArray(key)) {
    throw new TypeError('a key must be a string, number, bigint, boolean, null, Uint8Array or an array of these')
  }
  if (depth >= limits.messageDepthMax) {
    throw new TypeError(`a key cannot be nested deeper than ${limits.messageDepthMax} levels or contain itself`)
  }
  let encoded = '\x50'
  // By index: forEach and friends step over holes.
  for (let i = 0; i < key.length; i++) encoded += encodeAt(key[i] as Key, depth + 1)
  return encoded + end
}

function encodeText(text: string): string {
  // Nearly always ASCII without anything to escape: its own UTF-8 form.
  if (!/[^\x02-\x7f]/.test(text)) return `\x40${text}${end}`
  if (!isWellFormed(text)) throw new TypeError('a key cannot have a lone surrogate: UTF-8 cannot hold it')
  return `\x40${escape(latin1(Buffer.from(text, 'utf8')))}${end}`
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

// 0x00 is the end, so 00 becomes 01 01 and 01 becomes 01 02, which keeps the order of everything around them.
function escape(bytes: string): string {
  return bytes.replace(/[\x00\x01]/g, (byte) => (byte === '\x00' ? '\x01\x01' : '\x01\x02'))
}

/** The key that `encodeKey` made `encoded` from (-0 comes back as 0). HOLDFAST_CORRUPT when it made no such string. */
export function decodeKey(encoded: string): Key {
  const reader = new KeyReader(encoded)
  const key = reader.read(0)
  reader.finish()
  return key
}

class KeyReader {
  readonly #encoded: string
  #position = 0

  constructor(encoded: string) {
    this.#encoded = encoded
  }

  read(depth: number): Key {
    const type = this.#encoded.charCodeAt(this.#position++)
    switch (type) {
      case tag.null:
        return null
      case tag.false:
        return false
      case tag.true:
        return true
      case tag.bytes:
        return new Uint8Array(Buffer.from(this.#readEscaped(), 'latin1'))
      case tag.string:
        return this.#readText()
      case tag.array:
        return this.#readArray(depth)
      default:
        return this.#readNumber(type)
    }
  }

  finish(): void {
    if (this.#position !== this.#encoded.length) throw this.#corrupt('more follows the key')
  }

  #readNumber(type: number): number | bigint {
    if (!numberTags.includes(type)) throw this.#corrupt('unknown type or early end')
    const decoded = decodeKeyNumber(this.#encoded, this.#position - 1)
    if (decoded === undefined) throw this.#corrupt('a number is not as it is written')
    this.#position = decoded.end
    return decoded.value
  }

  #readArray(depth: number): readonly Key[] {
    if (depth >= limits.messageDepthMax) throw this.#corrupt('nested too deeply')
    const items: Key[] = []
    while (this.#encoded.charCodeAt(this.#position) !== tag.end) items.push(this.read(depth + 1))
    this.#position++
    return items
  }

  #readText(): string {
    const bytes = Buffer.from(this.#readEscaped(), 'latin1')
    const text = bytes.toString('utf8')
    if (text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(bytes))
      throw this.#corrupt('a string is not UTF-8')
    return text
  }

  #readEscaped(): string {
    const stop = this.#encoded.indexOf(end, this.#position)
    if (stop < 0) throw this.#corrupt('a string or byte array has no end')
    const escaped = this.#encoded.slice(this.#position, stop)
    this.#position = stop + end.length
    if (!escaped.includes('\x01')) return escaped
    if (!/^(?:[^\x01]|\x01[\x01\x02])*$/.test(escaped)) throw this.#corrupt('a wrong escape')
    return escaped.replace(/\x01[\x01\x02]/g, (pair) => (pair === '\x01\x01' ? '\x00' : '\x01'))
  }

  #corrupt(reason: string): HoldfastError {
    const key = printableKey(this.#encoded)
    return new HoldfastError('HOLDFAST_CORRUPT', `key ${key} is damaged: ${reason}; run verify`, { detail: { key } })
  }
}
