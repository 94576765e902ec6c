/** The examples of docs/adapters.md run as they stand there and print what their comments say. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Each example compiles the store in a process of its own. */
const timeoutMs = 60_000

const root = new URL('../../', import.meta.url)
const text = await readFile(new URL('docs/adapters.md', root), 'utf8')
const examples = [...text.matchAll(/^## (.+)\n\n```ts\n([^]*?)^```$/gm)].map(([, title = '', code = '']) => ({
  title,
  code,
}))

/** Entry points of the package to the sources they are built from. */
function withSources(code: string): string {
  return code.replace(/from 'holdfast(\/[a-z]+)?'/g, (_, entry: string | undefined) => {
    const file = entry === undefined ? 'src/index.ts' : `src/adapters${entry}.ts`
    return `from '${new URL(file, root).href}'`
  })
}

/** What the comments behind `console.log` promise, line by line; several lines are separated by commas. */
function promised(code: string): string[] {
  const comments = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment = '']) => comment)
  return comments.flatMap((comment) => (/^[[{]/.test(comment) ? [comment] : comment.split(', ')))
}

async function outputOf(code: string): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-example-'))
  try {
    await symlink(fileURLToPath(new URL('node_modules', root)), join(directory, 'node_modules'), 'junction')
    await writeFile(join(directory, 'example.mts'), withSources(code))
    const run = promisify(execFile)(execPath, ['--import', 'tsx', 'example.mts'], { cwd: directory })
    return (await run).stdout.trimEnd().split('\n')
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('there is an example of each adapter', () => {
  expect(examples.map(({ title }) => title)).toEqual(['Keyv', 'abstract-level', 'Blockstore'])
})

test.for(examples)('the example of $title prints what it says', { timeout: timeoutMs }, async ({ code }) => {
  expect(await outputOf(code)).toEqual(promised(code))
})
