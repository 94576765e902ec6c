/**
 * Which entries of a bounded namespace to give up: its keys with their sizes, in the order of SIEVE. The hand goes from
 * old to new, spares what was used since its last lap and takes the first that was not; so one pass over everything
 * does not push out what is used again and again.
 */
import { decodeKey, encodeKey, type Key } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { ValueScratch } from './value-scratch.ts'

export interface BoundsParts {
  readonly engine: Engine
  readonly scratch: ValueScratch
  readonly maxEntries: number
  readonly maxBytes: number
}

interface Node {
  /** The encoded key. */
  readonly id: string
  bytes: number
  used: boolean
  newer: Node | null
  older: Node | null
}

export class KeyValueBounds {
  readonly #engine: Engine
  readonly #scratch: ValueScratch
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #nodes = new Map<string, Node>()
  #newest: Node | null = null
  #oldest: Node | null = null
  #hand: Node | null = null
  #bytes = 0
  /** Keys written or removed while the others are still being read; undefined once all are known. */
  #changed: Set<string> | undefined

  /** `isEmpty`: the namespace holds nothing yet. Else `load` has to follow. */
  constructor(parts: BoundsParts, isEmpty: boolean) {
    this.#engine = parts.engine
    this.#scratch = parts.scratch
    this.#maxEntries = parts.maxEntries
    this.#maxBytes = parts.maxBytes
    this.#changed = isEmpty ? undefined : new Set()
  }

  /** All entries are known, and so the bounds hold. */
  get isLoaded(): boolean {
    return this.#changed === undefined
  }

  get exceeded(): boolean {
    return this.#nodes.size > this.#maxEntries || this.#bytes > this.#maxBytes
  }

  used(key: Key): void {
    const node = this.#nodes.get(encodeKey(key))
    if (node !== undefined) node.used = true
  }

  /** Only inside a write: the key holds `stored` now. `evict` removes an entry and calls `removed` for it. */
  wrote(key: Key, stored: unknown, evict: (key: Key) => void): void {
    const id = encodeKey(key)
    const bytes = this.#sizeOf(id, stored)
    this.#touch(id)
    const known = this.#nodes.get(id)
    if (known === undefined) this.#insert(id, bytes)
    else this.#resize(known, bytes)
    // Larger than everything may be: making room for it would be in vain.
    if (bytes > this.#maxBytes) evict(key)
    else this.shrink(evict, Number.POSITIVE_INFINITY, id)
  }

  /** Only inside a write: the key is gone. */
  removed(key: Key): void {
    const id = encodeKey(key)
    this.#touch(id)
    const node = this.#nodes.get(id)
    if (node === undefined) return
    const hand = this.#hand
    this.#unlink(node)
    this.#engine.affect({
      undo: () => {
        this.#relink(node)
        this.#hand = hand
      },
    })
  }

  /** Only inside a write: evicts until the bounds hold, but no more than so many and not `spared`. */
  shrink(evict: (key: Key) => void, atMost: number, spared?: string): void {
    for (let left = atMost; left > 0 && this.exceeded; left--) {
      const victim = this.#victim(spared)
      if (victim === undefined) return
      evict(decodeKey(victim.id))
    }
  }

  /** An entry that was there before this opening, as a scan finds it. Older than everything written since. */
  found(key: Key, stored: unknown): void {
    const id = encodeKey(key)
    if (this.#changed?.has(id) !== false || this.#nodes.has(id)) return
    const node: Node = { id, bytes: this.#sizeOf(id, stored), used: false, newer: this.#oldest, older: null }
    this.#relink(node)
  }

  /** Every entry that was there has been found. */
  loaded(): void {
    this.#changed = undefined
  }

  #sizeOf(id: string, stored: unknown): number {
    return this.#maxBytes === Number.POSITIVE_INFINITY ? 0 : id.length + this.#scratch.encode(stored).bare().length
  }

  /** What the scan under way finds of this key is no longer so. */
  #touch(id: string): void {
    const changed = this.#changed
    if (changed === undefined || changed.has(id)) return
    changed.add(id)
    this.#engine.affect({ undo: () => changed.delete(id) })
  }

  #insert(id: string, bytes: number): void {
    const node: Node = { id, bytes, used: false, newer: null, older: this.#newest }
    this.#relink(node)
    this.#engine.affect({ undo: () => this.#unlink(node) })
  }

  #resize(node: Node, bytes: number): void {
    const before = node.bytes
    node.used = true
    if (bytes === before) return
    this.#bytes += bytes - before
    node.bytes = bytes
    this.#engine.affect({
      undo: () => {
        this.#bytes += before - bytes
        node.bytes = before
      },
    })
  }

  #victim(spared: string | undefined): Node | undefined {
    let node = this.#hand ?? this.#oldest
    // One lap takes every mark, a second one finds a victim; unless there is only the one to spare.
    for (let steps = 2 * this.#nodes.size + 2; node !== null && steps > 0; steps--) {
      if (node.id !== spared && !node.used) {
        this.#hand = node
        return node
      }
      node.used = false
      node = node.newer ?? this.#oldest
    }
    return undefined
  }

  /** Between the neighbours it names. */
  #relink(node: Node): void {
    if (node.newer === null) this.#newest = node
    else node.newer.older = node
    if (node.older === null) this.#oldest = node
    else node.older.newer = node
    this.#nodes.set(node.id, node)
    this.#bytes += node.bytes
  }

  /** Keeps its neighbours' names, to be put back there. */
  #unlink(node: Node): void {
    if (this.#hand === node) this.#hand = node.newer
    if (node.newer === null) this.#newest = node.older
    else node.newer.older = node.older
    if (node.older === null) this.#oldest = node.newer
    else node.older.newer = node.newer
    this.#nodes.delete(node.id)
    this.#bytes -= node.bytes
  }
}
