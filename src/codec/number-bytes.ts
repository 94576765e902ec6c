import { code } from './message-pack.ts'

/** Most bytes `writeNumber` writes. */
export const numberBytesMax = 9

const floatBytes = new Uint8Array(8)
const floatView = new DataView(floatBytes.buffer)

/** Writes a number in its shortest form at `position`, where `numberBytesMax` bytes must fit; answers where it ends. */
export function writeNumber(bytes: Uint8Array, value: number, position: number): number {
  if (value >>> 0 === value && !Object.is(value, -0)) return writeUnsigned(bytes, value, position)
  if (value >> 0 === value && value < 0) return writeNegative(bytes, value, position)
  bytes[position] = code.float64
  return writeFloat(bytes, value, position + 1)
}

function writeUnsigned(bytes: Uint8Array, value: number, position: number): number {
  if (value < 0x80) {
    bytes[position] = value
    return position + 1
  }
  if (value < 0x100) {
    bytes[position] = code.uint8
    bytes[position + 1] = value
    return position + 2
  }
  if (value < 0x10000) {
    bytes[position] = code.uint16
    return writeUint16(bytes, value, position + 1)
  }
  bytes[position] = code.uint32
  return writeUint32(bytes, value, position + 1)
}

function writeNegative(bytes: Uint8Array, value: number, position: number): number {
  if (value >= -0x20) {
    bytes[position] = value & 0xff
    return position + 1
  }
  if (value >= -0x80) {
    bytes[position] = code.int8
    bytes[position + 1] = value & 0xff
    return position + 2
  }
  if (value >= -0x8000) {
    bytes[position] = code.int16
    return writeUint16(bytes, value, position + 1)
  }
  bytes[position] = code.int32
  return writeUint32(bytes, value, position + 1)
}

/** Big-endian, as all of MessagePack. */
export function writeUint16(bytes: Uint8Array, value: number, position: number): number {
  bytes[position] = (value >>> 8) & 0xff
  bytes[position + 1] = value & 0xff
  return position + 2
}

export function writeUint32(bytes: Uint8Array, value: number, position: number): number {
  bytes[position] = value >>> 24
  bytes[position + 1] = (value >>> 16) & 0xff
  bytes[position + 2] = (value >>> 8) & 0xff
  bytes[position + 3] = value & 0xff
  return position + 4
}

export function writeFloat(bytes: Uint8Array, value: number, position: number): number {
  // NaN has many bit patterns and the language does not say which one is stored: ours is the quiet one without payload.
  if (value !== value) {
    floatView.setUint32(0, 0x7ff80000)
    floatView.setUint32(4, 0)
  } else {
    floatView.setFloat64(0, value)
  }
  for (let i = 0; i < 8; i++) bytes[position + i] = floatBytes[i] as number
  return position + 8
}

/** The float64 at `position`; undefined when it is a NaN that `writeFloat` does not write. */
export function readFloat(bytes: Uint8Array, position: number): number | undefined {
  for (let i = 0; i < 8; i++) floatBytes[i] = bytes[position + i] as number
  const value = floatView.getFloat64(0)
  if (value !== value && (floatView.getUint32(0) !== 0x7ff80000 || floatView.getUint32(4) !== 0)) return undefined
  return value
}

/** True when `writeNumber` writes `value` as an integer. */
export function isWrittenAsInteger(value: number): boolean {
  return (value >>> 0 === value || value >> 0 === value) && !Object.is(value, -0)
}
