import { encodeKeyString, keyLengthMax, keysMax } from './key-shapes.ts'

/** The keys of maps that come again and again, so that reading one is a comparison of bytes instead of decoding strings. */
export interface DecodeShape {
  readonly keys: readonly string[]
  /** The encoded keys one after another; key i is at [offsets[i], offsets[i + 1]). */
  readonly bytes: Uint8Array
  readonly offsets: readonly number[]
}

const slots = 1024

// Direct-mapped by number of keys and first key: a prediction, checked byte for byte.
const shapes: (DecodeShape | undefined)[] = Array.from({ length: slots })
// Last key of the map that missed most recently: a shape is kept when it misses twice, so that maps with ever new keys
// cost no more than their keys.
const missed: (string | undefined)[] = Array.from({ length: slots })

/** Where a map of `count` keys whose first key is encoded at `position` has its shape. */
export function shapeSlot(source: Uint8Array, position: number, count: number): number {
  const header = source[position] as number
  const a = source[position + 1] as number
  const b = source[position + 3] as number
  return (count * 31 + header * 131 + a * 7 + b * 1031) & (slots - 1)
}

export function predictedShape(slot: number): DecodeShape | undefined {
  return shapes[slot]
}

/** Learns the keys of a map that was not predicted. */
export function learnShape(slot: number, keys: readonly string[]): void {
  if (keys.length > keysMax || keys.includes('__proto__') || keys.some((key) => key.length > keyLengthMax)) return
  const last = keys[keys.length - 1]
  if (missed[slot] !== last) {
    missed[slot] = last
    return
  }
  const encoded = keys.map(encodeKeyString)
  const offsets = [0]
  for (const bytes of encoded) offsets.push((offsets[offsets.length - 1] as number) + bytes.length)
  shapes[slot] = { keys, bytes: Buffer.concat(encoded), offsets }
}
