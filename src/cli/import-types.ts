import type { Assignment } from '../index.ts'

export interface ImportCounts {
  /** Written by this import. */
  readonly created: number
  /** Stored already, with the same content. */
  readonly existing: number
  /** Last line whose batch is written. */
  readonly lastLine: number
  readonly bytesRead: number
}

/** An assignment and the line it came from. */
export interface ImportItem {
  readonly line: number
  readonly assignment: Assignment
}

/** Where an import stands: the line it is at, and what is written so far. */
export interface ImportPosition {
  readonly name: string
  readonly line: number
  readonly counts: ImportCounts
}
