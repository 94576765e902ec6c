/** A store with a clock that stands until it is told to go on, on a disk that can crash. */
import type { Clock } from '../../../src/base/index.ts'
import { open, type OpenOptions, type Store } from '../../../src/index.ts'
import { type CrashMode, MemoryBackend, SimulatedDisk } from '../../../src/testing/index.ts'

export class TestClock implements Clock {
  time = 1_000_000

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  advance(ms: number): void {
    this.time += ms
  }
}

export interface KvWorld {
  readonly store: Store
  readonly clock: TestClock
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
  /** Closed and opened again. */
  reopen(options?: OpenOptions): Promise<KvWorld>
  /** Cut off without a close and opened again. */
  crash(mode?: CrashMode, options?: OpenOptions): Promise<KvWorld>
}

export async function kvWorld(
  options: OpenOptions = {},
  { clock = new TestClock(), disk = new SimulatedDisk(), backend = new MemoryBackend() } = {},
): Promise<KvWorld> {
  const store = await open('/disk/store', { fileSystem: disk.fileSystem, backend, clock, ...options })
  return {
    ...{ store, clock, disk, backend },
    async reopen(other = options) {
      await store.close()
      return kvWorld(other, { clock, disk, backend })
    },
    async crash(mode = 'strict', other = options) {
      const left = { clock, disk: disk.crash(mode, 1), backend: backend.crash(mode === 'all' ? 'all' : 'strict', 1) }
      await store.close().catch(() => undefined)
      return kvWorld(other, left)
    },
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Lets everything happen that needs no more than turns of the event loop. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
