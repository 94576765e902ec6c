/**
 * How much a run is to do, and what it reports of it. `npm test` runs every layer of the crash tests short,
 * `npm run test:crash` with the figures that docs/testing.md promises, a soak with new seeds each round.
 */
import type { TestContext } from 'vitest'

/** The layers of docs/testing.md whose figures a run prints at its end (scripts/summary-reporter.mjs). */
export type Layer = 'L1' | 'L2' | 'L3' | 'L4' | 'L5' | 'L6' | 'L7' | 'L8' | 'L9' | 'L10' | 'mutants'

export interface LayerReport {
  readonly layer: Layer
  /** Unit (states, runs, kills, …) to how many of it. Equal units of one layer are added up. */
  readonly counts: Readonly<Record<string, number>>
}

declare module 'vitest' {
  interface TaskMeta {
    layers?: LayerReport[]
  }
}

/** `short` for `npm test`, `full` for `npm run test:crash`. */
export function effort(short: number, full: number): number {
  return process.env['HOLDFAST_EFFORT'] === 'full' ? full : short
}

/** Added to every seed of a workload: 0 but in a soak, whose rounds each have their own. */
export function firstSeed(): number {
  return Number(process.env['HOLDFAST_FIRST_SEED'] ?? 0)
}

/**
 * Says what a test of `layer` did. A test that skips says so first with empty counts, so that its layer shows as
 * skipped and not as missing.
 */
export function reportLayer(context: TestContext, layer: Layer, counts: LayerReport['counts']): void {
  const { meta } = context.task
  meta.layers = [...(meta.layers ?? []), { layer, counts }]
}

/** A mutant is compiled in (test/mutants): only whether a test fails is asked then, not for its smallest case. */
export const isHunting = process.env['HOLDFAST_MUTANT'] !== undefined
