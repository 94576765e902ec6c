/**
 * All spaces of one store: makes them, keeps their ledgers exact through replay and undo, and stores their
 * summaries with every checkpoint. Opening and closing of the store call in here; the structures only ask for spaces.
 */
import { kind } from '../codec/index.ts'
import { type Engine, type EngineHooks, openVolatileEngine } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import { KeyValueExpiry } from './key-value-expiry.ts'
import { decodeSummary, Ledger, type Summary } from './ledger.ts'
import {
  countedDomainOf,
  domainOfSpace,
  domainOfSummary,
  letter,
  nameOfDomain,
  summaryDomain,
  summaryKey,
} from './names.ts'
import { cacheKind, changeOfPut, readNote } from './payload.ts'
import { Space } from './space.ts'
import { StoredLeases } from './stored-leases.ts'
import { ValueScratch } from './value-scratch.ts'

/** What replay knows of a space before anybody asks for it: changes since the summary it starts from. */
class ReplayedLedger extends Ledger {
  constructor(domain: string) {
    super(domain)
    this.first = Number.NaN
    this.last = Number.NaN
  }

  copy(): ReplayedLedger {
    const copy = new ReplayedLedger(this.domain)
    copy.reset(this.summary)
    return copy
  }

  /** Positions are absolute, counts relative. */
  applyTo(base: Summary): Summary {
    return [
      base[0] + this.count,
      base[1] + this.entries,
      Number.isNaN(this.first) ? base[2] : this.first,
      Number.isNaN(this.last) ? base[3] : this.last,
    ]
  }
}

const emptySummary: Summary = [0, 0, 0, 0]

/** How much each space holds at one moment. */
export interface Standing {
  /** Of which that is known without a stored summary. */
  readonly domains: readonly string[]
  /** Given the summary that is stored of the domain, if there is one. */
  of(domain: string, stored: Summary | undefined): Summary
}

export class Caches {
  readonly scratch = new ValueScratch()
  /** What queues had handed out when the store opened. */
  readonly storedLeases = new StoredLeases()
  readonly #replayed = new Map<string, ReplayedLedger>()
  readonly #spaces = new Map<string, Space>()
  readonly #volatileSpaces = new Map<string, Space>()
  readonly #closers: (() => void)[] = []
  #engine: Engine | undefined
  #volatile: Engine | undefined
  #expiry: KeyValueExpiry | undefined
  #volatileExpiry: KeyValueExpiry | undefined

  /** To be given to `openEngine`; then comes `attach`. */
  get hooks(): EngineHooks {
    return {
      onReplay: (key, mutationKind, payload) => this.#replay(key, mutationKind, payload),
      beforeSeal: (engine) => this.#storeSummaries(engine),
    }
  }

  async attach(engine: Engine): Promise<void> {
    this.#engine = engine
    this.#volatile = await openVolatileEngine(engine)
    this.#listen(engine, this.#spaces)
    this.#listen(this.#volatile, this.#volatileSpaces)
    this.#expiry = new KeyValueExpiry(engine, (spaceLetter, name) => this.space(spaceLetter, name))
    this.#volatileExpiry = new KeyValueExpiry(this.#volatile, (spaceLetter, name) =>
      this.space(spaceLetter, name, true),
    )
    await Promise.all([this.#expiry.deadlines.start(), this.#volatileExpiry.deadlines.start(), this.#loadLeases()])
  }

  /** Stops what goes on in the background. To be called before the engine closes. */
  close(): void {
    this.#expiry?.deadlines.close()
    this.#volatileExpiry?.deadlines.close()
    for (const close of this.#closers.splice(0)) close()
    this.#volatile?.markClosed()
  }

  /** `close` of a structure with something in the background. */
  onClose(close: () => void): void {
    this.#closers.push(close)
  }

  /** Of the namespaces that are logged, or of those that are not. */
  expiry(isVolatile: boolean): KeyValueExpiry {
    return (isVolatile ? this.#volatileExpiry : this.#expiry) as KeyValueExpiry
  }

  get engine(): Engine {
    return this.#engine as Engine
  }

  /** Of namespaces that are gone at close. */
  get volatileEngine(): Engine {
    return this.#volatile as Engine
  }

  /** The space of that letter and name: the same object every time. `name` has been checked. */
  space(spaceLetter: string, name: string, isVolatile = false): Space {
    const spaces = isVolatile ? this.#volatileSpaces : this.#spaces
    const domain = domainOfSpace(spaceLetter, name)
    let space = spaces.get(domain)
    if (space === undefined) {
      const engine = isVolatile ? this.volatileEngine : this.engine
      const ledger = new Ledger(domain)
      if (!isVolatile) this.#load(engine, ledger)
      space = new Space({ engine, ledger, scratch: this.scratch })
      spaces.set(domain, space)
    }
    return space
  }

  /** How much each space holds, by domain: of those in use and of those the store only has a summary of. `prefix`: of domains. */
  async ledgers(prefix = ''): Promise<Map<string, Summary>> {
    const ledgers = new Map<string, Summary>()
    const { engine } = this
    const gte = summaryDomain + prefix
    for await (const entry of engine.scan({ domain: summaryDomain, gte, lt: `${gte}\xff` })) {
      ledgers.set(domainOfSummary(entry.key), this.#summaryIn(engine, entry))
    }
    for (const [domain, replayed] of this.#replayed) {
      if (domain.startsWith(prefix)) ledgers.set(domain, replayed.applyTo(ledgers.get(domain) ?? emptySummary))
    }
    for (const [domain, { ledger }] of this.#spaces) if (domain.startsWith(prefix)) ledgers.set(domain, ledger.summary)
    return ledgers
  }

  /** What the ledgers say in this step. For a check of a snapshot taken in it. */
  standing(): Standing {
    const used = new Map(Array.from(this.#spaces, ([domain, { ledger }]) => [domain, ledger.summary]))
    const replayed = new Map(Array.from(this.#replayed, ([domain, ledger]) => [domain, ledger.copy()]))
    return {
      domains: [...used.keys(), ...replayed.keys()],
      of: (domain, stored = emptySummary) => used.get(domain) ?? replayed.get(domain)?.applyTo(stored) ?? stored,
    }
  }

  #replay(key: string, mutationKind: number, payload: Buffer): void {
    if (key.startsWith(summaryDomain)) {
      this.#replayed.delete(domainOfSummary(key))
      return
    }
    const domain = countedDomainOf(key)
    if (domain === undefined) return
    let ledger = this.#replayed.get(domain)
    if (ledger === undefined) {
      ledger = new ReplayedLedger(domain)
      this.#replayed.set(domain, ledger)
    }
    const placed = { key, id: undefined }
    if (mutationKind === kind.tombstone) {
      ledger.delete(placed, readNote(payload).count)
    } else {
      const { entries, count } = changeOfPut(payload, 0)
      ledger.put(placed, entries, count)
    }
  }

  async #loadLeases(): Promise<void> {
    for (const [domain, [, entries]] of await this.ledgers(letter.leased)) {
      if (entries > 0) await this.storedLeases.load(this.space(letter.leased, nameOfDomain(domain)))
    }
  }

  #load(engine: Engine, ledger: Ledger): void {
    const entry = engine.getSync(summaryKey(ledger.domain))
    const base = entry === undefined ? emptySummary : this.#summaryIn(engine, entry)
    const replayed = this.#replayed.get(ledger.domain)
    ledger.reset(replayed === undefined ? base : replayed.applyTo(base))
    ledger.changed = replayed !== undefined
    this.#replayed.delete(ledger.domain)
  }

  #summaryIn(engine: Engine, entry: Entry): Summary {
    return decodeSummary(entry.key, engine.payload(entry) as Buffer)
  }

  /** So that a checkpoint knows how much there is as of its last record: replay starts from that. */
  #storeSummaries(engine: Engine): void {
    // Before `attach` nobody has written: what was replayed keeps counting from the summaries there are, unless they go.
    for (const domain of [...this.#replayed.keys()]) this.#materialise(engine, domain)
    const changed = [...this.#spaces.values()].filter(({ ledger }) => ledger.changed)
    if (changed.length === 0) return
    const written = engine.write({ durability: 'buffered' }, () => {
      for (const { ledger } of changed) {
        const payload = this.scratch.encode(ledger.summary).bare()
        engine.put(summaryKey(ledger.domain), summaryDomain, cacheKind.summary, payload, payload.length)
        ledger.changed = false
      }
    })
    // A log that refuses has poisoned the store, which says so itself; the checkpoint fails with it.
    written.catch(() => undefined)
  }

  #materialise(engine: Engine, domain: string): void {
    const ledger = new Ledger(domain)
    this.#load(engine, ledger)
    this.#spaces.set(domain, new Space({ engine, ledger, scratch: this.scratch }))
  }

  #listen(engine: Engine, spaces: ReadonlyMap<string, Space>): void {
    engine.onUndone = (entry) => {
      if (entry.home !== null) spaces.get(entry.home.domain)?.undone(entry)
    }
  }
}
