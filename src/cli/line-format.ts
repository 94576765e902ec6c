import type { Message, Value } from '../content/index.ts'
import { printable } from './text.ts'

/** What is wrong with a line of input, as the end of a sentence that starts with its position. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

export function isMessage(value: Value | undefined): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** JSON as it is, without escapes: what another program wrote is data. */
export function parseJson(text: string): Value {
  return parseWith(text, (json) => JSON.parse(json) as Value)
}

/** Runs a parser and says what it disliked in the words of {@link FormatError}. */
export function parseWith(text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new FormatError(`is not valid JSON (${printable(error.message)})`, { cause: error })
  }
}

export function requireProcess(text: string, what: string): string {
  if (!isProcessName(text))
    throw new FormatError(`has the ${what} "${printable(text)}", which is not 43 base64url characters`)
  return text
}

export function isProcessName(text: string): boolean {
  return /^[A-Za-z0-9_-]{42,43}$/.test(text)
}
