import type { Engine } from '../engine/index.ts'

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/** The wall clock may jump: look again after so long at the latest. */
const lookMs = 60_000

/**
 * Consumers waiting for items: woken when something may have come, all of them; each looks for itself. A timer wakes them
 * at the next deadline of a lease; nothing rests on it but that they learn of it without a call of anybody.
 */
export class QueueWaiters {
  readonly #engine: Engine
  readonly #nextDeadline: () => number
  readonly #waiting = new Set<Waiter>()
  readonly #wakeOnCommit = { committed: () => this.wake() }
  readonly #fail = (error: Error) => this.#end((waiter) => waiter.reject(error))
  #timer: NodeJS.Timeout | undefined

  constructor(engine: Engine, nextDeadline: () => number) {
    this.#engine = engine
    this.#nextDeadline = nextDeadline
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Resolves when it is time to look again, or `stop` is called. Rejects when the store fails or closes. */
  wait(): { readonly woken: Promise<void>; readonly stop: () => void } {
    let stop!: () => void
    const woken = new Promise<void>((resolve, reject) => {
      const waiter = { resolve, reject }
      stop = () => {
        if (this.#waiting.delete(waiter)) resolve()
        if (this.isEmpty) this.#release()
      }
      if (this.isEmpty) this.#engine.changes.onFailure.add(this.#fail)
      this.#waiting.add(waiter)
    })
    this.arm()
    return { woken, stop }
  }

  /** Only inside `write`: once the record is in the log there is something to take. */
  announce(): void {
    if (!this.isEmpty) this.#engine.affect(this.#wakeOnCommit)
  }

  wake(): void {
    this.#end((waiter) => waiter.resolve())
  }

  /** A lease may run out sooner than the timer knows. */
  arm(): void {
    clearTimeout(this.#timer)
    const deadline = this.#nextDeadline()
    if (this.isEmpty || deadline === Number.POSITIVE_INFINITY) return
    const delay = Math.min(Math.max(deadline - this.#engine.clock.now(), 1), lookMs)
    this.#timer = setTimeout(() => this.wake(), delay)
    this.#timer.unref()
  }

  #end(settle: (waiter: Waiter) => void): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    this.#release()
    for (const waiter of waiting) settle(waiter)
  }

  #release(): void {
    clearTimeout(this.#timer)
    this.#engine.changes.onFailure.delete(this.#fail)
  }
}
