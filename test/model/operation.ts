/** What commands are made of: writes and questions, each with what the model says of it. */
import type { Durability, Store } from '../../src/index.ts'
import type { State } from './state.ts'

export type Level = Exclude<Durability, 'volatile'>

/** What a write does to the model: the state it leaves and its answer, or why it is refused. */
export type Effect = { readonly state: State; readonly answer: unknown } | { readonly refused: string }

/** One write, of one synchronous step: it may be a record of its own, one of many, or part of a transaction. */
export interface Write {
  readonly label: string
  readonly durability: Level | undefined
  readonly call: (store: Store) => Promise<unknown>
  /** Asked before the call, which may use what it found; and again of earlier states. */
  readonly effect: (state: State, store: Store) => Effect
}

/** One question: how it is asked and what a store in `state` answers. */
export interface Query {
  readonly label: string
  readonly ask?: (store: Store) => Promise<unknown>
  /** The synchronous view of the same. */
  readonly askSync?: (store: Store) => unknown
  /** May throw a `Refusal`. */
  readonly expected: (state: State) => unknown
}

export class Refusal extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** A write that takes several steps: alone while it runs, at most one record. */
export interface LongWrite {
  readonly label: string
  readonly call: (store: Store) => Promise<unknown>
  readonly effect: (state: State) => Effect
}

/** What `change` comes to, a thrown `Refusal` included. */
export function effectOf(change: () => { readonly state: State; readonly answer: unknown }): Effect {
  try {
    return change()
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.code }
    throw error
  }
}
