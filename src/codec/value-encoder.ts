import { types } from 'node:util'
import { HoldfastError, limits } from '../base/index.ts'
import { isWellFormed } from './key-shapes.ts'
import { code } from './message-pack.ts'
import { stringHeaderBytes, writeStringHeader } from './string-header.ts'
import { ext32HeaderBytes, extension, valueCode } from './value-format.ts'
import { fitsWord, measureWide, wideHeaderBytesMax, writeWide, writeWord } from './value-integers.ts'
import { writeFloat, writeNumber, writeUint16, writeUint32 } from './number-bytes.ts'
import { describeRefused, pathOf } from './value-refusal.ts'

const scratchBytes = 64 * 1024
// A buffer that one huge value made large is given back at the next call.
const scratchKeptBytes = 4 * 1024 * 1024
// Below this a loop over the characters beats a call into native code.
const loopLengthMax = 24
// Room is asked for by upper bounds: what is over the limit for certain is refused at once, the rest when it is written.
const guessBytesMax = 256 * 1024
// Room for any header and any value of fixed size.
const headRoomBytes = 16
const { messageDepthMax, recordBytesMax } = limits
const { isDate, isMap, isSet, isUint8Array } = types
const { getOwnPropertySymbols, getPrototypeOf, keys: keysOf } = Object

// `utf8Write` is `write` without its argument handling, which costs as much as writing a short string.
type ScratchBuffer = Buffer & { utf8Write(text: string, offset: number, length: number): number }

// The state of the one encoding under way. Module variables, not fields: this is the hottest loop of a write.
let target = Buffer.alloc(0) as ScratchBuffer
let origin = 0
let encoding = false
let interrupted = false
// The containers around the value being written, and where in each of them it is.
const ancestors: (object | undefined)[] = Array.from({ length: messageDepthMax })
const places: (string | number)[] = Array.from({ length: messageDepthMax }, () => 0)

/** Writes cache values. One reusable encoder; its buffer is scratch: valid until the next call. */
export class ValueEncoder {
  #buffer = Buffer.allocUnsafeSlow(scratchBytes) as ScratchBuffer

  /** Where the bytes are, 64 KiB at least. Replaced when it grows or shrinks; bytes before `start` are kept. */
  get buffer(): Buffer {
    return this.#buffer
  }

  /**
   * Writes the value from `start` on and answers where it ends.
   * TypeError naming the path to what cannot be stored; HOLDFAST_VALUE_TOO_LARGE over `limits.recordBytesMax`.
   */
  encode(value: unknown, start: number): number {
    const buffer = this.#buffer
    // The usual small values. They run no foreign code, so they need no state that it could find half done.
    if (!encoding && start + headRoomBytes + loopLengthMax <= buffer.length && buffer.length <= scratchKeptBytes) {
      if (typeof value === 'number') return writeNumber(buffer, value, start)
      if (typeof value === 'string' && value.length <= loopLengthMax) {
        const end = writeAscii(buffer, value, start)
        if (end !== 0) return end
      }
    }
    return this.#encodeAny(value, start)
  }

  #encodeAny(value: unknown, start: number): number {
    if (encoding) throw interrupt()
    target = this.#buffer
    if (target.length > scratchKeptBytes) resize(Math.max(scratchBytes, start + headRoomBytes), start)
    origin = start
    encoding = true
    try {
      const end = writeValue(value, start, 0)
      if (interrupted) throw interrupt()
      if (end - start > recordBytesMax) throw tooLarge()
      return end
    } catch (error) {
      ancestors.fill(undefined)
      throw error
    } finally {
      this.#buffer = target
      encoding = false
      interrupted = false
    }
  }
}

// An accessor of the value being written stores something itself. It has overwritten what precedes `start`, so that
// neither of the two may go on, whatever the accessor makes of the error.
function interrupt(): TypeError {
  interrupted = true
  return new TypeError('value stores another value while it is read: an accessor in it must not write to the store')
}

function tooLarge(): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_VALUE_TOO_LARGE',
    `the value is larger than ${recordBytesMax} bytes, the most a record can hold; store it in parts`,
    { detail: { limit: recordBytesMax } },
  )
}

function refuse(reason: string, depth: number): TypeError {
  return new TypeError(`${pathOf(ancestors, places, depth)} cannot be stored: ${reason}`)
}

/** Makes `target` hold at least `bytes`, keeping what was written before `position`. */
function grow(bytes: number, position: number): void {
  const most = origin + recordBytesMax + guessBytesMax
  if (bytes > most) throw tooLarge()
  resize(Math.min(Math.max(bytes, target.length * 2), most), position)
}

function resize(bytes: number, position: number): void {
  const written = target
  target = Buffer.allocUnsafeSlow(bytes) as ScratchBuffer
  target.set(written.subarray(0, position))
}

// Every writer takes the position to write at and answers the position after what it wrote. `depth` is the number of
// containers around the value.
function writeValue(value: unknown, position: number, depth: number): number {
  if (position + headRoomBytes > target.length) grow(position + headRoomBytes, position)
  switch (typeof value) {
    case 'string':
      return writeText(value, position)
    case 'number':
      return writeNumber(target, value, position)
    case 'object':
      if (value === null) {
        target[position] = code.nil
        return position + 1
      }
      return writeObject(value, position, depth)
    case 'boolean':
      target[position] = value ? code.true : code.false
      return position + 1
    case 'undefined':
      target[position] = valueCode.fixExt1
      target[position + 1] = extension.undefined
      target[position + 2] = 0
      return position + 3
    case 'bigint':
      return writeBigInt(value, position)
    default:
      throw refuse(`it is a ${typeof value}`, depth)
  }
}

function writeBigInt(value: bigint, position: number): number {
  if (fitsWord(value)) return writeWord(target, value, position)
  const wide = measureWide(value)
  const end = position + wideHeaderBytesMax + wide.length
  if (end > target.length) grow(end, position)
  return writeWide(target, wide, position)
}

function writeObject(object: object, position: number, depth: number): number {
  const prototype: unknown = getPrototypeOf(object)
  const isArray = Array.isArray(object)
  let end: number
  if (prototype === Object.prototype && !isArray) {
    enter(object, depth)
    end = writeProperties(object as Record<string, unknown>, position, depth)
  } else if (prototype === Array.prototype && isArray) {
    enter(object, depth)
    end = writeArray(object, position, depth)
  } else {
    // Byte arrays and dates hold nothing: they may lie where a container would be too deep.
    if (isUint8Array(object)) return writeBytes(object, position)
    if (isDate(object) && prototype === Date.prototype) return writeDate(object, position)
    enter(object, depth)
    end = writeExtended(object, prototype, position, depth)
  }
  ancestors[depth] = undefined
  return end
}

function enter(object: object, depth: number): void {
  for (let i = 0; i < depth; i++) {
    if (ancestors[i] === object) throw refuse('it contains itself', depth)
  }
  if (depth >= messageDepthMax) throw refuse(`it is nested deeper than ${messageDepthMax} levels`, depth)
  ancestors[depth] = object
}

function writeExtended(object: object, prototype: unknown, position: number, depth: number): number {
  const start = position + ext32HeaderBytes
  let type: number
  let end: number
  if (isMap(object) && prototype === Map.prototype) {
    type = extension.map
    end = writeMap(object, start, depth)
  } else if (isSet(object) && prototype === Set.prototype) {
    type = extension.set
    end = writeSet(object, start, depth)
  } else if (prototype === null && !Array.isArray(object)) {
    type = extension.bareObject
    end = writeProperties(object as Record<string, unknown>, start, depth)
  } else {
    throw refuse(describeRefused(object), depth)
  }
  writeExt32Header(type, position, end)
  return end
}

function writeExt32Header(type: number, position: number, end: number): void {
  target[position] = valueCode.ext32
  writeUint32(target, end - position - ext32HeaderBytes, position + 1)
  target[position + 5] = type
}

function writeProperties(object: Readonly<Record<string, unknown>>, position: number, depth: number): number {
  if (getOwnPropertySymbols(object).length !== 0) refuseSymbols(object, depth)
  const keys = keysOf(object)
  let end = writeContainerHeader(keys.length, position, code.fixMap, code.map16)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    places[depth] = key
    end = writeText(key, end)
    end = writeValue(object[key], end, depth + 1)
  }
  return end
}

// As with strings, properties that are not enumerable do not count.
function refuseSymbols(object: object, depth: number): void {
  for (const symbol of getOwnPropertySymbols(object)) {
    if (Object.prototype.propertyIsEnumerable.call(object, symbol)) {
      throw refuse(`it has the key ${String(symbol)}, which is not a string`, depth)
    }
  }
}

function writeArray(array: readonly unknown[], position: number, depth: number): number {
  const length = array.length
  let end = writeContainerHeader(length, position, code.fixArray, code.array16)
  for (let i = 0; i < length; i++) {
    places[depth] = i
    const item = array[i]
    if (item === undefined && !(i in array)) throw refuse('it is a hole in an array', depth + 1)
    end = writeValue(item, end, depth + 1)
  }
  return end
}

function writeMap(map: ReadonlyMap<unknown, unknown>, position: number, depth: number): number {
  const size = map.size
  let end = writeContainerHeader(size, position, code.fixMap, code.map16)
  let count = 0
  for (const key of Map.prototype.keys.call(map)) {
    if (count === size) break
    places[depth] = count * 2
    end = writeValue(key, end, depth + 1)
    places[depth] = count * 2 + 1
    end = writeValue(Map.prototype.get.call(map, key), end, depth + 1)
    count++
  }
  if (count !== size || map.size !== size) throw refuse('it changes while it is read', depth)
  return end
}

function writeSet(set: ReadonlySet<unknown>, position: number, depth: number): number {
  const size = set.size
  let end = writeContainerHeader(size, position, code.fixArray, code.array16)
  let count = 0
  for (const item of Set.prototype.values.call(set)) {
    if (count === size) break
    places[depth] = count
    end = writeValue(item, end, depth + 1)
    count++
  }
  if (count !== size || set.size !== size) throw refuse('it changes while it is read', depth)
  return end
}

// `fix` holds lengths below 16 in its low bits; `wide` is the 16-bit form and `wide + 1` the 32-bit one.
function writeContainerHeader(length: number, position: number, fix: number, wide: number): number {
  // An extension's header may stand before this one: `writeValue` saw to room for both.
  if (length < 16) {
    target[position] = fix | length
    return position + 1
  }
  if (length < 0x10000) {
    target[position] = wide
    return writeUint16(target, length, position + 1)
  }
  target[position] = wide + 1
  return writeUint32(target, length, position + 1)
}

function writeDate(date: Date, position: number): number {
  target[position] = code.fixExt8
  target[position + 1] = extension.date
  return writeFloat(target, Date.prototype.getTime.call(date), position + 2)
}

function writeBytes(bytes: Uint8Array, position: number): number {
  const length = bytes.length
  if (position + headRoomBytes + length > target.length) grow(position + headRoomBytes + length, position)
  let end = position + 1
  if (length < 0x100) {
    target[position] = code.bin8
    target[end++] = length
  } else if (length < 0x10000) {
    target[position] = code.bin16
    end = writeUint16(target, length, end)
  } else {
    target[position] = code.bin32
    end = writeUint32(target, length, end)
  }
  target.set(bytes, end)
  return end + length
}

function writeText(text: string, position: number): number {
  if (text.length > loopLengthMax) return writeLongText(text, position)
  const room = position + headRoomBytes + loopLengthMax
  if (room > target.length) grow(room, position)
  return writeAscii(target, text, position) || writeLongText(text, position)
}

/** Writes a string of at most `loopLengthMax` units and answers where it ends; 0 when it is not ASCII. */
function writeAscii(bytes: Uint8Array, text: string, position: number): number {
  const length = text.length
  const start = position + 1
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return 0
    bytes[start + i] = unit
  }
  bytes[position] = code.fixString | length
  return start + length
}

// Written where it stands if it is ASCII, the usual case, and moved to make room for a longer header if it is not.
function writeLongText(text: string, position: number): number {
  const units = text.length
  // Three bytes a unit is the most UTF-8 needs; for a huge text it pays to count instead of tripling the memory.
  const bytesMax = units < 0x10000 ? units * 3 : Buffer.byteLength(text, 'utf8')
  if (position + 5 + bytesMax > target.length) grow(position + 5 + bytesMax, position)
  const guess = stringHeaderBytes(units)
  const length = target.utf8Write(text, position + guess, bytesMax)
  // utf8Write replaces a lone surrogate; ASCII, one byte a unit, cannot have one.
  if (length !== units && !isWellFormed(text)) return writeUtf16(text, position)
  const header = stringHeaderBytes(length)
  if (header !== guess) target.copyWithin(position + header, position + guess, position + guess + length)
  writeStringHeader(target, length, position)
  return position + header + length
}

function writeUtf16(text: string, position: number): number {
  const end = position + ext32HeaderBytes + text.length * 2
  if (end > target.length) grow(end, position)
  target.write(text, position + ext32HeaderBytes, 'utf16le')
  writeExt32Header(extension.utf16, position, end)
  return end
}
