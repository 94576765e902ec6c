import { expect, test } from 'vitest'
import { runExamples } from '../support/doc-example.ts'

for (const page of ['tables.md', 'records.md', 'stacks.md', 'from-supercache.md']) {
  test(`the examples of docs/${page} print what they say`, async () => {
    const { printed, promised } = await runExamples(page)
    expect(promised.length).toBeGreaterThan(0)
    expect(printed).toEqual(promised)
  })
}
