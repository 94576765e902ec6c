import type { ContentId, Message } from '../content/index.ts'
import type { Report, WriteOptions } from '../engine/index.ts'

/** 32 bytes, or 43 base64url characters (42 accepted, kept as they are). */
export type ProcessId = string | Uint8Array

/** `process` as in {@link ProcessId}; `slot` a non-negative safe integer or its canonical decimal string. */
export type Assignment = Message & {
  readonly process: string | Uint8Array
  readonly slot: number | string
  readonly 'hash-chain'?: string
}

export interface AssignmentWriteOptions extends WriteOptions {
  /** Replace different content in a taken slot. Default false: HOLDFAST_SLOT_CONFLICT. */
  readonly overwrite?: boolean
  /** Fail with HOLDFAST_PREVIOUS_MISMATCH unless the head of the process is this content (null: process is empty). */
  readonly expectedPrevious?: ContentId | null
}

export interface WrittenSlot {
  readonly id: ContentId
  readonly process: string
  readonly slot: number
  /** False when the same content was there already. */
  readonly created: boolean
}

export interface Slot {
  readonly slot: number
  readonly id: ContentId
  readonly assignment: Assignment
}

export interface Latest {
  readonly slot: number
  readonly id: ContentId
  /** The `hash-chain` of the head assignment, if it has one. */
  readonly hashChain: string | undefined
}

export interface RangeOptions {
  /** First slot, inclusive. Default 0. */
  readonly from?: number
  /** Last slot, inclusive. Default: the head. */
  readonly to?: number
  readonly limit?: number
  readonly reverse?: boolean
}

export interface PageOptions {
  readonly from?: number
  readonly to?: number
  /** Slots in a page. Default 1000. */
  readonly limit?: number
}

export interface Page {
  readonly slots: Slot[]
  /** Slots missing from the first one asked for up to where the next page starts (at most 10,000 listed). */
  readonly gaps: number[]
  /** True only when more slots exist within the range. */
  readonly continues: boolean
  /** Where the next page starts, when it continues. */
  readonly next?: number
}

/** Answers the expected chain value of an assignment, or undefined when it cannot be known. */
export type ChainFunction = (current: Slot, previous: Slot | undefined) => string | undefined

export interface ChainReport extends Report {
  readonly process: string
  readonly slots: number
  /** Links from one slot to the next that were checked and hold. */
  readonly linksChecked: number
  readonly linksGood: number
  readonly gaps: number
}

export interface PruneReport extends Report {
  readonly process: string
  readonly removed: number
  /** Lowest slot still there. */
  readonly first: number | undefined
}

export interface AssignmentStore {
  write(assignment: Assignment, options?: AssignmentWriteOptions): Promise<WrittenSlot>
  /** One record: all or none. */
  writeMany(assignments: readonly Assignment[], options?: AssignmentWriteOptions): Promise<WrittenSlot[]>
  read(process: ProcessId, slot: number | string): Promise<Assignment | undefined>
  readSync(process: ProcessId, slot: number | string): Assignment | undefined
  range(process: ProcessId, options?: RangeOptions): AsyncIterable<Slot>
  page(process: ProcessId, options?: PageOptions): Promise<Page>
  list(process: ProcessId): Promise<number[]>
  latest(process: ProcessId): Promise<Latest | undefined>
  latestSync(process: ProcessId): Latest | undefined
  processes(): AsyncIterable<string>
  /** Every slot from `from` on (default 0), then new ones as they are acknowledged, until aborted. */
  tail(process: ProcessId, options?: { readonly from?: number; readonly signal?: AbortSignal }): AsyncIterable<Slot>
  verify(process: ProcessId, options?: { readonly chain?: ChainName | ChainFunction }): Promise<ChainReport>
  /** Removes the slots below `below`; the head always stays. */
  prune(process: ProcessId, options: { readonly below: number }): Promise<PruneReport>
  writeLocation(address: ProcessId, message: Message, options?: WriteOptions): Promise<ContentId>
  readLocation(address: ProcessId): Promise<Message | undefined>
}

export type ChainName = 'hyperbeam' | 'scheduler-unit'
