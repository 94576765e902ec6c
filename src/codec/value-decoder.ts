import { HoldfastError, limits } from '../base/index.ts'
import { DecodeShapes, skipKey } from './decode-shapes.ts'
import { bigIntExtension, code } from './message-pack.ts'
import { extension, valueCode } from './value-format.ts'
import { readWide } from './value-integers.ts'
import { isWrittenAsInteger, readFloat } from './number-bytes.ts'
import { asSource, readText, readUnits, type SourceBuffer } from './source-text.ts'

export interface DecodedValue {
  readonly value: unknown
  /** No part of it can be changed by whoever gets it: it may be handed out again. False with a Map, Set, Date or byte array inside. */
  readonly shareable: boolean
}

/** What `decodePrimitive` answers for a value that is no primitive. */
export const NOT_PRIMITIVE: unique symbol = Symbol('not primitive')

const noBytes = Buffer.alloc(0) as SourceBuffer
const { messageDepthMax } = limits
// A longer array grows as its items are read: a forged length must not reserve memory.
const reservedItemsMax = 1024
const shapes = new DecodeShapes()
const uint64Half = 2n ** 63n

// The state of the one decoding under way. Decoding runs no foreign code, so there never are two.
let source = noBytes
let position = 0
let end = 0
let shareable = true

/**
 * The value at bytes[start, end), independent of `bytes`. Plain objects and arrays come frozen all the way down.
 * HOLDFAST_CORRUPT when the bytes are not one value as `ValueEncoder` writes it.
 */
export function decodeValue(bytes: Uint8Array, start: number, stop: number): DecodedValue {
  begin(asSource(bytes), start, stop)
  try {
    const value = readValue(0)
    if (position !== end) throw damaged('more bytes follow the value')
    return { value, shareable }
  } finally {
    source = noBytes
  }
}

/**
 * The number, string, boolean, bigint, null or undefined at bytes[start, end), without any object around it.
 * `NOT_PRIMITIVE`, unread, for everything else; HOLDFAST_CORRUPT as `decodeValue`.
 */
export function decodePrimitive(bytes: Buffer, start: number, stop: number): unknown {
  // The usual small values, without the state that reading any other needs.
  if (start < stop && stop <= bytes.length) {
    const first = bytes[start] as number
    if (first < code.fixMap && start + 1 === stop) return first
    if ((first & 0xe0) === code.fixString && start + 1 + (first & 0x1f) === stop) {
      const text = readText(bytes as SourceBuffer, start + 1, stop)
      if (text !== undefined) return text
    }
  }
  begin(bytes as SourceBuffer, start, stop)
  try {
    if (!isPrimitiveNext()) return NOT_PRIMITIVE
    const value = readValue(0)
    if (position !== end) throw damaged('more bytes follow the value')
    return value
  } finally {
    source = noBytes
  }
}

function begin(bytes: SourceBuffer, start: number, stop: number): void {
  if (start >= stop || stop > bytes.length || start < 0) throw noValue(start, stop)
  source = bytes
  position = start
  end = stop
  shareable = true
}

function noValue(start: number, stop: number): HoldfastError {
  return new HoldfastError('HOLDFAST_CORRUPT', `no value can be read from byte ${start} to ${stop}; run verify`)
}

function damaged(reason: string): HoldfastError {
  const message = `a stored value is damaged: ${reason} at byte ${position}; run verify`
  return new HoldfastError('HOLDFAST_CORRUPT', message, { detail: { position } })
}

// Frozen plain containers, byte arrays and the extensions that hold containers or dates are the rest.
function isPrimitiveNext(): boolean {
  const byte = source[position] as number
  if (byte < code.fixMap || byte >= 0xe0) return true
  if (byte < code.fixString) return false
  switch (byte) {
    case code.bin8:
    case code.bin16:
    case code.bin32:
    case code.fixExt8:
    case code.array16:
    case code.array32:
    case code.map16:
    case code.map32:
      return false
    case valueCode.ext32:
      return isPrimitiveExtension()
    default:
      return true
  }
}

function isPrimitiveExtension(): boolean {
  const type = position + 5 < end ? source[position + 5] : undefined
  return type === undefined || type === bigIntExtension || type === extension.utf16
}

/** Answers where the next `count` bytes start and steps over them. */
function take(count: number): number {
  const start = position
  if (count > end - start) throw damaged('the bytes end too early')
  position = start + count
  return start
}

function readValue(depth: number): unknown {
  const byte = source[take(1)] as number
  if (byte < 0x80) return byte
  if (byte < 0x90) return readPlainObject(byte & 0x0f, depth)
  if (byte < 0xa0) return readArray(byte & 0x0f, depth)
  if (byte < 0xc0) return readString(byte & 0x1f)
  if (byte >= 0xe0) return byte - 0x100
  switch (byte) {
    case code.nil:
      return null
    case code.false:
      return false
    case code.true:
      return true
    case code.string8:
      return readString(readUnsigned(1, 0x20))
    case code.string16:
      return readString(readUnsigned(2, 0x100))
    case code.string32:
      return readString(readUnsigned(4, 0x10000))
    case code.array16:
      return readArray(readUnsigned(2, 0x10), depth)
    case code.array32:
      return readArray(readUnsigned(4, 0x10000), depth)
    case code.map16:
      return readPlainObject(readUnsigned(2, 0x10), depth)
    case code.map32:
      return readPlainObject(readUnsigned(4, 0x10000), depth)
    case valueCode.ext32:
      return readExt32(depth)
    default:
      return readScalar(byte)
  }
}

function readScalar(byte: number): unknown {
  switch (byte) {
    case code.uint8:
      return readUnsigned(1, 0x80)
    case code.uint16:
      return readUnsigned(2, 0x100)
    case code.uint32:
      return readUnsigned(4, 0x10000)
    case code.int8:
      return readNegative(1, -0x20)
    case code.int16:
      return readNegative(2, -0x80)
    case code.int32:
      return readNegative(4, -0x8000)
    case code.float64:
      return readNumberAsFloat()
    case code.int64:
      return source.readBigInt64BE(take(8))
    case code.uint64:
      return readUint64()
    case code.bin8:
      return readBytes(readUnsigned(1, 0))
    case code.bin16:
      return readBytes(readUnsigned(2, 0x100))
    case code.bin32:
      return readBytes(readUnsigned(4, 0x10000))
    default:
      return readExtension(byte)
  }
}

function readExtension(byte: number): unknown {
  switch (byte) {
    case valueCode.fixExt1:
      expectType(extension.undefined)
      if (source[take(1)] !== 0) throw damaged('an undefined that is not zero')
      return undefined
    case code.fixExt8:
      expectType(extension.date)
      return readDate()
    case code.fixExt16:
      return readBigInt(16)
    case code.ext8:
      // One of sixteen bytes has a header of its own.
      return readBigInt(readUnsigned(1, 17))
    case code.ext16:
      return readBigInt(readUnsigned(2, 0x100))
    default:
      throw damaged(`type byte 0x${byte.toString(16)}, which is not in use,`)
  }
}

function expectType(expected: number): void {
  const type = source[take(1)] as number
  if (type !== expected) throw damaged(`extension type ${type}, which is not in use here,`)
}

/** A big-endian number or length of `width` bytes that would not have fitted in a shorter form. */
function readUnsigned(width: number, least: number): number {
  const start = take(width)
  let value = source[start] as number
  for (let i = 1; i < width; i++) value = value * 0x100 + (source[start + i] as number)
  if (value < least) throw damaged('a number or length that is not in its shortest form')
  return value
}

function readNegative(width: number, above: number): number {
  const value = source.readIntBE(take(width), width)
  if (value >= above) throw damaged('a number that is not in its shortest form')
  return value
}

function readNumberAsFloat(): number {
  const value = readFloat(source, take(8))
  if (value === undefined) throw damaged('an unknown NaN')
  if (isWrittenAsInteger(value)) throw damaged('a small integer that is written as a float')
  return value
}

function readUint64(): bigint {
  const value = source.readBigUInt64BE(take(8))
  if (value < uint64Half) throw damaged('an integer that is not in its shortest form')
  return value
}

function readBigInt(length: number): bigint {
  expectType(bigIntExtension)
  const start = take(length)
  const value = readWide(source, start, position)
  if (value === undefined) throw damaged('an integer that is not in its shortest form')
  return value
}

function readDate(): Date {
  const time = readFloat(source, take(8))
  if (time === undefined) throw damaged('an unknown NaN')
  const date = new Date(time)
  // Dates hold whole milliseconds within some 270 000 years; others become another date.
  if (!Object.is(date.getTime(), time)) throw damaged('a date that no clock shows')
  shareable = false
  return date
}

function readString(length: number): string {
  const start = take(length)
  const text = readText(source, start, position)
  if (text === undefined) throw damaged('a string that is not UTF-8')
  return text
}

function readBytes(length: number): Uint8Array {
  const start = take(length)
  const bytes = new Uint8Array(length)
  bytes.set(source.subarray(start, position))
  shareable = false
  return bytes
}

function readArray(length: number, depth: number): readonly unknown[] {
  return Object.freeze(readItems(length, depth))
}

/** Checks that `count` things of at least `width` bytes can follow, and that they may lie this deep. */
function checkContainer(count: number, width: number, depth: number): void {
  if (depth >= messageDepthMax) throw damaged('a value that is nested too deeply')
  if (count * width > end - position) throw damaged('the bytes end too early')
}

function readItems(length: number, depth: number): unknown[] {
  checkContainer(length, 1, depth)
  const items: unknown[] = length <= reservedItemsMax ? new Array(length) : []
  for (let i = 0; i < length; i++) items[i] = readValue(depth + 1)
  return items
}

function readPlainObject(count: number, depth: number): object {
  const object: Record<string, unknown> = {}
  readProperties(object, count, depth)
  return Object.freeze(object)
}

function readProperties(object: Record<string, unknown>, count: number, depth: number): void {
  checkContainer(count, 2, depth)
  if (count === 0) return
  const slot = shapes.slot(count, source, position, end)
  const shape = shapes.predicted(slot)
  let done = 0
  if (shape !== undefined && shape.keys.length === count) {
    const { keys } = shape
    while (done < count) {
      const next = skipKey(shape, done, source, position, end)
      if (next < 0) break
      position = next
      object[keys[done] as string] = readValue(depth + 1)
      done++
    }
  }
  if (done < count) readRest(object, shape?.keys, done, count, slot, depth)
}

/** Reads the properties from the `done`th on, whose keys the shape did not predict; `known` are the keys before them. */
function readRest(
  object: Record<string, unknown>,
  known: readonly string[] | undefined,
  done: number,
  count: number,
  slot: number,
  depth: number,
): void {
  const keys = known === undefined ? [] : known.slice(0, done)
  for (let i = done; i < count; i++) {
    const key = readKey()
    keys.push(key)
    const value = readValue(depth + 1)
    if (key === '__proto__') defineOwn(object, key, value)
    else object[key] = value
  }
  // Twice the same key, or numbers that are not the first keys, no object has.
  const own = Object.keys(object)
  for (let i = 0; i < count; i++) {
    if (own[i] !== keys[i]) throw damaged('a key that stands twice, or keys in an order no object has,')
  }
  shapes.learn(slot, keys)
}

function readKey(): string {
  const byte = source[take(1)] as number
  if ((byte & 0xe0) === code.fixString) return readString(byte & 0x1f)
  if (byte === code.string8) return readString(readUnsigned(1, 0x20))
  if (byte === code.string16) return readString(readUnsigned(2, 0x100))
  if (byte === code.string32) return readString(readUnsigned(4, 0x10000))
  if (byte === valueCode.ext32) {
    const length = readUnsigned(4, 0)
    expectType(extension.utf16)
    return readUtf16(length)
  }
  throw damaged('a key that is not a string')
}

// Assigning `__proto__` would set the prototype; nothing is assigned so that it could.
function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function readExt32(depth: number): unknown {
  const length = readUnsigned(4, 0)
  const type = source[take(1)] as number
  if (type === extension.utf16) return readUtf16(length)
  if (type === bigIntExtension) {
    position--
    if (length < 0x10000) throw damaged('a length that is not in its shortest form')
    return readBigInt(length)
  }
  if (length > end - position) throw damaged('the bytes end too early')
  const outerEnd = end
  end = position + length
  const value = readExtendedContainer(type, depth)
  if (position !== end) throw damaged('more bytes follow in a Map, Set or object')
  end = outerEnd
  return value
}

function readUtf16(length: number): string {
  const start = take(length)
  const text = readUnits(source, start, position)
  if (text === undefined) throw damaged('a string that is not in its shortest form')
  return text
}

function readExtendedContainer(type: number, depth: number): unknown {
  switch (type) {
    case extension.map:
      shareable = false
      return readMap(readCount(code.fixMap, code.map16), depth)
    case extension.set:
      shareable = false
      return readSet(readCount(code.fixArray, code.array16), depth)
    case extension.bareObject:
      return readBareObject(readCount(code.fixMap, code.map16), depth)
    default:
      throw damaged(`extension type ${type}, which is not in use here,`)
  }
}

function readCount(fix: number, wide: number): number {
  const byte = source[take(1)] as number
  if ((byte & 0xf0) === fix) return byte & 0x0f
  if (byte === wide) return readUnsigned(2, 0x10)
  if (byte === wide + 1) return readUnsigned(4, 0x10000)
  throw damaged('a Map, Set or object without its size')
}

function readMap(count: number, depth: number): Map<unknown, unknown> {
  checkContainer(count, 2, depth)
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < count; i++) {
    const key = readUniqueable(depth)
    map.set(key, readValue(depth + 1))
  }
  if (map.size !== count) throw damaged('a Map with the same key twice')
  return map
}

function readSet(count: number, depth: number): Set<unknown> {
  checkContainer(count, 1, depth)
  const set = new Set<unknown>()
  for (let i = 0; i < count; i++) set.add(readUniqueable(depth))
  if (set.size !== count) throw damaged('a Set with the same item twice')
  return set
}

// Maps and Sets turn -0 into 0.
function readUniqueable(depth: number): unknown {
  const value = readValue(depth + 1)
  if (Object.is(value, -0)) throw damaged('a -0 where none can be')
  return value
}

function readBareObject(count: number, depth: number): object {
  const object: Record<string, unknown> = Object.create(null)
  readProperties(object, count, depth)
  return Object.freeze(object)
}
