import { bigIntExtension, code } from './message-pack.ts'
import { valueCode } from './value-format.ts'
import { writeUint16, writeUint32 } from './number-bytes.ts'

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

/** A big integer as the bytes it is written as: the number of 8-byte words and the digits to fill them with. */
export interface WideInteger {
  readonly length: number
  readonly negative: boolean
  /** Of the value, or of its complement when negative. */
  readonly hex: string
}

export function fitsWord(value: bigint): boolean {
  return value >= int64Min && value <= uint64Max
}

/** Writes a big integer that `fitsWord` in nine bytes. */
export function writeWord(bytes: Buffer, value: bigint, position: number): number {
  if (value <= int64Max) {
    bytes[position] = code.int64
    return bytes.writeBigInt64BE(value, position + 1)
  }
  bytes[position] = code.uint64
  return bytes.writeBigUInt64BE(value, position + 1)
}

/** Two's complement in the fewest whole 64-bit words, found without ever making a wider integer than the value is. */
export function measureWide(value: bigint): WideInteger {
  const negative = value < 0n
  const hex = (negative ? ~value : value).toString(16)
  const bits = hex.length * 4 - (Math.clz32(Number.parseInt(hex[0] as string, 16)) - 28)
  // One bit more for the sign.
  return { length: (Math.floor(bits / 64) + 1) * 8, negative, hex }
}

/** Most bytes of the header in front of a wide integer. */
export const wideHeaderBytesMax = 6

/** Writes a measured integer at `position`, where its length and header must fit. */
export function writeWide(bytes: Buffer, wide: WideInteger, position: number): number {
  const { length, negative, hex } = wide
  const start = writeExtensionHeader(bytes, length, position)
  const end = start + length
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  const first = end - digits.length / 2
  bytes.fill(0, start, first)
  bytes.write(digits, first, 'hex')
  if (negative) invert(bytes, start, end)
  return end
}

function writeExtensionHeader(bytes: Buffer, length: number, position: number): number {
  let end = position
  if (length === 16) {
    bytes[end++] = code.fixExt16
  } else if (length < 0x100) {
    bytes[end++] = code.ext8
    bytes[end++] = length
  } else if (length < 0x10000) {
    bytes[end++] = code.ext16
    end = writeUint16(bytes, length, end)
  } else {
    bytes[end++] = valueCode.ext32
    end = writeUint32(bytes, length, end)
  }
  bytes[end++] = bigIntExtension
  return end
}

function invert(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) bytes[i] = ~(bytes[i] as number) & 0xff
}

// What V8 can hold, a bit less than 2 ** 30 bits, and the word that a sign may add.
const wideBytesMax = 2 ** 27 + 8

/** The integer in bytes[start, end); undefined when `writeWide` would not write it so. */
export function readWide(bytes: Buffer, start: number, end: number): bigint | undefined {
  const length = end - start
  if (length % 8 !== 0 || length < 16 || length > wideBytesMax) return undefined
  const negative = (bytes[start] as number) >= 0x80
  let value: bigint
  try {
    value = negative ? readComplement(bytes, start, end) : BigInt(`0x${bytes.toString('hex', start, end)}`)
  } catch {
    // More bits than an integer of this engine can have: nothing it has written.
    return undefined
  }
  return fitsWord(value) || measureWide(value).length !== length ? undefined : value
}

function readComplement(bytes: Buffer, start: number, end: number): bigint {
  const copy = Buffer.from(bytes.subarray(start, end))
  invert(copy, 0, copy.length)
  return ~BigInt(`0x${copy.toString('hex')}`)
}
