/**
 * What the entries of the cache structures hold. Format: docs/format.md, "Cache structures". Pure.
 *
 *   payload = flags u8 | count change i32 (if flag 2) | deadline f64, ms since 1970 (kind timed) | value
 *   note of a delete = cause u8 | count change i32 (if not -1); empty: deleted, -1
 *
 * Flag 1: the entry is new. Without flag 2 the count changes by one if the entry is new, else not at all. So counts can
 * be kept through replay without knowing what an entry replaced.
 */
import { assert, HoldfastError } from '../base/index.ts'
import { printableKey } from '../codec/index.ts'

/** Kinds of envelopes, 16 to 63. Part of the format. */
export const cacheKind = {
  value: 16,
  /** A value with a deadline. */
  timed: 17,
  /** In the index of deadlines: no payload, all is in the key. */
  deadline: 18,
  summary: 19,
  /** In the index of a table: no payload. */
  partition: 20,
  shape: 21,
} as const

export const cause = { delete: 0, expire: 1, evict: 2 } as const
export type Cause = (typeof cause)[keyof typeof cause]

const newFlag = 1
const countFlag = 2
/** Largest header of a payload. */
export const headerBytesMax = 1 + 4 + 8

export interface Change {
  /** By how many entries, and by how many counted items the space changes. */
  readonly entries: number
  readonly count: number
}

export function headerLength(isNew: boolean, countChange: number, deadline: number): number {
  return 1 + (countChange === (isNew ? 1 : 0) ? 0 : 4) + (deadline === 0 ? 0 : 8)
}

/** Writes the header of a payload at `position`. `deadline` 0: none. */
export function writeHeader(
  target: Buffer,
  position: number,
  isNew: boolean,
  countChange: number,
  deadline: number,
): void {
  const implied = countChange === (isNew ? 1 : 0)
  target[position] = (isNew ? newFlag : 0) | (implied ? 0 : countFlag)
  const next = implied ? position + 1 : target.writeInt32LE(countChange, position + 1)
  if (deadline !== 0) target.writeDoubleLE(deadline, next)
}

export function valueStart(kind: number, payload: Uint8Array, offset: number): number {
  const flags = payload[offset] as number
  return offset + 1 + ((flags & countFlag) === 0 ? 0 : 4) + (kind === cacheKind.timed ? 8 : 0)
}

/** Milliseconds since 1970; 0 when the entry has none. */
export function deadlineOf(kind: number, payload: Buffer, offset: number): number {
  if (kind !== cacheKind.timed) return 0
  const flags = payload[offset] as number
  return payload.readDoubleLE(offset + 1 + ((flags & countFlag) === 0 ? 0 : 4))
}

export function changeOfPut(payload: Buffer, offset: number): Change {
  const flags = payload[offset] as number
  const entries = flags & newFlag
  return { entries, count: (flags & countFlag) === 0 ? entries : payload.readInt32LE(offset + 1) }
}

/** The note of a delete; undefined stands for the usual one. `countChange` is negative, or 0 for what is not counted. */
export function deleteNote(why: Cause, countChange: number): Buffer | undefined {
  if (why === cause.delete && countChange === -1) return undefined
  const note = Buffer.alloc(countChange === -1 ? 1 : 5)
  note[0] = why
  if (note.length > 1) note.writeInt32LE(countChange, 1)
  return note
}

export function readNote(note: Buffer): { readonly cause: Cause; readonly count: number } {
  assert(note.length === 0 || note.length === 1 || note.length === 5, 'a note has a cause and a count or neither')
  return { cause: (note[0] ?? cause.delete) as Cause, count: note.length < 5 ? -1 : note.readInt32LE(1) }
}

export function damaged(key: string, reason: string): HoldfastError {
  const name = printableKey(key)
  return new HoldfastError('HOLDFAST_CORRUPT', `the entry of key ${name} is damaged: ${reason}; run verify`, {
    detail: { key: name },
  })
}
