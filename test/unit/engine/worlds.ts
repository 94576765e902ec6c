/** Stores for tests: on a simulated disk that can be told to fail, or in a directory of their own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type OpenOptions, type Store } from '../../../src/index.ts'
import {
  type Backend,
  type BackendIterator,
  type BackendOperation,
  type BackendRange,
  MemoryBackend,
} from '../../../src/kv/index.ts'
import { type HeldCall, anySync, FaultInjector, SimulatedDisk } from '../../../src/testing/index.ts'

export const location = '/disk/store'
export const processA = 'A'.repeat(43)
export const utf8 = (text: string): Buffer => Buffer.from(text)
export const tick = (): Promise<void> => new Promise((resume) => setImmediate(resume))

/** Counts its open iterators, and can be told to hold or refuse a batch. */
export class WatchedBackend extends MemoryBackend {
  openIterators = 0
  reads = 0
  #hold: { arrived: () => void; released: Promise<void> } | undefined

  holdBatch(): HeldCall {
    let arrived = (): void => undefined
    let resume = (): void => undefined
    const reached = new Promise<void>((resolve) => (arrived = resolve))
    const released = new Promise<void>((resolve) => (resume = resolve))
    this.#hold = { arrived, released }
    return { reached, resume }
  }

  override async batch(operations: readonly BackendOperation[], options: { sync: boolean }): Promise<void> {
    const hold = this.#hold
    this.#hold = undefined
    if (hold !== undefined) {
      hold.arrived()
      await hold.released
    }
    return super.batch(operations, options)
  }

  override getSync(key: string): Uint8Array | undefined {
    this.reads++
    return super.getSync(key)
  }

  override iterate(range: BackendRange): BackendIterator {
    const inner = super.iterate(range)
    this.openIterators++
    let isOpen = true
    return {
      next: (size) => inner.next(size),
      close: async () => {
        if (isOpen) this.openIterators--
        isOpen = false
        await inner.close()
      },
    }
  }
}

export interface World {
  readonly disk: SimulatedDisk
  readonly faults: FaultInjector
  readonly backend: WatchedBackend
  open(options?: OpenOptions): Promise<Store>
}

export function world(disk = new SimulatedDisk(), backend: Backend = new WatchedBackend()): World {
  const faults = new FaultInjector(disk.fileSystem)
  return {
    disk,
    faults,
    backend: backend as WatchedBackend,
    open: (options) => open(location, { fileSystem: faults.fileSystem, backend, ...options }),
  }
}

/**
 * Holds the sync of the next group. A lone record is synced on the calling thread, which nothing can hold up, so the
 * caller writes two in one step.
 */
export function holdSync({ faults }: World): HeldCall {
  return faults.hold({ operation: 'datasync', path: '/wal/' })
}

export function failSyncs({ faults }: World, code = 'EIO'): void {
  faults.inject({ operation: anySync, path: '/wal/', repeat: true, code })
}

export async function inDirectory(fn: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-unit-'))
  try {
    await fn(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}
