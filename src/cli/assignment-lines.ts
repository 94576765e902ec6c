import type { Assignment } from '../schedule/index.ts'
import { parseValue, stringifyValue } from './json-value.ts'
import { FormatError, isMessage, parseWith, requireProcess } from './line-format.ts'

/** One assignment object a line, as `export` writes it. Pure; FormatError says what is wrong with the line. */
export function parseAssignmentLine(text: string): Assignment[] {
  const value = parseWith(text, parseValue)
  if (!isMessage(value)) throw new FormatError('is not a JSON object')
  const { process, slot } = value
  if (typeof process === 'string') requireProcess(process, 'process')
  else if (!(process instanceof Uint8Array && process.length === 32)) throw new FormatError('has no process')
  if (typeof slot !== 'number' && typeof slot !== 'string') throw new FormatError('has no slot')
  if (!/^(0|[1-9]\d*)$/.test(String(slot)) || !Number.isSafeInteger(Number(slot))) {
    throw new FormatError(`has the slot ${JSON.stringify(slot)}, which is not a non-negative whole number`)
  }
  const chain = value['hash-chain']
  if (chain !== undefined && typeof chain !== 'string') throw new FormatError('has a hash-chain that is not text')
  return [value as Assignment]
}

/** The line {@link parseAssignmentLine} reads back to the same content id. */
export function formatAssignmentLine(assignment: Assignment): string {
  return stringifyValue(assignment)
}
