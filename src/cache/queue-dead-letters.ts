import type { LeveledWrites } from './leveled-writes.ts'
import type { QueueItems } from './queue-items.ts'
import type { DeadLetters } from './types.ts'

/** An item whose last lease ran out counts from that moment; a later write of the queue puts it in its place. */
export class QueueDeadLetters<V> implements DeadLetters<V> {
  readonly #items: QueueItems
  readonly #writes: LeveledWrites

  constructor(items: QueueItems, writes: LeveledWrites) {
    this.#items = items
    this.#writes = writes
  }

  count(): number {
    this.#items.engine.assertReadable()
    return this.#items.deadCount()
  }

  async list(): Promise<V[]> {
    const items = this.#items
    items.engine.refuseInTransaction('deadLetters.list()')
    // Both in this step, or one on its way between the two would be missed or listed twice.
    const spent = items.spent()
    const scan = items.dead.scan()
    const values: V[] = []
    for await (const entry of scan) values.push(items.valueOf(items.dead, entry) as V)
    for (const entry of spent) {
      if (!items.engine.isAcknowledged(entry)) await items.engine.acknowledged(entry)
      values.push(items.valueOf(items.leased, entry) as V)
    }
    return values
  }

  redeliver(): Promise<number> {
    return this.#writes.run(undefined, () => this.#items.redeliver())
  }

  clear(): Promise<void> {
    return this.#writes.run(undefined, () => this.#items.clearDead())
  }
}
