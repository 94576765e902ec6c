import { limits } from '../base/index.ts'

export interface InputLine {
  /** Counted from 1; empty lines count. */
  readonly number: number
  readonly text: string
  /** Bytes of input up to and including this line. */
  readonly bytesRead: number
}

/** A line that cannot be read as text. */
export class LineError extends Error {
  override readonly name = 'LineError'
  readonly lineNumber: number

  constructor(lineNumber: number, message: string) {
    super(message)
    this.lineNumber = lineNumber
  }
}

const newline = 0x0a

/**
 * Splits bytes into lines before decoding them, so a character that two chunks share stays whole. Holds one line at
 * a time. Empty lines are left out. LineError for invalid UTF-8 and for lines over `lineBytesMax`.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number = limits.recordBytesMax,
): AsyncGenerator<InputLine> {
  let parts: Uint8Array[] = []
  let partBytes = 0
  let number = 1
  let bytesRead = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end))
      partBytes += end - start
      bytesRead += end + 1 - start
      const text = decodeLine(parts, partBytes, number, lineBytesMax)
      if (text !== '') yield { number, text, bytesRead }
      parts = []
      partBytes = 0
      number += 1
      start = end + 1
    }
    if (start === chunk.length) continue
    parts.push(chunk.subarray(start))
    partBytes += chunk.length - start
    bytesRead += chunk.length - start
    if (partBytes > lineBytesMax) throw tooLong(number, lineBytesMax)
  }
  const text = decodeLine(parts, partBytes, number, lineBytesMax)
  if (text !== '') yield { number, text, bytesRead }
}

/** The text of a line without blanks around it; a byte order mark at the start of the input is dropped. */
function decodeLine(parts: readonly Uint8Array[], bytes: number, number: number, bytesMax: number): string {
  if (bytes > bytesMax) throw tooLong(number, bytesMax)
  const [first] = parts
  const whole = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: number !== 1 }).decode(whole).trim()
  } catch {
    throw new LineError(number, 'is not valid UTF-8')
  }
}

function tooLong(number: number, bytesMax: number): LineError {
  return new LineError(number, `is longer than ${bytesMax} bytes`)
}
