/** One load of one key, and those who wait for it. */
import { assert, HoldfastError } from '../base/index.ts'
import { printableKey } from '../codec/index.ts'

/** Timers take no more. */
const timerMax = 2 ** 31 - 1

export interface FlightOptions {
  /** Encoded, for messages. */
  readonly id: string
  readonly timeoutMs: number | undefined
  /** Goes on without anybody waiting for it. */
  readonly background: boolean
  /** It is over, one way or the other: called once, and before anybody who waits hears of it. */
  readonly onEnd: (flight: Flight) => void
}

export class Flight {
  readonly id: string
  /** The key was set or deleted while this load was under way: what it brings is out of date. */
  superseded = false
  #outcome: Promise<() => unknown> | undefined
  readonly #controller = new AbortController()
  readonly #options: FlightOptions
  #waiting = 0
  #ended = false
  #reject: ((error: unknown) => void) | undefined

  constructor(options: FlightOptions) {
    this.id = options.id
    this.#options = options
  }

  /** `run` makes of the load what those who wait for it get. */
  start(run: () => Promise<() => unknown>): void {
    this.#outcome = run()
    // Nobody may be waiting any more. A reload that fails leaves the old value until its deadline.
    this.#outcome.catch(() => undefined)
  }

  /** Resolves when it is over, however it went. */
  get settled(): Promise<void> {
    return this.#running.then(
      () => undefined,
      () => undefined,
    )
  }

  /** Runs the loader, which may throw or hang. Rejects at the timeout, when it is abandoned, or as the loader does. */
  load(loader: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
    const { timeoutMs } = this.#options
    const { signal } = this.#controller
    return new Promise((resolve, reject) => {
      const limited = timeoutMs !== undefined && timeoutMs <= timerMax
      const timer = limited ? setTimeout(() => this.fail(this.#timeout(timeoutMs)), timeoutMs) : undefined
      const settle = (done: () => void) => {
        clearTimeout(timer)
        this.#reject = undefined
        done()
      }
      this.#reject = (error) => settle(() => reject(error))
      new Promise((started) => started(loader(signal))).then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  /** From here on others may load the key. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.onEnd(this)
  }

  /** Ends it with this error for everybody, and tells the loader. */
  fail(error: unknown): void {
    const reject = this.#reject
    if (reject === undefined) return
    this.end()
    reject(error)
    this.#controller.abort(error)
  }

  /** Waits for what it brings. A `signal` rejects this caller alone; with the last one to leave the load is given up. */
  join(signal: AbortSignal | undefined): Promise<unknown> {
    this.#waiting++
    const result = this.#running.then((read) => read())
    if (signal === undefined) return result
    return untilAborted(result, signal, () => {
      this.#waiting--
      if (this.#waiting === 0 && !this.#options.background) this.fail(abortError(signal))
    })
  }

  get #running(): Promise<() => unknown> {
    assert(this.#outcome !== undefined, 'a load has started before anybody waits for it')
    return this.#outcome
  }

  #timeout(timeoutMs: number): HoldfastError {
    const key = printableKey(this.id)
    return new HoldfastError('HOLDFAST_TIMEOUT', `loading key ${key} took longer than ${timeoutMs} ms`, {
      detail: { key, timeoutMs },
    })
  }
}

/** As `promise`, until `signal` aborts: then it rejects with an AbortError, after calling `onAbort`. */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: () => void,
): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const leave = () => {
      onAbort?.()
      reject(abortError(signal))
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}

/** What the signal was aborted with if that is an AbortError, else one with it as its cause. */
function abortError(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  if (reason instanceof Error && reason.name === 'AbortError') return reason
  const error = new DOMException('The operation was aborted', 'AbortError')
  Object.defineProperty(error, 'cause', { value: reason, configurable: true, writable: true })
  return error
}
