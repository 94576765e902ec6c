import { limits } from '../base/index.ts'
import { digestBytes, digestToId } from './content-id.ts'
import { DecodeShapes, skipKey } from './decode-shapes.ts'
import { defineBytes, type HiddenBytes } from './frozen-bytes.ts'
import { compareUtf8 } from './key-shapes.ts'
import { bigIntBytesMax, bigIntExtension, code, linkExtension } from './message-pack.ts'
import { asSource, readText, type SourceBuffer } from './source-text.ts'

/**
 * Answers the value of the content a link points to. A byte array it answers is kept, not copied: it must never change.
 */
export type LinkResolver = (id: string) => unknown

const noBytes = Buffer.alloc(0) as SourceBuffer
const { messageDepthMax } = limits
const shapes = new DecodeShapes()

// The state of the one decoding under way; a link's resolver may start another, which saves and restores it.
let source = noBytes
let position = 0
let end = 0
let resolve: LinkResolver | undefined

/**
 * The value of canonical bytes, deeply frozen and independent of `bytes`. Byte arrays in it are accessors that answer a
 * fresh copy at every access; bytes that ARE the value are answered as a fresh Uint8Array.
 * Throws an Error when the bytes are not one canonical value, without having called `resolveLink` for what follows.
 */
export function decodeCanonical(bytes: Uint8Array, resolveLink: LinkResolver): unknown {
  const outerSource = source
  const outerPosition = position
  const outerEnd = end
  const outerResolve = resolve
  source = asSource(bytes)
  position = 0
  end = bytes.length
  resolve = resolveLink
  try {
    const value = isBytesNext() ? readOwnBytes() : readValue(0)
    if (position !== end) throw malformed(`${end - position} bytes follow the value`)
    return value
  } finally {
    source = outerSource
    position = outerPosition
    end = outerEnd
    resolve = outerResolve
  }
}

function malformed(reason: string): Error {
  return new Error(`not a canonical message: ${reason} at byte ${position}`)
}

/** Answers where the next `count` bytes start and steps over them. */
function take(count: number): number {
  const start = position
  if (count > end - start) throw malformed('the bytes end too early')
  position = start + count
  return start
}

function readValue(depth: number): unknown {
  const byte = source[take(1)] as number
  if (byte < 0x80) return byte
  if (byte < 0x90) return readMap(byte & 0x0f, depth)
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
      return readString(readLength(1, 0x20))
    case code.string16:
      return readString(readLength(2, 0x100))
    case code.string32:
      return readString(readLength(4, 0x10000))
    case code.array16:
      return readArray(readLength(2, 0x10), depth)
    case code.array32:
      return readArray(readLength(4, 0x10000), depth)
    case code.map16:
      return readMap(readLength(2, 0x10), depth)
    case code.map32:
      return readMap(readLength(4, 0x10000), depth)
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
      return readFloat()
    case code.int64:
      return source.readBigInt64BE(take(8))
    case code.uint64:
      return readUint64()
    case code.fixExt16:
      return readBigInt(16)
    case code.ext8:
      return readExtension(readLength(1, 0))
    case code.ext16:
      return readBigInt(readLength(2, 0x100))
    default:
      throw malformed(`type byte 0x${byte.toString(16)} is not in use`)
  }
}

/** A big-endian length of `width` bytes that would not have fitted in a shorter form. */
function readLength(width: number, least: number): number {
  return readUnsigned(width, least)
}

function readUnsigned(width: number, least: number): number {
  const start = take(width)
  let value = source[start] as number
  for (let i = 1; i < width; i++) value = value * 0x100 + (source[start + i] as number)
  if (value < least) throw malformed('a number or length is not in its shortest form')
  return value
}

function readNegative(width: number, above: number): number {
  const value = source.readIntBE(take(width), width)
  if (value >= above) throw malformed('a number is not in its shortest form')
  return value
}

const floatBytes = new Uint8Array(8)
const floatView = new DataView(floatBytes.buffer)

function readFloat(): number {
  const start = take(8)
  for (let i = 0; i < 8; i++) floatBytes[i] = source[start + i] as number
  const value = floatView.getFloat64(0)
  if (Number.isNaN(value)) throw malformed('NaN')
  if (Number.isInteger(value) && value >= -0x80000000 && value <= 0xffffffff && !Object.is(value, -0)) {
    throw malformed('a small integer is written as a float')
  }
  return value
}

function readUint64(): bigint {
  const value = source.readBigUInt64BE(take(8))
  if (value < 2n ** 63n) throw malformed('an integer is not in its shortest form')
  return value
}

function readExtension(length: number): unknown {
  if (source[position] === linkExtension) return readLink(length)
  // Sixteen bytes have a header of their own.
  if (length === 16) throw malformed('an integer is not in its shortest form')
  return readBigInt(length)
}

function readLink(length: number): unknown {
  if (length !== digestBytes) throw malformed('a link without a 32-byte digest')
  const id = digestToId(source, take(1 + digestBytes) + 1)
  return (resolve as LinkResolver)(id)
}

function readBigInt(length: number): bigint {
  const type = source[take(1)] as number
  if (type !== bigIntExtension) throw malformed(`extension type ${type} is not in use`)
  if (length % 8 !== 0 || length < 16 || length > bigIntBytesMax) throw malformed('an integer of a wrong width')
  const start = take(length)
  const value = BigInt.asIntN(length * 8, BigInt(`0x${source.toString('hex', start, start + length)}`))
  const shorter = length - 8
  const fits = shorter === 8 ? value >= -(2n ** 63n) && value < 2n ** 64n : BigInt.asIntN(shorter * 8, value) === value
  if (fits) throw malformed('an integer is not in its shortest form')
  return value
}

function readString(length: number): string {
  const start = take(length)
  const text = readText(source, start, position)
  if (text === undefined) throw malformed('a string is not UTF-8')
  return text
}

function isBytesNext(): boolean {
  const byte = source[position] as number
  return byte >= code.bin8 && byte <= code.bin32
}

/** Reads a byte array's header and steps over it all; answers where the bytes start. */
function takeBytes(): number {
  const byte = source[take(1)] as number
  const length =
    byte === code.bin8 ? readLength(1, 0) : byte === code.bin16 ? readLength(2, 0x100) : readLength(4, 0x10000)
  return take(length)
}

function readOwnBytes(): Uint8Array {
  const start = takeBytes()
  const bytes = new Uint8Array(position - start)
  bytes.set(source.subarray(start, position))
  return bytes
}

function readHiddenBytes(): HiddenBytes {
  const start = takeBytes()
  return source.latin1Slice(start, position)
}

function readArray(length: number, depth: number): readonly unknown[] {
  if (depth >= messageDepthMax) throw malformed('nested too deeply')
  // Each item takes a byte at least: a forged length cannot make a huge array.
  if (length > end - position) throw malformed('the bytes end too early')
  const array: unknown[] = new Array(length)
  for (let i = 0; i < length; i++) {
    if (isBytesOrLinkNext() && readBytesOrLink(array, String(i))) continue
    array[i] = readValue(depth + 1)
  }
  return Object.freeze(array)
}

function readMap(count: number, depth: number): object {
  if (depth >= messageDepthMax) throw malformed('nested too deeply')
  if (count > end - position) throw malformed('the bytes end too early')
  const object: Record<string, unknown> = {}
  if (count === 0) return Object.freeze(object)
  const slot = shapes.slot(count, source, position, end)
  const shape = shapes.predicted(slot)
  let done = 0
  if (shape !== undefined && shape.keys.length === count) {
    const { keys } = shape
    while (done < count) {
      const next = skipKey(shape, done, source, position, end)
      if (next < 0) break
      position = next
      const key = keys[done] as string
      // As readProperty, without its care for `__proto__`, which no shape has.
      if (!(isBytesOrLinkNext() && readBytesOrLink(object, key))) object[key] = readValue(depth + 1)
      done++
    }
  }
  if (done < count) readRest(object, shape?.keys, done, count, slot, depth)
  return Object.freeze(object)
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
  let previous = keys[done - 1]
  for (let i = done; i < count; i++) {
    const key = readKey()
    if (previous !== undefined && compareUtf8(previous, key) >= 0) throw malformed('keys out of order')
    previous = key
    keys.push(key)
    readProperty(object, key, depth)
  }
  shapes.learn(slot, keys)
}

function readKey(): string {
  const byte = source[take(1)] as number
  if ((byte & 0xe0) === code.fixString) return readString(byte & 0x1f)
  if (byte === code.string8) return readString(readLength(1, 0x20))
  if (byte === code.string16) return readString(readLength(2, 0x100))
  if (byte === code.string32) return readString(readLength(4, 0x10000))
  throw malformed('a key is not a string')
}

function readProperty(object: Record<string, unknown>, key: string, depth: number): void {
  if (isBytesOrLinkNext() && readBytesOrLink(object, key)) return
  const value = readValue(depth + 1)
  if (key === '__proto__') defineOwn(object, key, value)
  else object[key] = value
}

function isBytesOrLinkNext(): boolean {
  const byte = source[position] as number
  return byte >= code.bin8 && byte <= code.ext8
}

/** Defines the byte array or link that comes next; false, with nothing read, when it is a big integer. */
function readBytesOrLink(object: object, key: string): boolean {
  if (source[position] !== code.ext8) {
    defineBytes(object, key, readHiddenBytes())
    return true
  }
  if (source[position + 2] !== linkExtension) return false
  const value = readValue(0)
  if (value instanceof Uint8Array) defineBytes(object, key, value)
  else defineOwn(object, key, value)
  return true
}

// Assigning `__proto__` would set the prototype; nothing is assigned so that it could.
function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}
