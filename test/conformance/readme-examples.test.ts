/** Goal: a newcomer's first two programs do what README.md says. */
import { expect, it } from 'vitest'
import { outputOf } from '../support/doc-example.ts'
import { readText } from '../tidy/project-files.ts'

const blocks = [...readText('README.md').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = '']) => block)

it('the README has two programs', () => {
  expect(blocks).toHaveLength(2)
})

it('the first writes an assignment, is refused another in its slot, and finds it after reopening', async () => {
  const printed = (await outputOf(blocks[0] ?? '')).join('\n')
  expect(printed).toMatch(
    /^0 true [\w-]{43}\nHOLDFAST_SLOT_CONFLICT\n\{\s+slot: 0,\s+id: '[\w-]{43}',\s+hashChain: undefined/,
  )
  expect(printed).toContain("body: { data: '1+1' }")
})

it('the second caches, queues in a transaction and matches', async () => {
  expect(await outputOf(blocks[1] ?? '')).toEqual(["{ name: 'Ada' } 2", "[ [ 'Vienna', 2000000 ] ]"])
})
