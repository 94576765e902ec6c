import type { CrashCaseFailed } from './explore-crashes-case.ts'

/**
 * Leaves out steps as long as what is left still fails: halves, quarters, … and single ones, until none can be left
 * out or the budget is spent. Answers the failure with the fewest steps that was seen.
 */
export async function shortest(
  failure: CrashCaseFailed,
  all: readonly number[],
  states: number,
  failing: (steps: readonly number[], budget: () => boolean) => Promise<CrashCaseFailed | undefined>,
): Promise<CrashCaseFailed> {
  let left = states
  const budget = (): boolean => left-- > 0
  let best = failure
  let steps = all
  for (let size = Math.ceil(all.length / 2); size >= 1; ) {
    let shorter = false
    for (let from = 0; from < steps.length && left > 0; ) {
      const kept = [...steps.slice(0, from), ...steps.slice(from + size)]
      const still = kept.length === 0 ? undefined : await failing(kept, budget)
      if (still === undefined) from += size
      else {
        best = still
        steps = kept
        shorter = true
      }
    }
    if (left <= 0) break
    if (size > 1) size = Math.ceil(size / 2)
    else if (!shorter) break
  }
  return best
}
