/** The twelve defects that a suite for storage must notice; each has one mutant or more. */
export const defects = [
  'no fsync',
  'no directory fsync',
  'acknowledged before fsync',
  'trimmed before the checkpoint is durable',
  'ignores a short write',
  'retries fsync',
  'appends after a torn tail',
  'skips a checksum',
  'skips the chain',
  'uses a sequence again',
  'replays twice',
  'drops a tombstone',
] as const

export type Defect = (typeof defects)[number]

/** One change of one source file; `find` must be in it exactly once. */
export interface Edit {
  /** Below `src/`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A deliberate defect, compiled in for one run of the tests and no part of the source. */
export interface Mutant {
  readonly name: string
  readonly defect: Defect | 'none'
  /** What goes wrong in a store that has it. */
  readonly breaks: string
  readonly edits: readonly Edit[]
  /** The file of tests known to notice, where others that cannot would come before it. */
  readonly hunter?: string
}

/** The source with the edits of `mutant` for this file. Throws unless each is found exactly once. */
export function mutated(mutant: Mutant, file: string, source: string): string {
  let text = source
  for (const { file: edited, find, replace } of mutant.edits) {
    if (edited !== file) continue
    const places = text.split(find).length - 1
    if (places !== 1) {
      throw new Error(
        `mutant ${mutant.name}: what it edits is in src/${file} ${places} times instead of once:\n${find}`,
      )
    }
    text = text.replace(find, () => replace)
  }
  return text
}
