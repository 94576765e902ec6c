/** Programs for child processes, compiled once with what they import: a start costs a tenth of one through a loader. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface CompiledChild {
  /** The compiled program, for those who start it in a way of their own. */
  readonly program: string
  start(...args: string[]): ChildProcess
  remove(): void
}

/** Compiles a program; `file` is its path from this directory, without `.ts`. `quiet` when what it says on its way down is expected. */
export function compileChild(file: string, quiet = false): CompiledChild {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-child-'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  const config = join(directory, 'tsconfig.json')
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: false, declaration: false, outDir: directory, rootDir: root },
      files: [join(root, 'test/crash', `${file}.ts`)],
      include: [],
    }),
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', config], { encoding: 'utf8' })
  const program = join(directory, 'test/crash', `${file}.js`)
  if (!existsSync(program)) throw new Error(`${file} could not be compiled: ${stdout}`)
  return {
    program,
    start: (...args) =>
      spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit'] }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Resolves to how the process ended: a signal's name or an exit code. */
export function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? String(code)))
  })
}

/** Calls `each` with every complete line; what has no line end when the process dies says nothing. */
export function onLines(child: ChildProcess, each: (line: string) => void): void {
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) each(line)
  })
}
