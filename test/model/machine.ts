/** A disk and a backend that fail, stop and lose power together, on command and always the same way. */
import type { Clock } from '../../src/base/index.ts'
import type { FileSystem } from '../../src/fs/index.ts'
import { open, type OpenOptions, type Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import {
  type CrashMode,
  type Fault,
  FaultInjector,
  type InjectedFault,
  SimulatedDisk,
} from '../../src/testing/index.ts'
import type { Level } from './operation.ts'

export const location = '/disk/store'

/** What one opening is given. None of it may show in what the store answers. */
export interface Settings {
  readonly segmentBytes: number
  readonly partitions: number
  readonly memoryBytes: number
  readonly checkpointBytes: number
  readonly durability: Level
  /** With a quick disk one who writes alone is served on the calling thread, with a slow one never. */
  readonly disk: 'quick' | 'slow'
}

export interface PowerCut {
  readonly mode: CrashMode
  readonly seed: number
  readonly tearBytes: number
}

export interface BatchFault {
  readonly batch: number
  readonly applied: boolean
  readonly code: string
  readonly repeat: boolean
}

const batchesEver = 40

/** Each reading is later than the one before by the same step: no machine's clock decides how a sync is done. */
function steadyClock(stepMs: number, now: () => number): Clock {
  let ticks = 0
  return { now, monotonic: () => (ticks += stepMs) }
}

export class Machine {
  /** What its wall clock shows: it goes on when a command says so. */
  now = 0
  #disk: SimulatedDisk
  #backend: MemoryBackend
  #injector: FaultInjector
  readonly #wrap: (inner: FileSystem) => FileSystem
  #injected: InjectedFault[] = []
  #crashCall = Number.POSITIVE_INFINITY
  #batches = 0
  #crashBatch = Number.POSITIVE_INFINITY
  #batchFaults: { readonly batch: number; fired: boolean }[] = []

  /** `wrap` goes around all calls, faults included: it may hold them up. */
  constructor(wrap: (inner: FileSystem) => FileSystem = (inner) => inner) {
    this.#wrap = wrap
    this.#disk = new SimulatedDisk()
    this.#backend = new MemoryBackend({ onBatch: () => this.#onBatch() })
    this.#injector = new FaultInjector(this.#disk.fileSystem)
  }

  get disk(): SimulatedDisk {
    return this.#disk
  }

  get stopped(): boolean {
    return this.#disk.callCount >= this.#crashCall
  }

  /** Something was made to go wrong since the last start, so that writes may be refused. */
  get troubled(): boolean {
    return this.stopped || this.#injected.some(({ fired }) => fired > 0) || this.#batchFaults.some(({ fired }) => fired)
  }

  open(settings: Settings): Promise<Store> {
    return open(location, this.#options(settings, this.#wrap(this.#injector.fileSystem), this.#backend))
  }

  /** A copy of a machine whose store is closed, with one byte damaged. */
  damagedCopy(choice: number, share: number, mask: number): { where: string; open: (s: Settings) => Promise<Store> } {
    const disk = this.#disk.clone()
    const backend = this.#backend.crash('all')
    this.#backend = this.#backend.crash('all')
    const entries = backend.rawEntries()
    const files = disk.files().filter((file) => disk.readBytes(file).length > 0)
    const place = choice % (files.length + Math.min(entries.length, files.length))
    const start = (settings: Settings) => open(location, this.#options(settings, disk.fileSystem, backend))
    const file = files[place]
    if (file !== undefined) {
      const offset = Math.floor(share * disk.readBytes(file).length)
      disk.corrupt(file, offset, mask)
      return { where: `${file} at ${offset}`, open: start }
    }
    const { key, value } = entries[Math.floor(share * entries.length)] as { key: string; value: Uint8Array }
    const offset = choice % Math.max(1, value.length)
    backend.corrupt(key, (bytes) => bytes.map((byte, i) => (i === offset ? byte ^ mask : byte)))
    return { where: `the backend's ${JSON.stringify(key)} at ${offset}`, open: start }
  }

  inject(fault: Fault): void {
    this.#injected.push(this.#injector.inject(fault))
  }

  failBatch({ batch, applied, code, repeat }: BatchFault): void {
    for (let n = batch; n <= (repeat ? batch + batchesEver : batch); n++) {
      this.#backend.failBatch(n, { applied, code })
      this.#batchFaults.push({ batch: this.#batches + n, fired: false })
    }
  }

  /** The machine stops at the `calls`-th call of the disk from now on. */
  stopAfterCalls(calls: number): void {
    this.#crashCall = this.#disk.callCount + calls
    this.#disk.crashAt(this.#crashCall)
  }

  /** The machine stops in the `batches`-th batch of the backend from now on. */
  stopAfterBatches(batches: number): void {
    this.#crashBatch = this.#batches + batches
  }

  /** The next call finds a machine that stands. */
  cutPower({ mode, seed, tearBytes }: PowerCut): void {
    this.#disk = this.#disk.crash(mode, seed, { tearBytes })
    // What LevelDB may keep of what it has not synced: the log under it is one, too, so a prefix.
    this.#backend = this.#backend.crash(mode === 'strict' || mode === 'all' ? mode : 'prefix', seed)
    this.#injector = new FaultInjector(this.#disk.fileSystem)
    this.heal()
  }

  /** Nothing fails or stops any more. No store is open when batches were to fail: the backend begins a new life. */
  heal(): void {
    this.#disk.crashAt(Number.POSITIVE_INFINITY)
    this.#crashCall = Number.POSITIVE_INFINITY
    this.#crashBatch = Number.POSITIVE_INFINITY
    this.#injector.clear()
    this.#injected = []
    if (this.#batchFaults.length > 0) this.#backend = this.#backend.crash('all')
    this.#batchFaults = []
  }

  #options(settings: Settings, fileSystem: FileSystem, backend: MemoryBackend): OpenOptions {
    const { disk, ...plain } = settings
    const clock = steadyClock(disk === 'quick' ? 0.001 : 3, () => this.now)
    return { ...plain, fileSystem, backend, clock, bufferedIntervalMs: 5 }
  }

  #onBatch(): void {
    this.#batches++
    for (const fault of this.#batchFaults) if (fault.batch === this.#batches) fault.fired = true
    if (this.#batches >= this.#crashBatch && !this.stopped) this.stopAfterCalls(0)
    if (this.stopped) throw new Error('the machine is off')
  }
}
