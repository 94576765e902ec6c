/**
 * What a log record holds: mutations, in the order they were applied. Format: docs/format.md, "Records". Pure.
 *
 *   mutation = op u8 (1 put, 2 delete) | key length u16 | value length u32 (0 for delete) | key | value (an envelope)
 */
import { HoldfastError } from '../base/index.ts'

export const mutationHeaderBytes = 7
export const op = { put: 1, delete: 2 } as const

export interface Mutation {
  readonly key: string
  /** Position of the envelope in the record; -1 when the mutation deletes. */
  readonly valueStart: number
  readonly valueLength: number
}

/** Writes everything of a mutation but its value; answers where the value goes. */
export function writeMutationHeader(
  target: Buffer,
  position: number,
  operation: number,
  key: string,
  valueLength: number,
): number {
  target[position] = operation
  target.writeUInt16LE(key.length, position + 1)
  target.writeUInt32LE(valueLength, position + 3)
  target.write(key, position + mutationHeaderBytes, key.length, 'latin1')
  return position + mutationHeaderBytes + key.length
}

/** Calls `visit` for each mutation. HOLDFAST_CORRUPT when the bytes are no record: the frame's checksum was good, so a bug or forgery. */
export function decodeRecord(record: Buffer, sequence: number, visit: (mutation: Mutation) => void): void {
  let position = 0
  while (position < record.length) {
    if (position + mutationHeaderBytes > record.length) throw malformed(sequence, position)
    const operation = record[position]
    const keyLength = record.readUInt16LE(position + 1)
    const valueLength = record.readUInt32LE(position + 3)
    const keyStart = position + mutationHeaderBytes
    const valueStart = keyStart + keyLength
    const end = valueStart + valueLength
    const known = operation === op.put || (operation === op.delete && valueLength === 0)
    if (!known || end > record.length) throw malformed(sequence, position)
    const key = record.toString('latin1', keyStart, valueStart)
    visit({ key, valueStart: operation === op.put ? valueStart : -1, valueLength })
    position = end
  }
}

function malformed(sequence: number, position: number): HoldfastError {
  return new HoldfastError('HOLDFAST_CORRUPT', `record ${sequence} of the log is malformed at byte ${position}`, {
    detail: { sequence, position },
  })
}
