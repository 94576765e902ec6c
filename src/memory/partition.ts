const FNV_PRIME = 0x01000193

/**
 * Which of `count` partitions (at most 65536) holds the key: a hash of its length and eight of its last 13 characters,
 * because keys of a kind differ towards the end and every character read costs several nanoseconds. The characters are
 * picked so that 8-byte numbers, padded decimals and two-byte text all differ in some, also before a short ending.
 */
export function partitionOf(key: string, count: number): number {
  const { length } = key
  let hash = length
  if (length < 13) {
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), FNV_PRIME)
  } else {
    const end =
      at(key, length - 1) | (at(key, length - 2) << 8) | (at(key, length - 3) << 16) | (at(key, length - 5) << 24)
    const mid =
      at(key, length - 7) | (at(key, length - 8) << 8) | (at(key, length - 10) << 16) | (at(key, length - 13) << 24)
    hash = Math.imul(end ^ length, 0x9e3779b1) ^ Math.imul(mid, 0x85ebca6b)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  // The high half, where every character counts, scaled to the number of partitions.
  return ((hash >>> 16) * count) >>> 16
}

function at(key: string, index: number): number {
  return key.charCodeAt(index)
}
