/**
 * What somebody outside a store knows: every record that was begun, with what it makes true, and which of them were
 * acknowledged how. State is a set of facts, such as `path/dir/a` is `bytes:x`; the facts after any number of records
 * follow. So the model also knows what must be gone.
 */
import type { Durability, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'

export type Facts = ReadonlyMap<string, string>
/** A fact that becomes true, or with `undefined` none. */
export type Effect = readonly [fact: string, value: string | undefined]

interface Begun {
  readonly sequence: number
  readonly effects: readonly Effect[]
}

/** A checkpoint writes how much is in the cache structures, in one record, if anything was written since the last one. */
const ownRecordsMax = 1

/**
 * How many records the store itself may have written since it was last asked: one of a checkpoint, others that remove
 * what is past its deadline.
 */
const unheardOfMax = 4

/** A value that is true until then; 0: for good. */
export function untilDeadline(deadline: number, value: string): string {
  return deadline === 0 ? value : `@${deadline} ${value}`
}

/** 0: none. */
export function deadlineIn(value: string): number {
  return value.startsWith('@') ? Number(value.slice(1, value.indexOf(' '))) : 0
}

const durabilities: readonly Durability[] = ['sync', 'sync', 'os', 'buffered']

export class StoreModel {
  #base: Facts = new Map()
  #baseSequence = 0
  #begun: readonly Begun[] = []
  #latest: Facts | undefined
  #ackedSync = 0
  #ackedOs = 0
  /** Writes of this life that have not settled. */
  #pending = new Set<Promise<unknown>>()
  /** Content to what it links to. It never changes, so all copies share it. */
  readonly links: Map<string, readonly string[]> = new Map()
  #heardOf = 0
  /** What the clock of the store shows, milliseconds. */
  #now = 0

  copy(): StoreModel {
    const copy = new StoreModel()
    copy.#base = this.#base
    copy.#baseSequence = this.#baseSequence
    copy.#begun = this.#begun
    copy.#latest = this.#latest
    copy.#ackedSync = this.#ackedSync
    copy.#ackedOs = this.#ackedOs
    copy.#now = this.#now
    copy.#heardOf = this.#heardOf
    return Object.assign(copy, { links: this.links })
  }

  get now(): number {
    return this.#now
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds
    this.#latest = undefined
  }

  /** What is true after everything that was begun. */
  get facts(): Facts {
    this.#latest ??= this.#after(Number.POSITIVE_INFINITY)
    return this.#latest
  }

  /** Names of the true facts that begin like this. */
  names(prefix: string): string[] {
    return [...this.facts.keys()].filter((fact) => fact.startsWith(prefix))
  }

  /**
   * One record: notes what it makes true, writes it at some durability, and waits for it or not. `call` must apply it
   * in the same turn. `rests`: when there is nothing to write, what made it so is as durable as this was to be.
   */
  async write(
    store: Store,
    random: Prng,
    effects: readonly Effect[],
    call: (durability: Durability) => Promise<unknown>,
    rests = true,
  ): Promise<void> {
    const durability = durabilities[random.below(durabilities.length)] as Durability
    const waits = random.below(3) > 0
    const begun = this.#begin(store, effects)
    const written = call(durability)
    const standing = this.#written(store, begun, effects)
    const sequence = standing === begun || rests ? standing : 0
    const done = written.then(() => this.#acknowledge(sequence, durability))
    this.#pending.add(done)
    const settled = () => this.#pending.delete(done)
    done.then(settled, settled)
    if (waits) await done
  }

  /** One record that its call writes at `sync` some turns later, if it writes any: nothing else may be under way. */
  async writeAlone(store: Store, effects: readonly Effect[], call: () => Promise<unknown>): Promise<void> {
    await this.quiet()
    // Its own record would come between this one and the turn in which its number is foretold.
    while (store.stats().checkpointRunning) await new Promise((resume) => setImmediate(resume))
    const sequence = this.#begin(store, effects)
    await call()
    this.#acknowledge(this.#written(store, sequence, effects), 'sync')
  }

  /** In one turn, and so one record each: what is written at `buffered`, and after it what is written at `sync`. */
  async writeTogether(
    store: Store,
    buffered: readonly Effect[],
    synced: readonly Effect[],
    call: () => { readonly buffered: readonly Promise<unknown>[]; readonly synced: Promise<unknown> },
  ): Promise<void> {
    await this.quiet()
    while (store.stats().checkpointRunning) await new Promise((resume) => setImmediate(resume))
    // A checkpoint that the first of them starts would write a record between the two.
    if (store.stats().dirtyBytes > 0) await store.checkpoint()
    const first = this.#begin(store, buffered)
    this.#begun = [...this.#begun, { sequence: first + 1, effects: synced }]
    const calls = call()
    const { lastSequence } = store
    if (lastSequence < first + 1 || lastSequence > first + 1 + ownRecordsMax)
      throw new Error(`records ${first} and ${first + 1} were to be written, but the last one is ${lastSequence}`)
    await Promise.all([...calls.buffered, calls.synced.then(() => this.#acknowledge(first + 1, 'sync'))])
  }

  /** Waits for every write of this life. */
  async quiet(): Promise<void> {
    await Promise.all(this.#pending)
  }

  /** Everything up to here is on stable storage, said the store. */
  durable(sequence: number): void {
    this.#acknowledge(sequence, 'sync')
  }

  /** Throws when a log that ends at `sequence` is not what was promised; answers the facts that must be true then. */
  factsAt(sequence: number, powerCut: boolean): Facts {
    const floor = powerCut ? this.#ackedSync : Math.max(this.#ackedSync, this.#ackedOs)
    if (sequence < floor) throw new Error(`record ${floor} was acknowledged, but the log ends at ${sequence}`)
    const last = this.#begun.at(-1)?.sequence ?? this.#baseSequence
    if (sequence > Math.max(last, this.#heardOf) + unheardOfMax)
      throw new Error(`the log ends at ${sequence}, but only ${last} records were written`)
    return this.#after(sequence)
  }

  /** Of the records up to `sequence` the last that somebody asked for. */
  lastBegun(sequence: number): number {
    return this.#begun.findLast((begun) => begun.sequence <= sequence)?.sequence ?? this.#baseSequence
  }

  /** From here on only what was found exists, up to `durable` of it for good. */
  collapse(sequence: number, durable: number): void {
    this.#base = this.#after(sequence)
    this.#baseSequence = sequence
    this.#heardOf = sequence
    this.#begun = []
    this.#latest = undefined
    this.#ackedSync = durable
    this.#ackedOs = sequence
  }

  #begin(store: Store, effects: readonly Effect[]): number {
    const sequence = store.lastSequence + 1
    this.#heardOf = sequence - 1
    this.#begun = [...this.#begun, { sequence, effects }]
    this.#latest = undefined
    return sequence
  }

  /** Answers the record whose acknowledgement this is: a write of what is there already stands for the one before. */
  #written(store: Store, sequence: number, effects: readonly Effect[]): number {
    const { lastSequence } = store
    if (lastSequence >= sequence && lastSequence <= sequence + ownRecordsMax) return sequence
    const before = this.#after(sequence - 1)
    if (lastSequence !== sequence - 1 || effects.some(([fact, value]) => before.get(fact) !== value))
      throw new Error(`record ${sequence} was to be written, but the last one is ${lastSequence}`)
    this.#begun = this.#begun.slice(0, -1)
    this.#latest = undefined
    const same = new Set(effects.map(([fact]) => fact))
    return this.#begun.findLast((begun) => begun.effects.some(([fact]) => same.has(fact)))?.sequence ?? 0
  }

  #acknowledge(sequence: number, durability: Durability): void {
    if (durability === 'sync') this.#ackedSync = Math.max(this.#ackedSync, sequence)
    if (durability !== 'buffered') this.#ackedOs = Math.max(this.#ackedOs, sequence)
  }

  #after(sequence: number): Facts {
    const facts = new Map(this.#base)
    for (const begun of this.#begun) {
      if (begun.sequence > sequence) break
      for (const [fact, value] of begun.effects) {
        if (value === undefined) facts.delete(fact)
        else facts.set(fact, value)
      }
    }
    for (const [fact, value] of facts) {
      const deadline = deadlineIn(value)
      if (deadline > 0 && deadline <= this.#now) facts.delete(fact)
    }
    return facts
  }
}
