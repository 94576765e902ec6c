const twoTo32 = 2 ** 32

/** Writes a non-negative safe integer as u64 little endian, without a detour through BigInt. */
export function writeU64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32LE(value % twoTo32, offset)
  target.writeUInt32LE(Math.floor(value / twoTo32), offset + 4)
}

/** Reads a u64. A value above 2^53-1 comes back inexact: `Number.isSafeInteger` tells. */
export function readU64(source: Buffer, offset: number): number {
  return source.readUInt32LE(offset + 4) * twoTo32 + source.readUInt32LE(offset)
}
