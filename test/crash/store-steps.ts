/**
 * What the crash workload of the store can do, one entry a kind of step, and how the facts of each structure are read
 * back. To put another structure through it, add its steps and a dump here: nothing else need know of it.
 */
import type { Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { assignmentDump, assignmentSteps } from './store-steps-assignments.ts'
import { contentDump, contentSteps } from './store-steps-content.ts'
import { keyValueDump, keyValueSteps } from './store-steps-kv.ts'
import { pathDump, pathSteps } from './store-steps-paths.ts'
import { storeSteps } from './store-steps-whole.ts'
import type { StoreModel } from './store-facts.ts'

export interface StepKind {
  readonly name: string
  /** How often it is taken, against the others. */
  readonly weight: number
  /** Every argument comes from `random`, so that a step is the same whatever other steps are left out. */
  run(store: Store, random: Prng, model: StoreModel): Promise<void>
}

/** Reads everything of one structure back: all facts that begin with `prefix`. */
export interface Dump {
  readonly prefix: string
  readonly read: (store: Store) => Promise<Map<string, string>>
}

export const stepKinds: readonly StepKind[] = [
  ...assignmentSteps,
  ...contentSteps,
  ...pathSteps,
  ...keyValueSteps,
  ...storeSteps,
]

export const dumps: readonly Dump[] = [...assignmentDump, ...contentDump, ...pathDump, ...keyValueDump]
