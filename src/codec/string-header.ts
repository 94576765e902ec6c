import { code } from './message-pack.ts'
import { writeUint16, writeUint32 } from './number-bytes.ts'

/** Bytes before a string of `length` bytes of UTF-8. */
export function stringHeaderBytes(length: number): number {
  return length < 0x20 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5
}

export function writeStringHeader(bytes: Uint8Array, length: number, position: number): void {
  if (length < 0x20) {
    bytes[position] = code.fixString | length
  } else if (length < 0x100) {
    bytes[position] = code.string8
    bytes[position + 1] = length
  } else if (length < 0x10000) {
    bytes[position] = code.string16
    writeUint16(bytes, length, position + 1)
  } else {
    bytes[position] = code.string32
    writeUint32(bytes, length, position + 1)
  }
}
