/**
 * A small model for tests with a workload of their own: which record each write belongs to, and whether it was
 * acknowledged. After a crash the store must hold exactly the records up to some sequence, and at least everything
 * acknowledged. (The exploration of crashes has a model that knows more: store-facts.ts.)
 */
import { expect } from 'vitest'
import type { Durability, Store } from '../../src/index.ts'
import type { CrashMode } from '../../src/testing/index.ts'

export const location = '/disk/store'

/** One write of the workload: what it must have left, and the sequence of its record. */
interface Written {
  readonly sequence: number
  acknowledged: boolean
  check(store: Store): Promise<boolean>
}

export class Model {
  readonly written: Written[] = []
  /** Durabilities whose acknowledgement the crash to come must respect: `os` survives a kill, not a power cut. */
  readonly #binding: ReadonlySet<Durability>

  constructor(mode: CrashMode) {
    this.#binding = new Set(mode === 'all' ? ['sync', 'os'] : ['sync'])
  }

  /** What `store` must hold given the last sequence it recovered. */
  async assertHolds(store: Store, context: string): Promise<void> {
    const recovered = store.lastSequence
    for (const write of this.written) {
      if (write.acknowledged)
        expect(write.sequence, `${context}: acknowledged record ${write.sequence} is lost`).toBeLessThanOrEqual(
          recovered,
        )
      const present = await write.check(store)
      expect(present, `${context}: record ${write.sequence} of a log that ends at ${recovered}`).toBe(
        write.sequence <= recovered,
      )
    }
    const report = await store.verify()
    expect(report.problems, context).toEqual([])
  }

  /** From here on only what was recovered exists; what was lost may never come back. */
  collapse(recovered: number): void {
    for (let i = this.written.length - 1; i >= 0; i--)
      if ((this.written[i] as Written).sequence > recovered) this.written.splice(i, 1)
    for (const write of this.written) write.acknowledged = true
  }

  add(store: Store, before: number, promise: Promise<unknown>, durability: Durability, check: Written['check']): void {
    const sequence = store.lastSequence
    if (sequence === before) return
    const write: Written = { sequence, acknowledged: false, check }
    this.written.push(write)
    promise.then(
      () => {
        write.acknowledged = this.#binding.has(durability)
      },
      () => undefined,
    )
  }
}
