/** Runs the examples of a page of docs/ as they stand there. The `ts` blocks of a page are one program, from top to bottom. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = new URL('../../', import.meta.url)

export interface ExampleRun {
  /** Lines that the program printed. */
  readonly printed: readonly string[]
  /** What the comments behind `console.log(…) // …` promise, in order. */
  readonly promised: readonly string[]
}

export async function runExamples(page: string): Promise<ExampleRun> {
  const text = await readFile(new URL(`docs/${page}`, root), 'utf8')
  const code = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, block = '']) => block).join('\n')
  const promised = [...code.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment = '']) => comment)
  return { printed: await outputOf(code), promised }
}

/** What a program prints, run in a directory of its own with `holdfast` to import. */
export async function outputOf(code: string): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-example-'))
  try {
    await symlink(fileURLToPath(new URL('node_modules', root)), join(directory, 'node_modules'), 'junction')
    const source = code.replaceAll("from 'holdfast'", `from '${new URL('src/index.ts', root).href}'`)
    await writeFile(join(directory, 'example.mts'), source)
    const run = promisify(execFile)(execPath, ['--import', 'tsx', 'example.mts'], { cwd: directory })
    return (await run).stdout.trimEnd().split('\n')
  } finally {
    await rm(directory, { recursive: true })
  }
}
