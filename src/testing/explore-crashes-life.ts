import { type CrashCut, luckOf } from './explore-crashes-case.ts'
import type { CrashHistory, CrashMachine, CrashWorkload, Found } from './explore-crashes-types.ts'
import { type CrashMode, SimulatedDisk } from './simulated-disk.ts'

/** A machine and what is known about it, at rest. */
export interface CrashState<Model, Companion> {
  readonly disk: SimulatedDisk
  readonly companion: Companion
  readonly model: Model
  /** The crashes since the last check. */
  readonly modes: readonly CrashMode[]
}

/** What a power cut at one cut point finds. */
export interface CrashMoment<Model, Companion> extends CrashState<Model, Companion> {
  readonly call: number
  readonly what: string
}

/** Names of calls that change what is on a disk; `open` may. */
const changing = new Set(['write', 'ftruncate', 'rename', 'unlink', 'mkdir', 'rm'])

/**
 * One life of the storage on one machine. The machine is not stopped: at each wanted cut point its state is copied as
 * a power cut there would find it, and the life goes on. So one life yields the crashes at all of its calls.
 */
export class CrashLife<Storage, Model, Step, Companion> {
  /** Cut points so far. */
  calls = 0
  changes = 0
  readonly moments: CrashMoment<Model, Companion>[] = []
  readonly #workload: CrashWorkload<Storage, Model, Step, Companion>
  readonly #state: CrashState<Model, Companion>
  #modes: readonly CrashMode[]
  #wanted: (call: number) => boolean
  #storage: Storage | undefined

  /** `state` is used up: the life changes it. */
  constructor(
    workload: CrashWorkload<Storage, Model, Step, Companion>,
    state: CrashState<Model, Companion>,
    wanted: (call: number) => boolean = () => false,
  ) {
    this.#workload = workload
    this.#state = state
    this.#modes = state.modes
    this.#wanted = wanted
    state.disk.beforeCall = (_number, name, path) => {
      if (changing.has(name)) this.changes += 1
      this.#cutPoint(`${name} '${path}'`)
    }
  }

  /** From here on cut points count from 1 again, and these are wanted. */
  want(wanted: (call: number) => boolean): void {
    this.calls = 0
    this.#wanted = wanted
  }

  async open(): Promise<void> {
    const { disk, companion, model } = this.#state
    const machine: CrashMachine<Companion> = {
      fileSystem: disk.fileSystem,
      companion,
      cutPoint: (what) => this.#cutPoint(what),
    }
    this.#storage = await this.#workload.open(machine, model)
  }

  async check(): Promise<Found> {
    const modes = this.#modes
    const crash: CrashHistory = { modes, powerCut: modes.some((mode) => mode !== 'all') }
    const found = await this.#workload.check(this.#opened(), this.#state.model, crash)
    this.#modes = []
    return found
  }

  async work(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#workload.step(this.#opened(), step, this.#state.model)
  }

  async close(): Promise<void> {
    await this.#workload.close?.(this.#opened())
  }

  /** The state after everything, one past the last cut point. */
  end(): CrashMoment<Model, Companion> {
    return this.#moment(this.calls + 1, 'the end')
  }

  /** Ends the life without any further effect; releases what the storage holds in this process. */
  async abandon(): Promise<void> {
    this.#state.disk.beforeCall = undefined
    this.#state.disk.crashAt(0)
    const storage = this.#storage
    this.#storage = undefined
    // Its disk is gone, so it may well complain.
    if (storage !== undefined) await Promise.resolve(this.#workload.close?.(storage)).catch(() => undefined)
  }

  #cutPoint(what: string): void {
    this.calls += 1
    if (this.#wanted(this.calls)) this.moments.push(this.#moment(this.calls, what))
  }

  #moment(call: number, what: string): CrashMoment<Model, Companion> {
    const { disk, companion, model } = this.#state
    return {
      ...{ call, what, modes: this.#modes, disk: disk.clone(), model: copyOf(this.#workload, model) },
      companion: this.#workload.companion?.clone(companion) ?? companion,
    }
  }

  #opened(): Storage {
    if (this.#storage === undefined) throw new Error('the storage is not open')
    return this.#storage
  }
}

/** An empty machine. */
export function blank<Storage, Model, Step, Companion>(
  workload: CrashWorkload<Storage, Model, Step, Companion>,
  model: Model,
): CrashState<Model, Companion> {
  const companion = workload.companion?.create() as Companion
  return { disk: new SimulatedDisk(), companion, model, modes: [] }
}

/** What a crash of this kind leaves of a moment, for one life: it may be asked again for another. */
export function crashed<Storage, Model, Step, Companion>(
  workload: CrashWorkload<Storage, Model, Step, Companion>,
  { disk, companion, model, modes }: CrashState<Model, Companion>,
  seed: number,
  cut: CrashCut,
): CrashState<Model, Companion> {
  const luck = luckOf(seed, cut)
  return {
    disk: disk.crash(cut.mode, luck, { tearBytes: cut.tearBytes }),
    companion: workload.companion?.crash(workload.companion.clone(companion), cut.mode, luck) ?? companion,
    model: copyOf(workload, model),
    modes: [...modes, cut.mode],
  }
}

function copyOf<Storage, Model, Step, Companion>(
  workload: CrashWorkload<Storage, Model, Step, Companion>,
  model: Model,
): Model {
  return workload.copyModel === undefined ? structuredClone(model) : workload.copyModel(model)
}
