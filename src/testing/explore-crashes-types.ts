import type { Prng } from '../base/index.ts'
import type { FileSystem } from '../fs/index.ts'
import type { CrashMode } from './simulated-disk.ts'

/** What one life of the storage runs on. */
export interface CrashMachine<Companion = undefined> {
  readonly fileSystem: FileSystem
  /** What crashes together with the disk, if the workload has such a part. */
  readonly companion: Companion
  /** Marks a moment between two calls of the file system at which the power may be cut as well. */
  readonly cutPoint: (what: string) => void
}

/** The crash, or the crashes one after another, since the model was last compared. */
export interface CrashHistory {
  readonly modes: readonly CrashMode[]
  /** One of them was a power cut: what was written and not synced may be gone. After kills only, it may not. */
  readonly powerCut: boolean
}

/**
 * A part of the machine beside the disk, such as a backend: what is on it is lost, or not, in the same crash. Neither
 * `clone` nor `crash` may disturb the one it is given.
 */
export interface CrashCompanion<Companion> {
  create(): Companion
  clone(companion: Companion): Companion
  crash(companion: Companion, mode: CrashMode, seed: number): Companion
}

/**
 * Storage to be tested, what it is put through, and how to tell whether it kept its promises.
 *
 * The model is what somebody outside knows: what was begun and what was acknowledged. A step notes what it begins in
 * the model before it calls the storage, and an acknowledgement after it: the power may be cut in between.
 */
export interface CrashWorkload<Storage, Model, Step, Companion = undefined> {
  /** What is known before the first life. */
  model(): Model
  /** An independent copy; `structuredClone` by default, which does for plain data. */
  copyModel?(model: Model): Model
  /** What one life does; the same for the same random numbers. Life 1 begins on an empty disk, life 2 after a crash. */
  steps(random: Prng, life: number): readonly Step[]
  /** Creates the storage, or recovers it. */
  open(machine: CrashMachine<Companion>, model: Model): Promise<Storage>
  step(storage: Storage, step: Step, model: Model): Promise<void> | void
  /**
   * Compares what the storage holds after a crash with the model; throws when a promise was broken. Then brings the
   * model to what was found: what is gone may not come back, and what is there counts as acknowledged. What it answers
   * stands for what was found: a recovery that was cut off must, after a power cut, lead to the same.
   */
  check(storage: Storage, model: Model, crash: CrashHistory): Promise<Found> | Found
  close?(storage: Storage): Promise<void>
  /** For messages; `JSON.stringify` by default. */
  describeStep?(step: Step): string
  readonly companion?: CrashCompanion<Companion>
}

/** What `check` answers; `undefined` is not compared. */
export type Found = string | number | undefined | void

export interface CrashExplorationOptions {
  /** How many seeds, each a workload of its own. Default 1. */
  readonly seeds?: number
  /** Default 1. */
  readonly firstSeed?: number
  /** Default: all four. */
  readonly modes?: readonly CrashMode[]
  /** Sizes at which writes tear; only for modes in which they do. Default 512 and 4096. */
  readonly tearBytes?: readonly number[]
  /** 2: the recovery after a crash is cut off at each of its own calls too. Default 1. */
  readonly depth?: 1 | 2
  /** Of the crashes of a seed's first life try so many, spread evenly. Default: all. */
  readonly statesPerSeed?: number
  /** At depth 2: of the recoveries of a seed cut off so many, each at every call. Default: all. */
  readonly recoveriesPerSeed?: number
  /** Try this one case, as a failure printed it, and nothing else. */
  readonly replay?: string | undefined
  /** The command a failure prints for its case; the case alone by default. */
  readonly replayCommand?: (spec: string) => string
  /** Crashes to try at most while looking for a shorter list of steps that fails. Default 2000; 0: do not look. */
  readonly shrinkStates?: number
}

export interface CrashReport {
  readonly seeds: number
  /** Calls, and other cut points, of all first lives. */
  readonly calls: number
  /** Crashes whose state was recovered and checked: of first lives, and of the lives that went on after them. */
  readonly states: number
  /** The same for crashes in the middle of a recovery. */
  readonly recoveryStates: number
}
