import { types } from 'node:util'
import { limits } from '../base/index.ts'
import { fitsBigIntExtension, refusalError } from './canonical-refusal.ts'
import { contentIdOf, digestBytes } from './content-id.ts'
import { isWellFormed, type Shape, shapeOf, sortKeys } from './key-shapes.ts'
import { bigIntExtension, code, linkBytes, linkExtension } from './message-pack.ts'
import { writeNumber } from './number-bytes.ts'
import { stringHeaderBytes, writeStringHeader } from './string-header.ts'

/** A large nested value that was replaced by a link. `bytes` is a copy of its own. */
export interface EncodedChild {
  readonly id: string
  readonly bytes: Buffer
}

export interface EncodedMessage {
  /** The canonical bytes: a view of the encoder's scratch memory, valid only until the next `encodeCanonical`. */
  readonly bytes: Buffer
  /** SHA-256 of `bytes`, 43 base64url characters. */
  readonly id: string
  /** Each different child once, a child before the child that links to it. */
  readonly children: readonly EncodedChild[]
}

const scratchBytes = 64 * 1024
// A scratch buffer that one huge message made large is given back at the next call.
const scratchKeptBytes = 4 * 1024 * 1024
// Below this a loop over the characters beats a call into native code.
const loopLengthMax = 24
const copyLengthMax = 24
const noChildren: readonly EncodedChild[] = Object.freeze([])
const { linkThresholdBytes, messageDepthMax } = limits
const { isUint8Array } = types

// The state of the one encoding under way. Module variables, not fields: this is the hottest loop of a write.
let target = Buffer.allocUnsafeSlow(scratchBytes) as ScratchBuffer
let view = new DataView(target.buffer)
let children: Map<string, EncodedChild> | undefined
let encoding = false

// `utf8Write` is `write` without its argument handling, which costs as much as writing a short string.
type ScratchBuffer = Buffer & { utf8Write(text: string, offset: number, length: number): number }

// Thrown inside, never seen outside: says only THAT some value cannot be written.
const refused = new Error('no canonical form')

/**
 * Canonical bytes, id and split-out children of a value, in one pass over it.
 * TypeError naming the path when some part has no canonical form; nothing is left behind then.
 */
export function encodeCanonical(value: unknown): EncodedMessage {
  if (encoding) return encodeWithin(value)
  if (target.length > scratchKeptBytes) useScratch(scratchBytes)
  encoding = true
  children = undefined
  try {
    const end = writeValue(value, 0, 0)
    const bytes = target.subarray(0, end)
    return { bytes, id: contentIdOf(bytes), children: children === undefined ? noChildren : listOf(children) }
  } catch (error) {
    throw error === refused ? refusalError(value) : error
  } finally {
    encoding = false
    children = undefined
  }
}

function listOf(map: ReadonlyMap<string, EncodedChild>): readonly EncodedChild[] {
  return [...map.values()]
}

// An accessor of the value being encoded encodes something itself: the outer encoding must find its state untouched.
function encodeWithin(value: unknown): EncodedMessage {
  const outer = { target, view, children }
  useScratch(scratchBytes)
  encoding = false
  try {
    return encodeCanonical(value)
  } finally {
    encoding = true
    target = outer.target
    view = outer.view
    children = outer.children
  }
}

function useScratch(bytes: number): void {
  target = Buffer.allocUnsafeSlow(bytes) as ScratchBuffer
  view = new DataView(target.buffer)
}

/** Makes `target` hold at least `bytes`, keeping what was written before `position`. */
function grow(bytes: number, position: number): void {
  const written = target
  useScratch(Math.max(bytes, written.length * 2))
  target.set(written.subarray(0, position))
}

// Every writer takes the position to write at and answers the position after what it wrote. `depth` is the number of
// containers around the value.
function writeValue(value: unknown, position: number, depth: number): number {
  // Room for any header and any fixed-size value; strings, bytes and keys see to theirs.
  if (position + 16 > target.length) grow(position + 16, position)
  switch (typeof value) {
    case 'string':
      return value.length <= loopLengthMax ? writeShortString(value, position) : writeLongString(value, position)
    case 'number':
      return writeOwnNumber(value, position)
    case 'object':
      if (value === null) {
        target[position] = code.nil
        return position + 1
      }
      return writeObject(value, position, depth)
    case 'boolean':
      target[position] = value ? code.true : code.false
      return position + 1
    case 'bigint':
      return writeBigInt(value, position)
    default:
      throw refused
  }
}

function writeObject(object: object, position: number, depth: number): number {
  if (Array.isArray(object)) return writeArray(object, position, depth)
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === null) {
    return writeMap(object as Record<string, unknown>, position, depth)
  }
  if (object instanceof Uint8Array || isUint8Array(object)) return writeBytes(object, position)
  throw refused
}

function writeMap(object: Readonly<Record<string, unknown>>, position: number, depth: number): number {
  if (depth >= messageDepthMax) throw refused
  const keys = Object.keys(object)
  let end = writeContainerHeader(keys.length, position, code.fixMap, code.map16)
  const shape = shapeOf(keys)
  if (shape !== undefined) return writeShaped(object, shape, end, depth)
  const sorted = sortKeys(keys)
  for (let i = 0; i < sorted.length; i++) {
    const key = sorted[i] as string
    if (end + 16 > target.length) grow(end + 16, end)
    end = key.length <= loopLengthMax ? writeShortString(key, end) : writeLongString(key, end)
    end = writeNested(object[key], end, depth + 1)
  }
  return end
}

function writeShaped(object: Readonly<Record<string, unknown>>, shape: Shape, position: number, depth: number): number {
  const { sorted, encoded } = shape
  let end = position
  for (let i = 0; i < sorted.length; i++) {
    const header = encoded[i] as Uint8Array
    const length = header.length
    if (end + length > target.length) grow(end + length, end)
    const bytes = target
    if (length <= copyLengthMax) {
      for (let j = 0; j < length; j++) bytes[end + j] = header[j] as number
    } else {
      bytes.set(header, end)
    }
    end = writeNested(object[sorted[i] as string], end + length, depth + 1)
  }
  return end
}

function writeArray(array: readonly unknown[], position: number, depth: number): number {
  if (depth >= messageDepthMax || Object.getPrototypeOf(array) !== Array.prototype) throw refused
  const length = array.length
  let end = writeContainerHeader(length, position, code.fixArray, code.array16)
  for (let i = 0; i < length; i++) end = writeNested(array[i], end, depth + 1)
  return end
}

/** Writes a value inside a container; one that comes out large is replaced by a link to a child. */
function writeNested(value: unknown, position: number, depth: number): number {
  const end = writeValue(value, position, depth)
  return end - position < linkThresholdBytes ? end : splitOut(position, end)
}

function splitOut(start: number, end: number): number {
  const written = target.subarray(start, end)
  const id = contentIdOf(written)
  children ??= new Map()
  if (!children.has(id)) {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    bytes.set(written)
    children.set(id, { id, bytes })
  }
  target[start] = code.ext8
  target[start + 1] = digestBytes
  target[start + 2] = linkExtension
  target.write(id, start + linkBytes - digestBytes, digestBytes, 'base64url')
  return start + linkBytes
}

// `fix` holds lengths below 16 in its low bits; `wide` is the 16-bit form and `wide + 1` the 32-bit one.
function writeContainerHeader(length: number, position: number, fix: number, wide: number): number {
  if (length < 16) {
    target[position] = fix | length
    return position + 1
  }
  if (length < 0x10000) {
    target[position] = wide
    view.setUint16(position + 1, length)
    return position + 3
  }
  target[position] = wide + 1
  view.setUint32(position + 1, length)
  return position + 5
}

function writeShortString(text: string, position: number): number {
  const length = text.length
  const start = position + (length < 0x20 ? 1 : 2)
  if (start + length > target.length) grow(start + length, position)
  const bytes = target
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return writeLongString(text, position)
    bytes[start + i] = unit
  }
  if (length < 0x20) {
    bytes[position] = code.fixString | length
  } else {
    bytes[position] = code.string8
    bytes[position + 1] = length
  }
  return start + length
}

// Written where it stands if it is ASCII, the usual case, and moved to make room for a longer header if it is not.
function writeLongString(text: string, position: number): number {
  const units = text.length
  // Three bytes a unit is the most UTF-8 needs; for a huge text it pays to count instead of tripling the memory.
  const bytesMax = units < 0x10000 ? units * 3 : Buffer.byteLength(text, 'utf8')
  if (position + 5 + bytesMax > target.length) grow(position + 5 + bytesMax, position)
  const guess = stringHeaderBytes(units)
  const length = target.utf8Write(text, position + guess, bytesMax)
  // utf8Write replaces a lone surrogate; ASCII, one byte a unit, cannot have one.
  if (length !== units && !isWellFormed(text)) throw refused
  const header = stringHeaderBytes(length)
  if (header !== guess) target.copyWithin(position + header, position + guess, position + guess + length)
  writeStringHeader(target, length, position)
  return position + header + length
}

function writeBytes(bytes: Uint8Array, position: number): number {
  const length = bytes.byteLength
  if (length > 0xffffffff) throw refused
  if (position + 5 + length > target.length) grow(position + 5 + length, position)
  let end: number
  if (length < 0x100) {
    target[position] = code.bin8
    target[position + 1] = length
    end = position + 2
  } else if (length < 0x10000) {
    target[position] = code.bin16
    view.setUint16(position + 1, length)
    end = position + 3
  } else {
    target[position] = code.bin32
    view.setUint32(position + 1, length)
    end = position + 5
  }
  target.set(bytes, end)
  return end + length
}

function writeOwnNumber(value: number, position: number): number {
  // The only value that differs from itself; its bit pattern is not defined.
  if (value !== value) throw refused
  return writeNumber(target, value, position)
}

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

function writeBigInt(value: bigint, position: number): number {
  if (value >= int64Min && value <= int64Max) {
    target[position] = code.int64
    view.setBigInt64(position + 1, value)
    return position + 9
  }
  if (value > 0n && value <= uint64Max) {
    target[position] = code.uint64
    view.setBigUint64(position + 1, value)
    return position + 9
  }
  return writeBigIntExtension(value, position)
}

// Big-endian two's complement in the fewest whole 64-bit words. Never fewer than two: smaller integers have their own form.
function writeBigIntExtension(value: bigint, position: number): number {
  if (!fitsBigIntExtension(value)) throw refused
  const sign = value < 0n ? -1n : 0n
  let words = 2
  while (value >> BigInt(words * 64 - 1) !== sign) words++
  const length = words * 8
  if (position + 4 + length > target.length) grow(position + 4 + length, position)
  const end = writeExtensionHeader(length, position)
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  target.write(hex, end, length, 'hex')
  return end + length
}

function writeExtensionHeader(length: number, position: number): number {
  let end = position
  if (length === 16) {
    target[end++] = code.fixExt16
  } else if (length < 0x100) {
    target[end++] = code.ext8
    target[end++] = length
  } else {
    target[end++] = code.ext16
    view.setUint16(end, length)
    end += 2
  }
  target[end++] = bigIntExtension
  return end
}
