import { expect, it } from 'vitest'
import { runExamples } from '../support/doc-example.ts'

it.each(['key-value.md', 'caching.md'])(
  'the examples of docs/%s print what they say',
  async (page) => {
    const { printed, promised } = await runExamples(page)
    expect(promised.length).toBeGreaterThan(5)
    expect(printed).toEqual(promised)
  },
  60_000,
)
