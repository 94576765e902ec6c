import { encodeKey } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Caches } from './caches.ts'
import { checkOptions, LeveledWrites, WriteLevels } from './leveled-writes.ts'
import { letter } from './names.ts'
import { damaged } from './payload.ts'
import type { Space } from './space.ts'
import type { Stack } from './types.ts'

/**
 * Items are at positions 0, 1, 2, …; the top is the last. Looking for it and removing it is one synchronous step, so no
 * two calls get the same item.
 */
export class LifoStack<V = unknown> implements Stack<V> {
  readonly name: string
  readonly #space: Space
  readonly #writes: LeveledWrites

  constructor(caches: Caches, name: string, options: WriteOptions) {
    checkOptions(options, 'stack')
    const levels = new WriteLevels(options.durability)
    this.name = name
    this.#space = caches.space(letter.stack, name, levels.isVolatile)
    this.#writes = new LeveledWrites(this.#space, levels)
  }

  push(value: V, options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => this.#push(value))
  }

  pushMany(values: readonly V[], options?: WriteOptions): Promise<void> {
    return this.#writes.run(options, () => {
      for (const value of values) this.#push(value)
    })
  }

  pop(fallback?: V, options?: WriteOptions): Promise<V | undefined> {
    return this.#writes.run(options, () => {
      if (this.#space.count > 0) return this.#pop()
      this.#observeEmpty()
      return fallback
    })
  }

  async peek(fallback?: V): Promise<V | undefined> {
    // Which one is the top rests on the removal of those above it.
    const removals = this.#space.removalsAcknowledged()
    const position = Math.max(this.#space.ledger.last - 1, 0)
    const [entry] = await Promise.all([this.#space.fetch(position), removals])
    return entry === undefined ? fallback : (this.#space.valueOf(entry) as V)
  }

  count(): number {
    this.#space.engine.assertReadable()
    return this.#space.count
  }

  drain(options?: WriteOptions): Promise<V[]> {
    return this.#writes.run(options, () => {
      const values: V[] = []
      while (this.#space.count > 0) values.push(this.#pop())
      if (values.length === 0) this.#observeEmpty()
      return values
    })
  }

  #push(value: V): void {
    this.#space.put(this.#space.ledger.last, value, undefined)
  }

  #pop(): V {
    const position = this.#space.ledger.last - 1
    const entry = this.#space.find(position)
    if (entry === undefined) throw damaged(this.#space.domain + encodeKey(position), 'an item of the stack is missing')
    const value = this.#space.valueOf(entry) as V
    this.#space.remove(position)
    return value
  }

  /** The removal that emptied it may not be durable yet. */
  #observeEmpty(): void {
    this.#space.observeAbsence(0)
  }
}
