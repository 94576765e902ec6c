/** The example of docs/testing.md: a log with one of two classic mistakes, and the loop that finds both. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CrashMode, SimulatedCrash, SimulatedDisk } from '../../../src/testing/index.ts'

// The documentation shows what is between the marks. Mark: begin.
type FileSystem = SimulatedDisk['fileSystem']
type FileHandle = Awaited<ReturnType<FileSystem['open']>>

const lineBytes = 16

interface Care {
  /** Make the name of the new file durable. */
  readonly names: boolean
  /** Make a line durable before saying that it is stored. */
  readonly lines: boolean
}

/** Lines of up to 15 characters in one file. A line is stored when `append` resolves: so it claims. */
class ToyLog {
  readonly lines: string[]
  readonly #file: FileHandle
  readonly #care: Care

  static async open(fileSystem: FileSystem, care: Care): Promise<ToyLog> {
    const exists = (await fileSystem.stat('/lines')) !== undefined
    const file = await fileSystem.open('/lines', exists ? 'write' : 'create')
    if (care.names) await fileSystem.syncDirectory('/')
    const bytes = Buffer.alloc(await file.size())
    await file.read(bytes, 0)
    const lines: string[] = []
    // What a crash tore off has no line feed at its end; the next line goes over it.
    for (let at = 0; bytes[at + lineBytes - 1] === 0x0a; at += lineBytes)
      lines.push(bytes.toString('latin1', at, at + lineBytes).trimEnd())
    return new ToyLog(file, lines, care)
  }

  private constructor(file: FileHandle, lines: string[], care: Care) {
    this.#file = file
    this.lines = lines
    this.#care = care
  }

  async append(line: string): Promise<void> {
    await this.#file.write(Buffer.from(`${line.padEnd(lineBytes - 1)}\n`), this.lines.length * lineBytes)
    if (this.#care.lines) await this.#file.datasync()
    this.lines.push(line)
  }
}

/** Appends three lines on a disk that stops at its call number `at`; answers those that were acknowledged. */
async function live(disk: SimulatedDisk, care: Care, at: number): Promise<{ told: string[]; finished: boolean }> {
  const told: string[] = []
  disk.crashAt(at)
  try {
    const log = await ToyLog.open(disk.fileSystem, care)
    for (const line of ['first', 'second', 'third']) {
      await log.append(line)
      told.push(line)
    }
    return { told, finished: true }
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error
    return { told, finished: false }
  }
}

/** The first crash after which an acknowledged line is missing: at which call, in which mode, with which seed. */
async function brokenPromise(care: Care, modes: readonly CrashMode[]): Promise<string | undefined> {
  for (let at = 1; ; at++) {
    const disk = new SimulatedDisk()
    const { told, finished } = await live(disk, care, at)
    for (const mode of modes) {
      for (let seed = 0; seed < 10; seed++) {
        const { lines } = await ToyLog.open(disk.crash(mode, seed).fileSystem, care)
        const inOrder = told.every((line, i) => lines[i] === line)
        if (!inOrder || lines.length > told.length + 1)
          return `call ${at}, mode ${mode}, seed ${seed}: told ${told.join()}, found ${lines.join()}`
      }
    }
    if (finished) return undefined
  }
}

// Mark: end.

const powerCuts = ['strict', 'subset', 'directory-first'] as const

describe('a toy log whose power is cut at every call', () => {
  it('keeps what it acknowledged when it syncs names and lines', async () => {
    expect(await brokenPromise({ names: true, lines: true }, [...powerCuts, 'all'])).toBeUndefined()
  })

  it('is caught losing its whole file when it does not sync the name', async () => {
    // Calls 1 to 6: stat, open, size, read, write, datasync. The first line is told, and gone with the file.
    expect(await brokenPromise({ names: false, lines: true }, powerCuts)).toBe(
      'call 7, mode strict, seed 0: told first, found ',
    )
  })

  it('is caught losing a line when it acknowledges before the sync', async () => {
    expect(await brokenPromise({ names: true, lines: false }, powerCuts)).toBe(
      'call 7, mode strict, seed 0: told first, found ',
    )
  })

  it('is never caught by a kill alone, which keeps everything the system was given', async () => {
    expect(await brokenPromise({ names: false, lines: true }, ['all'])).toBeUndefined()
    expect(await brokenPromise({ names: true, lines: false }, ['all'])).toBeUndefined()
  })
})

describe('the documentation', () => {
  it('shows this example, word for word', () => {
    const source = readFileSync(new URL(import.meta.url), 'utf8')
    const example = source.split(/^\/\/.*Mark: \w+\.\n/m)[1] ?? ''
    expect(example.split('\n').length).toBeGreaterThan(60)
    expect(readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8')).toContain(example.trim())
  })
})
