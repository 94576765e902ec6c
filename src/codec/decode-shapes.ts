import { encodeKeyString, isWellFormed, keyLengthMax, keysMax } from './key-shapes.ts'

/** The keys of maps that come again and again, so that reading one is a comparison of bytes instead of decoding strings. */
export interface DecodeShape {
  readonly keys: readonly string[]
  /** The encoded keys one after another; key i is at [offsets[i], offsets[i + 1]). */
  readonly bytes: Uint8Array
  readonly offsets: readonly number[]
}

const slots = 1024

/**
 * The shapes one decoder has met. Canonical messages and cache values have one each: their keys come in different orders.
 * Direct-mapped by number of keys and first key: a prediction, checked byte for byte.
 */
export class DecodeShapes {
  readonly #shapes: (DecodeShape | undefined)[] = Array.from({ length: slots })
  // Last key of the map that missed most recently: a shape is kept when it misses twice, so that maps with ever new keys
  // cost no more than their keys.
  readonly #missed: (string | undefined)[] = Array.from({ length: slots })

  /** Where a map of `count` keys has its shape, whose first key starts at `position` of a value that ends at `end`. */
  slot(count: number, source: Uint8Array, position: number, end: number): number {
    const header = source[position] as number
    const enough = position + 4 <= end
    const a = enough ? (source[position + 1] as number) : 0
    const b = enough ? (source[position + 3] as number) : 0
    return (count * 31 + header * 131 + a * 7 + b * 1031) & (slots - 1)
  }

  predicted(slot: number): DecodeShape | undefined {
    return this.#shapes[slot]
  }

  /** Learns the keys of a map that was not predicted. They are distinct and in the order the map has them. */
  learn(slot: number, keys: readonly string[]): void {
    if (keys.length > keysMax || !keys.every(isPlainKey)) return
    const last = keys[keys.length - 1]
    if (this.#missed[slot] !== last) {
      this.#missed[slot] = last
      return
    }
    const encoded = keys.map(encodeKeyString)
    const offsets = [0]
    for (const bytes of encoded) offsets.push((offsets[offsets.length - 1] as number) + bytes.length)
    this.#shapes[slot] = { keys, bytes: Buffer.concat(encoded), offsets }
  }
}

/** Where key `index` of the shape ends if it stands at `position`; -1 if it does not, or not before `end`. */
export function skipKey(shape: DecodeShape, index: number, source: Uint8Array, position: number, end: number): number {
  const { bytes, offsets } = shape
  const first = offsets[index] as number
  const length = (offsets[index + 1] as number) - first
  if (position + length > end) return -1
  for (let i = 0; i < length; i++) {
    if (source[position + i] !== bytes[first + i]) return -1
  }
  return position + length
}

// Keys with a lone surrogate are written in another form than `encodeKeyString` gives them.
function isPlainKey(key: string): boolean {
  return key !== '__proto__' && key.length <= keyLengthMax && isWellFormed(key)
}
