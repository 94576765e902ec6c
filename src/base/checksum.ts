import { crc32 as zlibCrc32 } from 'node:zlib'

/** CRC-32 (IEEE 802.3, as in zlib) of `data`, continuing from `seed`. */
export function crc32(data: Uint8Array | string, seed = 0): number {
  return zlibCrc32(data, seed)
}
