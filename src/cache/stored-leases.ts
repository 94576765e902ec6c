import { nameOfDomain } from './names.ts'
import { HeldItem } from './queue-leases.ts'
import type { Space } from './space.ts'

/**
 * What of all queues was handed out when the store opened. Read then, because a queue must know in every synchronous step
 * which of its leases have run out; there are only as many as were being worked on.
 */
export class StoredLeases {
  readonly #found = new Map<string, readonly HeldItem[] | { readonly failure: unknown }>()

  /** Reads the leases of the queue that `space` is of. A failure is kept for who asks for that queue. */
  async load(space: Space): Promise<void> {
    const name = nameOfDomain(space.domain)
    try {
      const items: HeldItem[] = []
      for await (const entry of space.scan()) {
        const [deliveries, deadline] = space.valueOf(entry) as readonly [number, number]
        items.push(new HeldItem(space.keyOf(entry) as number, deadline, deliveries))
      }
      this.#found.set(name, items)
    } catch (failure) {
      this.#found.set(name, { failure })
    }
  }

  /** Of a queue that is opened for the first time. Throws what reading them failed with. */
  take(name: string): readonly HeldItem[] {
    const found = this.#found.get(name)
    if (found === undefined) return []
    if ('failure' in found) throw found.failure
    this.#found.delete(name)
    return found
  }
}
