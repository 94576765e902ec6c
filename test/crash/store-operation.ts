import type { Store, WriteOptions } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import type { Effect, StoreModel } from './store-facts.ts'

/** One synchronous write. */
export interface Operation {
  readonly effects: readonly Effect[]
  /** Rejects when its answer is not what the model expects. */
  readonly call: (options: WriteOptions | undefined) => Promise<unknown>
}

export interface OperationKind {
  readonly name: string
  readonly weight: number
  /** False: that there was nothing to write may have a reason other than the record that wrote these facts last. */
  readonly rests?: boolean
  /** It takes no durability: always that of the structure. */
  readonly alwaysSync?: boolean
  readonly make: (store: Store, random: Prng, model: StoreModel) => Operation
}

export type Operations = readonly OperationKind[]

export async function expectAnswer(answered: Promise<unknown>, expected: unknown, what: string): Promise<void> {
  const answer = JSON.stringify(await answered)
  if (answer !== JSON.stringify(expected))
    throw new Error(`${what} answered ${answer}, not ${JSON.stringify(expected)}`)
}

/** The first of the pairs that are not equal. */
export function firstDifference(
  pairs: readonly (readonly [what: string, found: unknown, wanted: unknown])[],
): string | undefined {
  for (const [what, found, wanted] of pairs) {
    const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)]
    if (one !== other) return `${what} is ${one}, not ${other}`
  }
  return undefined
}
