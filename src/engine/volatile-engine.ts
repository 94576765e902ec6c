/** An engine whose log keeps nothing: for namespaces that are to be gone at close. */
import { HoldfastError } from '../base/index.ts'
import { MemoryBackend } from '../kv/index.ts'
import { MemoryTier } from '../memory/index.ts'
import type { Log, LogRecord, RecordSpace, SegmentInfo, WalStats } from '../wal/index.ts'
import { BackendAccess } from './backend-access.ts'
import { Engine } from './engine.ts'
import { notSynchronous } from './engine-errors.ts'
import type { WriteOptions } from './types.ts'

/** Everything stays dirty in its memory tier. It is of the same store, and closed and poisoned on its own. */
export async function openVolatileEngine(owner: Engine): Promise<Engine> {
  const backend = new MemoryBackend()
  await backend.open({ create: true })
  const log = new ForgetfulLog()
  const engine = new VolatileEngine({
    ...{ location: owner.location, clock: owner.clock, logFiles: owner.logFiles, recovery: owner.recovery },
    ...{ tier: new MemoryTier({ partitions: 8, budgetBytes: Number.MAX_SAFE_INTEGER }) },
    ...{ access: new BackendAccess(backend), wal: log, defaultLevel: owner.defaultLevel, isVolatile: true },
  })
  log.onAppended = (sequence) => {
    // The engine announces a record after it was appended.
    if (engine.changes.active) queueMicrotask(() => engine.changes.durable(sequence))
  }
  return engine
}

/**
 * `main.transact` with the writes to `volatile` inside it: a throw undoes both. Should the log refuse the finished record
 * (it is too large), what was volatile has happened all the same.
 */
export function transactBoth<R>(
  main: Engine,
  volatileEngine: Engine,
  options: WriteOptions | undefined,
  fn: () => R,
): Promise<R> {
  let own: R | undefined
  const done = main.transact(options, () => {
    let result: { value: R } | undefined
    let failure: unknown
    const inner = volatileEngine.write(undefined, () => {
      try {
        const value = fn()
        // Seen by the main engine alone it would leave the volatile half standing.
        if (isForeign(value, main, volatileEngine)) throw notSynchronous(value)
        result = { value }
      } catch (error) {
        failure = error
        throw error
      }
    })
    inner.catch(() => undefined)
    if (result === undefined) throw failure
    const { value } = result
    if (!volatileEngine.isOwnPromise(value)) return value
    own = value
    return undefined as R
  })
  return main.ownPromise(done.then((value) => own ?? value))
}

function isForeign(value: unknown, ...engines: readonly Engine[]): boolean {
  const isPromise = typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
  return isPromise && !engines.some((engine) => engine.isOwnPromise(value))
}

class VolatileEngine extends Engine {
  /** There is no log to read back, and the files of the store's own log are about other records. */
  override readLog(from: number): AsyncIterable<LogRecord> {
    throw new HoldfastError(
      'HOLDFAST_WATCH_LOST',
      `changes of volatile structures are not kept: sequence ${from} cannot be watched any more; read the current state and watch without from`,
      { detail: { from, oldestSequence: this.lastSequence + 1 } },
    )
  }
}

/** Acknowledges every record at once and at every level, and has none of them. */
class ForgetfulLog implements Log {
  #sequence = 0
  #space: RecordSpace | undefined
  onAppended: ((sequence: number) => void) | undefined

  get lastSequence(): number {
    return this.#sequence
  }

  get durableSequence(): number {
    return this.#sequence
  }

  space(byteLength: number): RecordSpace {
    const space = this.#space
    if (space === undefined || space.buffer.length < byteLength) {
      // Exact for a record of one entry, doubled for one that grows. Not from a pool: an entry that stays would keep the
      // whole pool.
      const length = space === undefined ? byteLength : Math.max(byteLength, 2 * space.buffer.length)
      this.#space = { buffer: Buffer.allocUnsafeSlow(length), start: 0 }
    }
    return this.#space as RecordSpace
  }

  append(): number {
    this.#space = undefined
    this.#sequence++
    this.onAppended?.(this.#sequence)
    return this.#sequence
  }

  isSettled(): boolean {
    return true
  }

  settled<T>(_sequence: number, _wanted: number, value: T): Promise<T> {
    return Promise.resolve(value)
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  segments(): SegmentInfo[] {
    return []
  }

  stats(): WalStats {
    return { groups: 0, records: this.#sequence, bytes: 0, syncs: 0, rotations: 0, preparedRotations: 0 }
  }
}
