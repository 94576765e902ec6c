import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/cli/main.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly input?: Readable
  readonly interrupt?: (handler: () => void) => void
  readonly stdout?: Writable
}

/** Runs a command line in this process, with streams of its own. */
export async function runHere(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const out = new Collector()
  const err = new Collector()
  const terminal: Terminal = {
    stdin: options.input ?? new PassThrough().end(),
    stdout: options.stdout ?? out,
    stderr: err,
    environment: {},
    onInterrupt: (handler) => {
      options.interrupt?.(handler)
      return () => {}
    },
  }
  const code = await run(['node', 'holdfast', ...args], terminal)
  return { code, out: out.text(), err: err.text() }
}

export interface SpawnOptions {
  readonly input?: string
  /** Close our end of its stdout after so many bytes. */
  readonly stopReadingAfter?: number
  /** Leave its stdin open and send SIGINT once this path exists. */
  readonly interruptWhenThere?: string
}

/** Runs a command line as a process of its own. */
export function runProcess(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const script = fileURLToPath(new URL('./run-main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  let err = ''
  let received = 0
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk)
    received += chunk.length
    if (options.stopReadingAfter !== undefined && received >= options.stopReadingAfter) child.stdout.destroy()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  // A command may end without reading its input.
  child.stdin.on('error', () => {})
  if (options.interruptWhenThere === undefined) child.stdin.end(options.input ?? '')
  else interruptWhenThere(child, options.interruptWhenThere)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === null) reject(new Error(`ended by ${signal ?? 'nothing'}: ${err}`))
      else resolve({ code, out: Buffer.concat(out).toString(), err })
    })
  })
}

function interruptWhenThere(child: ChildProcess, path: string): void {
  if (existsSync(path)) child.kill('SIGINT')
  else if (child.exitCode === null) setTimeout(() => interruptWhenThere(child, path), 10)
}

/** JSON Lines as values. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export function temporaryDirectory(): { path: string; remove: () => Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = []

  text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#chunks.push(chunk)
    done()
  }
}
