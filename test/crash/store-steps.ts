/**
 * What the crash workload of the store can do, one entry a kind of step, and how the facts of each structure are read
 * back. To put another structure through it, add its steps and a dump here: nothing else need know of it.
 */
import type { Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { assignmentDump, assignmentSteps } from './store-steps-assignments.ts'
import { cacheDumps, cacheProofs, cacheSteps } from './store-steps-cache.ts'
import { contentDump, contentSteps } from './store-steps-content.ts'
import { pathDump, pathSteps } from './store-steps-paths.ts'
import { storeSteps } from './store-steps-whole.ts'
import type { Operation } from './store-operation.ts'
import type { Facts, StoreModel } from './store-facts.ts'

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
  readonly read: (store: Store, now: number) => Promise<Map<string, string>>
  /** What is wrong with what was found, where it need not be everything that was written. */
  readonly difference?: (found: Facts, wanted: Facts) => readonly string[]
}

/** For a structure that does not show everything it holds. */
export interface Proof {
  /** What is wrong with what it shows. */
  readonly look: (store: Store, facts: Facts, now: number) => Promise<string | undefined>
  /** Takes everything out, compares, and puts it back, in one record. */
  readonly takeAll: (store: Store, model: StoreModel) => Operation
}

/** What a workload does, and how it looks at what came of it. */
export interface Repertoire {
  readonly kinds: readonly StepKind[]
  readonly dumps: readonly Dump[]
  readonly proofs: readonly Proof[]
}

export const stepKinds: readonly StepKind[] = [...assignmentSteps, ...contentSteps, ...pathSteps, ...storeSteps]

export const dumps: readonly Dump[] = [...assignmentDump, ...contentDump, ...pathDump]

export const contents: Repertoire = { kinds: stepKinds, dumps, proofs: [] }

const withCaches: ReadonlySet<string> = new Set(['checkpoint', 'sync', 'pass', 'assign', 'put'])

/** The cache structures, and a little of what is in the same log. */
export const caches: Repertoire = {
  kinds: [...cacheSteps, ...stepKinds.filter(({ name }) => withCaches.has(name))],
  dumps: [...dumps, ...cacheDumps],
  proofs: cacheProofs,
}
