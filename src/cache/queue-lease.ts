import type { LeveledWrites } from './leveled-writes.ts'
import type { QueueItems } from './queue-items.ts'
import { leaseLost } from './queue-lost.ts'
import type { Lease } from './types.ts'

type End = 'ack' | 'nack'

export class QueueLease<V> implements Lease<V> {
  readonly value: V
  readonly deliveries: number
  readonly deadline: number
  readonly #number: number
  readonly #items: QueueItems
  readonly #writes: LeveledWrites
  /** How this lease was ended by its holder. */
  #ended: End | undefined

  constructor(items: QueueItems, writes: LeveledWrites, lease: NonNullable<ReturnType<QueueItems['lease']>>) {
    this.#items = items
    this.#writes = writes
    this.#number = lease.number
    this.value = lease.value as V
    this.deliveries = lease.deliveries
    this.deadline = lease.deadline
  }

  ack(): Promise<void> {
    return this.#end('ack')
  }

  nack(): Promise<void> {
    return this.#end('nack')
  }

  #end(how: End): Promise<void> {
    return this.#writes.run(undefined, () => {
      if (this.#ended === how) {
        // Again: it rests on the record that did it.
        this.#items.leased.observeAbsence(this.#number)
        return
      }
      if (this.#ended !== undefined) throw leaseLost(this.#items.name, this.#number)
      this.#items[how](this.#number)
      this.#ended = how
      this.#items.engine.affect({
        undo: () => {
          this.#ended = undefined
        },
      })
    })
  }
}
