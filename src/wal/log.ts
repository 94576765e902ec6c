import type { RecordSpace } from './group.ts'
import type { Level } from './level.ts'
import type { SegmentInfo } from './options.ts'

/** What a store needs of its log. */
export interface Log {
  readonly lastSequence: number
  readonly durableSequence: number
  space(byteLength: number): RecordSpace
  append(byteLength: number, wanted: Level): number
  isSettled(sequence: number, wanted: Level): boolean
  settled<T>(sequence: number, wanted: Level, value: T): Promise<T>
  sync(): Promise<void>
  segments(): SegmentInfo[]
  stats(): WalStats
}

export interface WalStats {
  /** Groups written, the records in them and the bytes of their frames. */
  readonly groups: number
  readonly records: number
  readonly bytes: number
  /** Syncs that made records durable. */
  readonly syncs: number
  readonly rotations: number
  /** Rotations that found a completely prepared file. */
  readonly preparedRotations: number
}
