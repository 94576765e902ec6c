const HASHED_CHARACTERS = 16

/**
 * Which of `count` partitions (at most 65536) holds the key: FNV-1a over its length and every second of its last 16
 * characters, because keys of a kind differ towards the end and each character read costs several nanoseconds.
 */
export function partitionOf(key: string, count: number): number {
  const { length } = key
  const from = length > HASHED_CHARACTERS ? length - HASHED_CHARACTERS : 0
  let hash = 0x811c9dc5 ^ length
  for (let i = length - 1; i >= from; i -= 2) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  // The high half of the hash, where every character counts, scaled to the number of partitions.
  return ((hash >>> 16) * count) >>> 16
}
