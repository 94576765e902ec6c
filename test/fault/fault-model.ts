/**
 * What a store must hold, as those who write to it know it: each record with what it set and what it removed, and
 * whether it was acknowledged. The store after a fault is the state after some prefix of the records, whole.
 */
import { expect } from 'vitest'
import type { Durability, Store } from '../../src/index.ts'
import type { CrashMode } from '../../src/testing/index.ts'

/** Names of things to what is read under them; undefined when the thing is gone. */
export type Changes = ReadonlyMap<string, string | undefined>

interface Written {
  readonly sequence: number
  readonly changes: Changes
  acknowledged: boolean
}

export const slotThing = (process: string, slot: number): string => `slot/${process}/${slot}`
export const pathThing = (path: string): string => `path/${path}`
export const contentThing = (id: string): string => `content/${id}`
export const locationThing = (process: string): string => `location/${process}`
/** Nothing answers whether content is pinned; that it outlives a collection does. */
export const pinThing = (id: string): string => `pin/${id}`

/** What content that is there reads as. */
export const there = 'there'

/** What a store answers for a thing. */
async function observe(store: Store, thing: string): Promise<string | undefined> {
  const [sort, ...rest] = thing.split('/')
  const name = rest.join('/')
  if (sort === 'slot') return (await store.assignments.read(rest[0] ?? '', Number(rest[1])))?.['tag'] as string
  if (sort === 'content') return (await store.content.get(name)) === undefined ? undefined : there
  if (sort === 'location') return (await store.assignments.readLocation(name))?.['tag'] as string
  const bytes = await store.paths.read(name)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

export class Model {
  /** In sequence order. */
  #written: Written[] = []
  /** Things that were ever written, also by records that are lost: those may not come back. */
  readonly #things: Set<string>
  /** Durabilities whose acknowledgement the crash to come must respect: `os` survives a kill, not a power cut. */
  readonly #binding: ReadonlySet<Durability>

  constructor(mode: CrashMode, things: Iterable<string> = []) {
    this.#binding = new Set(mode === 'all' ? ['sync', 'os'] : ['sync'])
    this.#things = new Set(things)
  }

  copy(mode: CrashMode): Model {
    const model = new Model(mode, this.#things)
    model.#written = this.#written.map((write) => ({ ...write }))
    return model
  }

  add(sequence: number, promise: Promise<unknown>, durability: Durability, changes: Changes): void {
    const write: Written = { sequence, changes, acknowledged: false }
    this.#written.push(write)
    for (const thing of changes.keys()) if (!thing.startsWith(pinThing(''))) this.#things.add(thing)
    promise.then(
      () => {
        write.acknowledged ||= this.#binding.has(durability)
      },
      () => undefined,
    )
  }

  /** Everything up to here is durable: so a sync or a checkpoint said. */
  acknowledgeThrough(sequence: number): void {
    for (const write of this.#written) if (write.sequence <= sequence) write.acknowledged = true
  }

  /** Things of a sort whose name begins so, that the newest record leaves there. */
  present(beginning: string): string[] {
    const state = this.#stateAt(Number.POSITIVE_INFINITY)
    return [...state].flatMap(([thing, value]) => (value !== undefined && thing.startsWith(beginning) ? [thing] : []))
  }

  /** Things of a sort whose name begins so, there or not. */
  known(beginning: string): string[] {
    return [...this.#things].filter((thing) => thing.startsWith(beginning))
  }

  /** What `store` must hold given the last sequence it recovered. */
  async assertHolds(store: Store, context: string): Promise<void> {
    const recovered = store.lastSequence
    for (const { sequence, acknowledged } of this.#written) {
      if (acknowledged)
        expect(sequence, `${context}: acknowledged record ${sequence} is lost`).toBeLessThanOrEqual(recovered)
    }
    const state = this.#stateAt(recovered)
    for (const thing of this.#things) {
      expect(await observe(store, thing), `${context}: ${thing} in a log that ends at ${recovered}`).toBe(
        state.get(thing),
      )
    }
    expect((await store.verify()).problems, context).toEqual([])
  }

  /** What a store that takes no more writes must still serve; `accept` judges why it does not serve what failed. */
  async assertServed(store: Store, context: string, accept: (error: unknown) => void): Promise<void> {
    for (const thing of this.#things) {
      const history = this.#written.filter(({ changes }) => changes.has(thing))
      const acknowledged = history.findLastIndex((write) => write.acknowledged)
      const possible = history.slice(Math.max(0, acknowledged)).map(({ changes }) => changes.get(thing))
      if (acknowledged < 0) possible.push(undefined)
      try {
        expect(possible, `${context}: ${thing} in a poisoned store`).toContain(await observe(store, thing))
      } catch (error) {
        if (acknowledged === history.length - 1 || !(error instanceof Error && 'code' in error)) throw error
        accept(error)
      }
    }
  }

  /** From here on only what was recovered exists; what was lost may never come back. */
  collapse(recovered: number): void {
    this.#written = this.#written.filter(({ sequence }) => sequence <= recovered)
    this.acknowledgeThrough(recovered)
  }

  #stateAt(sequence: number): Map<string, string | undefined> {
    const state = new Map<string, string | undefined>()
    for (const write of this.#written) {
      if (write.sequence > sequence) break
      for (const [thing, value] of write.changes) state.set(thing, value)
    }
    return state
  }
}
