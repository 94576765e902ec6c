/**
 * What one who uses a store knows: the state after each record, and how much of it was promised. After a recovery it
 * collapses to what was found; without that the next recovery would prove nothing.
 */
import { expect } from 'vitest'
import type { Level } from './operation.ts'
import { emptyState, type State } from './state.ts'

export interface KnownRecord {
  readonly sequence: number
  readonly state: State
  readonly level: Level
  /** Its promise has resolved. */
  acknowledged: boolean
}

/** How a store came down: what of the promises still binds it. */
export type Ending = 'closed' | 'process died' | 'power cut'

export class History {
  /** What was recovered, and made durable by that. */
  baseSequence = 0
  #base: State = emptyState
  records: KnownRecord[] = []
  /** Acknowledged with the promise that a power cut, or that the death of the process, takes nothing up to here. */
  #syncFloor = 0
  #osFloor = 0
  epoch = 0

  get lastSequence(): number {
    return this.baseSequence + this.records.length
  }

  get state(): State {
    return this.records.at(-1)?.state ?? this.#base
  }

  /** The highest sequence that something acknowledged rests on. */
  get acknowledgedSequence(): number {
    return this.records.findLast(({ acknowledged }) => acknowledged)?.sequence ?? this.baseSequence
  }

  stateAt(sequence: number): State {
    return sequence === this.baseSequence ? this.#base : (this.record(sequence) as KnownRecord).state
  }

  record(sequence: number): KnownRecord | undefined {
    return this.records[sequence - this.baseSequence - 1]
  }

  append(sequence: number, state: State, level: Level): KnownRecord {
    expect(sequence, 'sequences are contiguous').toBe(this.lastSequence + 1)
    const record = { sequence, state, level, acknowledged: false }
    this.records.push(record)
    return record
  }

  /** The store wrote records of its own up to `sequence`: how much it holds, and that something is past its deadline. */
  appendOwn(sequence: number): void {
    while (this.lastSequence < sequence) this.append(this.lastSequence + 1, this.state, 'buffered')
  }

  /** Everything up to `sequence` was promised at `level`. */
  promise(sequence: number, level: Level): void {
    if (level === 'sync') this.#syncFloor = Math.max(this.#syncFloor, sequence)
    if (level !== 'buffered') this.#osFloor = Math.max(this.#osFloor, sequence)
  }

  /** The lowest sequence that an opening after `ending` may find. */
  floor(ending: Ending): number {
    if (ending === 'closed') return this.lastSequence
    return ending === 'process died' ? Math.max(this.#syncFloor, this.#osFloor) : this.#syncFloor
  }

  /** What survived a power cut is on the disk, but promises that the next one spares it were void. */
  powerWasCut(): void {
    this.#osFloor = this.#syncFloor
  }

  /** The first record from which on `holds` was true of every state to this day. */
  since(holds: (state: State) => boolean): number {
    let sequence = this.lastSequence
    while (sequence > this.baseSequence && holds(this.stateAt(sequence - 1))) sequence--
    return sequence
  }

  collapse(sequence: number): void {
    this.#base = this.stateAt(sequence)
    this.baseSequence = sequence
    this.records = []
    this.#syncFloor = sequence
    this.#osFloor = sequence
  }
}
