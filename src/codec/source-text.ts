import { isWellFormed } from './key-shapes.ts'

/** A Buffer with `toString` as it is without its argument handling. */
export type SourceBuffer = Buffer & {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
  ucs2Slice(start: number, end: number): string
}

export function asSource(bytes: Uint8Array): SourceBuffer {
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) as SourceBuffer
}

// Up to this a few String.fromCharCode beat a call into native code, and V8 joins them into one flat string.
const inlineStringMax = 12
const { fromCharCode } = String

/** The string whose UTF-8 form is source[start, stop); undefined when they are not UTF-8. */
export function readText(source: SourceBuffer, start: number, stop: number): string | undefined {
  if (stop - start <= inlineStringMax) {
    const text = shortAscii(source, start, stop)
    if (text !== undefined) return text
  }
  const text = source.utf8Slice(start, stop)
  // Bytes that are not UTF-8 decode to U+FFFD: only where one stands the text must be written back to know.
  if (text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(source.subarray(start, stop))) return undefined
  return text
}

function shortAscii(source: Uint8Array, start: number, stop: number): string | undefined {
  let text = ''
  let at = start
  for (; at + 4 <= stop; at += 4) {
    const a = source[at] as number
    const b = source[at + 1] as number
    const c = source[at + 2] as number
    const d = source[at + 3] as number
    if ((a | b | c | d) >= 0x80) return undefined
    text += fromCharCode(a, b, c, d)
  }
  for (; at < stop; at++) {
    const a = source[at] as number
    if (a >= 0x80) return undefined
    text += fromCharCode(a)
  }
  return text
}

/** The string of the UTF-16 units source[start, stop); undefined when UTF-8 could hold it. */
export function readUnits(source: SourceBuffer, start: number, stop: number): string | undefined {
  if ((stop - start) % 2 !== 0) return undefined
  const text = source.ucs2Slice(start, stop)
  return isWellFormed(text) ? undefined : text
}
