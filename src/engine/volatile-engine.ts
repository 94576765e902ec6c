/** An engine whose log keeps nothing: for namespaces that are to be gone at close. */
import { MemoryBackend } from '../kv/index.ts'
import { MemoryTier } from '../memory/index.ts'
import type { Log, RecordSpace, SegmentInfo, WalStats } from '../wal/index.ts'
import { BackendAccess } from './backend-access.ts'
import { Engine } from './engine.ts'
import type { WriteOptions } from './types.ts'

/** Everything stays dirty in its memory tier. It is of the same store, and closed and poisoned on its own. */
export async function openVolatileEngine(owner: Engine): Promise<Engine> {
  const backend = new MemoryBackend()
  await backend.open({ create: true })
  const log = new ForgetfulLog()
  const engine = new Engine({
    ...{ location: owner.location, clock: owner.clock, logFiles: owner.logFiles, recovery: owner.recovery },
    ...{ tier: new MemoryTier({ partitions: 8, budgetBytes: Number.MAX_SAFE_INTEGER }) },
    ...{ access: new BackendAccess(backend), wal: log, defaultLevel: owner.defaultLevel, staging: false },
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
        result = { value: fn() }
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
    if (this.#space === undefined || this.#space.buffer.length < byteLength) {
      // Not from a pool: an entry that stays would keep the whole pool.
      this.#space = { buffer: Buffer.allocUnsafeSlow(byteLength), start: 0 }
    }
    return this.#space
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
