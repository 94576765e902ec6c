/**
 * What a log record holds: mutations, in the order they were applied. Format: docs/format.md, "Records". Pure.
 *
 *   mutation = op u8 (1 put, 2 delete) | key length u16 | value length u32 | key | value
 *   The value of a put is an envelope, that of a delete a note: why it went, for those who watch. Mostly empty.
 */
import { HoldfastError } from '../base/index.ts'

export const mutationHeaderBytes = 7
export const op = { put: 1, delete: 2 } as const
/** Longest note of a delete. */
export const noteBytesMax = 16

export interface Mutation {
  readonly key: string
  readonly deletes: boolean
  /** Position in the record of the envelope or, when it deletes, of the note. */
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
    const known = operation === op.put || (operation === op.delete && valueLength <= noteBytesMax)
    if (!known || end > record.length) throw malformed(sequence, position)
    const key = record.toString('latin1', keyStart, valueStart)
    visit({ key, deletes: operation === op.delete, valueStart, valueLength })
    position = end
  }
}

function malformed(sequence: number, position: number): HoldfastError {
  return new HoldfastError('HOLDFAST_CORRUPT', `record ${sequence} of the log is malformed at byte ${position}`, {
    detail: { sequence, position },
  })
}
