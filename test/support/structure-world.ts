/** A store on a simulated machine that can be reopened, or lose its power, between the steps of a test. */
import { open, type OpenOptions, type Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { type CrashMode, SimulatedDisk } from '../../src/testing/index.ts'

export class StructureWorld {
  store: Store
  disk: SimulatedDisk
  backend: MemoryBackend
  readonly #options: OpenOptions

  private constructor(store: Store, disk: SimulatedDisk, backend: MemoryBackend, options: OpenOptions) {
    this.store = store
    this.disk = disk
    this.backend = backend
    this.#options = options
  }

  static async open(options: OpenOptions = {}): Promise<StructureWorld> {
    const disk = new SimulatedDisk()
    const backend = new MemoryBackend()
    return new StructureWorld(await openOn(disk, backend, options), disk, backend, options)
  }

  async reopen(): Promise<Store> {
    await this.store.close()
    this.store = await openOn(this.disk, this.backend, this.#options)
    return this.store
  }

  /** Both halves of the machine lose their power at once. */
  async crash(mode: CrashMode, seed = 1): Promise<Store> {
    const left = this.disk.crash(mode, seed)
    const twin = this.backend.crash(mode === 'all' || mode === 'strict' ? mode : 'prefix', seed)
    await this.store.close().catch(() => undefined)
    this.disk = left
    this.backend = twin
    this.store = await openOn(left, twin, this.#options)
    return this.store
  }
}

/** Options under which hardly anything stays in memory: reads go to the backend. */
export const hardlyAnyMemory: OpenOptions = { memoryBytes: 64 * 1024, checkpointBytes: 8 * 1024 }

function openOn(disk: SimulatedDisk, backend: MemoryBackend, options: OpenOptions): Promise<Store> {
  return open('/disk/store', { fileSystem: disk.fileSystem, backend, ...options })
}
