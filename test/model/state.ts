/**
 * What a store must hold, in plain maps: one immutable state for each record. Nothing in here knows about logs,
 * partitions, checkpoints or promises. Each family of commands reads and changes its own part.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Tuple } from '../../src/index.ts'
import { emptyQueue, type QueueState } from '../support/queue-model.ts'

export interface Content {
  /** What `get` answers. */
  readonly value: unknown
  /** What `bytes` answers. */
  readonly bytes: Uint8Array
  /** Ids of the large values that were split out of it. */
  readonly links: readonly string[]
  readonly isMessage: boolean
}

export type PathEntry =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'group' }
  | { readonly type: 'link'; readonly target: string }

export interface Assigned {
  readonly id: string
  readonly chain: string | undefined
}

export interface Timed {
  readonly value: unknown
  /** Milliseconds; 0: none. */
  readonly deadline: number
}

export interface State {
  readonly contents: ReadonlyMap<string, Content>
  readonly pins: ReadonlySet<string>
  /** By real path: no links in it. */
  readonly paths: ReadonlyMap<string, PathEntry>
  readonly slots: ReadonlyMap<string, ReadonlyMap<number, Assigned>>
  readonly locations: ReadonlyMap<string, string>
  /** What the clock shows when the state is looked at. No part of what is compared. */
  readonly now: number
  readonly values: ReadonlyMap<CacheKey, Timed>
  readonly bags: ReadonlyMap<CacheKey, readonly unknown[]>
  /** By partition and key, in order of adding. */
  readonly tuples: ReadonlyMap<string, readonly Tuple[]>
  /** How many items were ever added: each is its number. */
  readonly items: number
  readonly queue: QueueState
  readonly stack: readonly unknown[]
  readonly records: ReadonlyMap<CacheKey, CacheRecord>
}

export type CacheKey = string | number
export type CacheRecord = { readonly id: CacheKey; readonly n: number }

export const emptyState: State = {
  contents: new Map(),
  pins: new Set(),
  paths: new Map(),
  slots: new Map(),
  locations: new Map(),
  now: 0,
  values: new Map(),
  bags: new Map(),
  tuples: new Map(),
  items: 0,
  queue: emptyQueue,
  stack: [],
  records: new Map(),
}

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}

export function withoutKeys<K, V>(map: ReadonlyMap<K, V>, gone: (key: K) => boolean): ReadonlyMap<K, V> {
  return new Map([...map].filter(([key]) => !gone(key)))
}

export function sameState(one: State, other: State): boolean {
  if (one === other) return true
  const parts = Object.keys(one) as (keyof State)[]
  return parts.every((part) => part === 'now' || one[part] === other[part] || isDeepStrictEqual(one[part], other[part]))
}

const views = new WeakMap<State, State>()

/** A state as it looks at some time: without what is past its deadline. Time never goes back. */
export function stateAt(state: State, now: number): State {
  if (state.now === now) return state
  const known = views.get(state)
  if (known?.now === now) return known
  const isPast = ({ deadline }: Timed): boolean => deadline > 0 && deadline <= now
  const isChanged = [...state.values.values()].some(isPast)
  const values = isChanged ? new Map([...state.values].filter(([, each]) => !isPast(each))) : state.values
  const view = { ...state, now, values }
  views.set(state, view)
  return view
}

/** What a call came to: a value, or the code of its refusal (`TypeError` for a wrong use). */
export type Outcome = { readonly value: unknown } | { readonly refused: string }

/** Comparable and readable: byte arrays in hex, names of objects sorted. */
export function describeOutcome(outcome: Outcome): string {
  return 'refused' in outcome ? `refused with ${outcome.refused}` : describeValue(outcome.value)
}

/** Of values that never change: those of the model are described over and over. */
const described = new WeakMap<object, string>()

export function describeValue(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return describeAnew(value)
  const known = described.get(value) ?? describeAnew(value)
  described.set(value, known)
  return known
}

function describeAnew(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    if (each instanceof Uint8Array) return `bytes ${Buffer.from(each).toString('hex')}`
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Long values make a report unreadable; what differs is nearly always near the start. */
export function brief(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 280)}… (${text.length} characters)`
}

export function refusalOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string') return code
  return error instanceof TypeError ? 'TypeError' : String(error)
}
