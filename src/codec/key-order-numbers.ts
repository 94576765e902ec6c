/**
 * Numbers and bigints in one numeric order. Both begin with the largest double that is not above the value, as eight
 * bytes in numeric order. A number is that double and ends with 00. A bigint goes on with 01 and what it has more than
 * the double, so bigints between two doubles stand between them, and a bigint follows the number it equals.
 *
 * Below the lowest finite double there is no double to add to: such a bigint stands under -Infinity, followed by its
 * magnitude with all bits inverted, so that the larger magnitude comes first.
 */

const numberTag = 0x20
const exact = 0x00
const extended = 0x01
const headBytes = 10

export const numberTags: readonly number[] = [numberTag]

const bits = new DataView(new ArrayBuffer(8))

export function encodeKeyNumber(value: number): string {
  if (Number.isNaN(value)) throw new TypeError('a key cannot be NaN')
  return encodeHead(value, exact)
}

export function encodeKeyBigInt(value: bigint): string {
  const floor = doubleFloor(value)
  const head = encodeHead(floor, extended)
  if (floor === Number.NEGATIVE_INFINITY) return head + inverted(encodeMagnitude(-value))
  return head + encodeMagnitude(value - BigInt(floor))
}

/** The number or bigint encoded at `position`, and where it ends; undefined when no value is encoded so. */
export function decodeKeyNumber(
  encoded: string,
  position: number,
): { value: number | bigint; end: number } | undefined {
  const form = encoded.charCodeAt(position + headBytes - 1)
  const floor = decodeHead(encoded, position + 1)
  const next = position + headBytes
  if (Number.isNaN(floor) || Object.is(floor, -0)) return undefined
  if (form === exact) return { value: floor, end: next }
  const below = floor === Number.NEGATIVE_INFINITY
  if (form !== extended || !(below || Number.isInteger(floor))) return undefined
  const rest = decodeMagnitude(below ? inverted(encoded.slice(next)) : encoded.slice(next))
  if (rest === undefined) return undefined
  const value = below ? -rest.value : BigInt(floor) + rest.value
  return doubleFloor(value) === floor ? { value, end: next + rest.length } : undefined
}

// Doubles of one sign are ordered as their bits are; flipping the sign bit, or for negative ones every bit, orders all.
function encodeHead(value: number, form: number): string {
  bits.setFloat64(0, value === 0 ? 0 : value)
  const flip = (bits.getUint8(0) & 0x80) !== 0 ? 0xff : 0
  const b = (i: number): number => bits.getUint8(i) ^ flip
  return String.fromCharCode(numberTag, flip === 0 ? b(0) ^ 0x80 : b(0), b(1), b(2), b(3), b(4), b(5), b(6), b(7), form)
}

function decodeHead(encoded: string, position: number): number {
  const flip = (encoded.charCodeAt(position) & 0x80) !== 0 ? 0 : 0xff
  for (let i = 0; i < 8; i++) bits.setUint8(i, encoded.charCodeAt(position + i) ^ flip)
  if (flip === 0) bits.setUint8(0, bits.getUint8(0) ^ 0x80)
  return bits.getFloat64(0)
}

/** The largest double not above `value`; -Infinity below all finite ones. */
function doubleFloor(value: bigint): number {
  const nearest = Number(value)
  if (nearest === Number.NEGATIVE_INFINITY) return nearest
  if (nearest === Number.POSITIVE_INFINITY) return Number.MAX_VALUE
  return BigInt(nearest) <= value ? nearest : nextBelow(nearest)
}

/** The double just below `value`, which is neither zero nor infinite. */
function nextBelow(value: number): number {
  bits.setFloat64(0, value)
  bits.setBigInt64(0, bits.getBigInt64(0) + (value < 0 ? 1n : -1n))
  return bits.getFloat64(0)
}

// A non-negative integer as its length and its bytes: the longer, the larger. 0 has no bytes. The length is one byte, or
// ff and four bytes.
function encodeMagnitude(value: bigint): string {
  if (value === 0n) return '\x00'
  let hex = value.toString(16)
  if (hex.length % 2 !== 0) hex = `0${hex}`
  const bytes = Buffer.from(hex, 'hex')
  const length = Buffer.alloc(bytes.length < 0xff ? 1 : 5, 0xff)
  if (bytes.length < 0xff) length[0] = bytes.length
  else length.writeUInt32BE(bytes.length, 1)
  return length.toString('latin1') + bytes.toString('latin1')
}

function decodeMagnitude(encoded: string): { value: bigint; length: number } | undefined {
  const first = encoded.charCodeAt(0)
  const header = first === 0xff ? 5 : 1
  const count = first === 0xff ? Buffer.from(encoded.slice(1, 5).padEnd(4, '\0'), 'latin1').readUInt32BE() : first
  const bytes = encoded.slice(header, header + count)
  // Also false for an early end, where `count` is NaN.
  if (bytes.length !== count || bytes.startsWith('\x00') || (header === 5 && count < 0xff)) return undefined
  const value = count === 0 ? 0n : BigInt(`0x${Buffer.from(bytes, 'latin1').toString('hex')}`)
  return { value, length: header + count }
}

function inverted(bytes: string): string {
  const inverse = Buffer.from(bytes, 'latin1')
  for (let i = 0; i < inverse.length; i++) inverse[i] = ~(inverse[i] as number)
  return inverse.toString('latin1')
}
