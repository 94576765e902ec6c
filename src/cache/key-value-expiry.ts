import { decodeValue } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import { Deadlines } from './deadlines.ts'
import { KeyValueEntries } from './key-value-entries.ts'
import type { KeyValueType } from './key-value-options.ts'
import { letter, nameOfDomain, shapeKey } from './names.ts'
import type { Space } from './space.ts'

/** Expiry of the namespaces of one engine: of those in use, and of those that nobody has asked for since the store opened. */
export class KeyValueExpiry {
  readonly deadlines: Deadlines
  readonly #engine: Engine
  readonly #spaceOf: (spaceLetter: string, name: string) => Space
  readonly #entries = new Map<string, KeyValueEntries>()

  constructor(engine: Engine, spaceOf: (spaceLetter: string, name: string) => Space) {
    this.#engine = engine
    this.#spaceOf = spaceOf
    this.deadlines = new Deadlines(engine, (domain) => this.#ownerOf(domain))
  }

  /** The entries of a namespace, which is opened as `type` from now on. */
  open(namespace: string, type: KeyValueType): KeyValueEntries {
    const entries = new KeyValueEntries({
      space: this.#spaceOf(letter.keyValue, namespace),
      loaded: this.#spaceOf(letter.loaded, namespace),
      deadlines: this.deadlines,
      type,
    })
    entries.space.declare({ type })
    this.#entries.set(entries.space.domain, entries)
    return entries
  }

  #ownerOf(domain: string): KeyValueEntries {
    return this.#entries.get(domain) ?? this.open(nameOfDomain(domain), this.#storedType(domain))
  }

  #storedType(domain: string): KeyValueType {
    const entry = this.#engine.getSync(shapeKey(domain))
    if (entry === undefined) return 'set'
    const payload = this.#engine.payload(entry) as Buffer
    const shape = decodeValue(payload, 0, payload.length).value as { readonly type: KeyValueType }
    return shape.type
  }
}
