import { encodeKeyString, isWellFormed, keyLengthMax, keysMax } from './key-shapes.ts'

/** The keys of objects that come again and again, so that reading one is a comparison of bytes instead of decoding strings. */
export interface ValueShape {
  readonly keys: readonly string[]
  /** The encoded keys one after another; key i is at [offsets[i], offsets[i + 1]). */
  readonly bytes: Uint8Array
  readonly offsets: readonly number[]
}

const slots = 1024

// Apart from the shapes of canonical messages, whose keys are in canonical order: these are in the order of the object.
// Direct-mapped: a prediction, checked byte for byte.
const shapes: (ValueShape | undefined)[] = Array.from({ length: slots })
// Last key of the object that missed most recently: a shape is kept when it misses twice, so that objects with ever new
// keys cost no more than their keys.
const missed: (string | undefined)[] = Array.from({ length: slots })

/** Where an object of `count` properties has its shape, whose first key starts at `position` of a value that ends at `end`. */
export function valueShapeSlot(count: number, source: Uint8Array, position: number, end: number): number {
  const header = source[position] as number
  const enough = position + 4 <= end
  const a = enough ? (source[position + 1] as number) : 0
  const b = enough ? (source[position + 3] as number) : 0
  return (count * 31 + header * 131 + a * 7 + b * 1031) & (slots - 1)
}

export function predictedValueShape(slot: number): ValueShape | undefined {
  return shapes[slot]
}

/** Where key `index` of the shape ends if it stands at `position`; -1 if it does not, or not before `end`. */
export function skipKey(shape: ValueShape, index: number, source: Uint8Array, position: number, end: number): number {
  const { bytes, offsets } = shape
  const first = offsets[index] as number
  const length = (offsets[index + 1] as number) - first
  if (position + length > end) return -1
  for (let i = 0; i < length; i++) {
    if (source[position + i] !== bytes[first + i]) return -1
  }
  return position + length
}

/** Learns the keys of an object that was not predicted. They are distinct and in the order an object has them. */
export function learnValueShape(slot: number, keys: readonly string[]): void {
  if (keys.length > keysMax || !keys.every(isPlainKey)) return
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

// Keys with a lone surrogate are written in another form than `encodeKeyString` gives them.
function isPlainKey(key: string): boolean {
  return key !== '__proto__' && key.length <= keyLengthMax && isWellFormed(key)
}
