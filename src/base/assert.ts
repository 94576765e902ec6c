import { HoldfastError } from './errors.ts'

/** Checks an invariant of the engine, in production too: a failure is a bug in holdfast, never a caller's mistake. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition)
    throw new HoldfastError('HOLDFAST_ASSERTION', `broken invariant: ${invariant}; please report this as a bug`)
}
