/** Goal: the table of mutants fits the source, so that no mutant is one in name only. */
import { describe, expect, it } from 'vitest'
import { readText } from '../tidy/project-files.ts'
import { nodesOf } from '../tidy/syntax.ts'
import { huntingFiles } from './layers.ts'
import { defects, type Mutant, mutated } from './mutant.ts'
import { findMutant, mutantPlugin } from './mutant-plugin.ts'
import { inert, mutants } from './table.ts'

describe('the table of mutants', () => {
  it('has each of the twelve defects, and no name twice', () => {
    expect(defects).toHaveLength(12)
    const shown = new Set(mutants.filter((each) => each !== inert).map(({ defect }) => defect))
    expect([...shown].sort()).toEqual([...defects].sort())
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  })

  it.each(mutants)('$name fits the source, changes it and leaves it well formed', (mutant) => {
    expect(mutant.edits.length).toBeGreaterThan(0)
    for (const file of new Set(mutant.edits.map((edit) => edit.file))) {
      const source = readText(`src/${file}`)
      const changed = mutated(mutant, file, source)
      expect(changed).not.toBe(source)
      expect([...nodesOf(changed)].length).toBeGreaterThan(0)
    }
  })

  it('names tests that are there', () => {
    expect(huntingFiles.length).toBeGreaterThan(5)
    for (const file of huntingFiles) expect(readText(file).length, file).toBeGreaterThan(0)
  })
})

describe('an edit', () => {
  const mutant: Mutant = {
    ...{ name: 'planted', defect: 'none', breaks: 'nothing' },
    edits: [{ file: 'a.ts', find: 'one', replace: 'two' }],
  }

  it('whose text is missing or there twice is refused', () => {
    expect(() => mutated(mutant, 'a.ts', 'three')).toThrow(/0 times instead of once/)
    expect(() => mutated(mutant, 'a.ts', 'one and one')).toThrow(/2 times instead of once/)
    expect(mutated(mutant, 'a.ts', 'just one')).toBe('just two')
    expect(mutated(mutant, 'b.ts', 'three')).toBe('three')
  })
})

it('a mutant that is not in the table, or does not fit, is refused', () => {
  expect(() => findMutant('no-such-mutant')).toThrow(/no mutant/)
  expect(() => mutantPlugin({ ...inert, edits: [{ file: 'wal/wal.ts', find: 'no such text', replace: '' }] })).toThrow(
    /0 times/,
  )
})
