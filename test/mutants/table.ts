import { logMutants } from './log-mutants.ts'
import type { Mutant } from './mutant.ts'
import { storeMutants } from './store-mutants.ts'

/** Changes nothing: with it every layer must pass, or what kills the others is not their defect. */
export const inert: Mutant = {
  name: 'inert',
  defect: 'none',
  breaks: 'nothing',
  edits: [{ file: 'wal/segment-writer.ts', find: 'durableEnd = 0', replace: 'durableEnd = 0 * 1' }],
}

export const mutants: readonly Mutant[] = [...logMutants, ...storeMutants, inert]
