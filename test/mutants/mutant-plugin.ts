import { readFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { type Mutant, mutated } from './mutant.ts'
import { mutants } from './table.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))

export function findMutant(name: string): Mutant {
  const mutant = mutants.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`there is no mutant ${JSON.stringify(name)}`)
  return mutant
}

/** Compiles a mutant into the source. Throws for an edit that does not fit. */
export function mutantPlugin(mutant: Mutant): Plugin {
  const edited = new Set(mutant.edits.map(({ file }) => file))
  // At once: a run whose tests never load the file must not pass for one of the mutant.
  for (const file of edited) mutated(mutant, file, readFileSync(`${source}${sep}${file}`, 'utf8'))
  return {
    name: `mutant-${mutant.name}`,
    enforce: 'pre',
    transform(code, id) {
      const file = relative(source, id.split('?')[0] ?? '')
        .split(sep)
        .join('/')
      return edited.has(file) ? { code: mutated(mutant, file, code), map: null } : undefined
    },
  }
}
