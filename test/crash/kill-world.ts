/** What the killed writer writes and the survivor expects: both make it from the same numbers. */
import type { Assignment } from '../../src/index.ts'

export const writers = 4
export const writerProcess = (writer: number): string => String.fromCharCode(0x41 + writer).repeat(43)

/** Small enough that every cycle rotates, checkpoints and trims several times. */
export const killOptions = { segmentBytes: 16 * 1024, checkpointBytes: 32 * 1024, memoryBytes: 256 * 1024 }

/** `of` assignments of one record carry the same `batch`. */
export interface Origin {
  readonly writer: number
  readonly slot: number
  readonly cycle: number
  readonly batch: string
  readonly of: number
}

export function assignmentOf({ writer, slot, cycle, batch, of }: Origin): Assignment {
  const salt = (slot * 31 + cycle * 7 + writer) % 97
  const body = { data: `${batch}/`.repeat(1 + salt), signature: new Uint8Array(48).fill(salt) }
  // Now and then one that is split into linked contents, so that a record has several.
  const attachment = salt % 10 === 0 ? { attachment: `${batch}.`.repeat(900) } : {}
  return { process: writerProcess(writer), slot, writer, cycle, batch, of, body, ...attachment }
}

/** Deterministic choices for a run. */
export function choices(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
