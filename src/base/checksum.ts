import { crc32 as zlibCrc32 } from 'node:zlib'

/** CRC-32 (IEEE 802.3, as in zlib) of `data`, continuing from `seed`. */
export function crc32(data: Uint8Array | string, seed = 0): number {
  // An empty array may have no memory at all, and zlib takes that for the wish to start anew.
  return data.length === 0 ? seed : zlibCrc32(data, seed)
}
