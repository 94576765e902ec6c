/** The example of docs/testing.md: a log with one of two classic mistakes, and the exploration that finds both. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CrashCaseFailed,
  type CrashExplorationOptions,
  type CrashWorkload,
  exploreCrashes,
  type FileHandle,
  type FileSystem,
} from '../../../src/testing/index.ts'

// The documentation shows what is between the marks. Mark: begin.
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

/** What somebody outside knows: the lines that were begun, and how many of them the log said are stored. */
interface Known {
  begun: string[]
  told: number
}

function toyLog(care: Care): CrashWorkload<ToyLog, Known, string> {
  return {
    model: () => ({ begun: [], told: 0 }),
    steps: (random) => ['first', 'second', 'third'].map((line) => `${line} ${random.below(1000)}`),
    open: ({ fileSystem }) => ToyLog.open(fileSystem, care),
    async step(log, line, known) {
      known.begun.push(line)
      await log.append(line)
      known.told = known.begun.length
    },
    check({ lines }, known, { powerCut }) {
      const same = lines.every((line, i) => line === known.begun[i])
      if (!same || lines.length < known.told)
        throw new Error(`told ${known.begun.slice(0, known.told).join()}; found ${lines.join() || 'nothing'}`)
      // From here on this is all there is. What only a kill spared is not on the disk yet.
      known.begun = [...lines]
      if (powerCut) known.told = lines.length
      return lines.join()
    },
  }
}

// Mark: end.

async function failureOf(care: Care, options: CrashExplorationOptions = {}): Promise<CrashCaseFailed> {
  const error: unknown = await exploreCrashes(toyLog(care), options).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CrashCaseFailed)) throw new Error('no promise was broken', { cause: error })
  return error
}

const forgetsNames = { names: false, lines: true }
const forgetsLines = { names: true, lines: false }

describe('a toy log whose power is cut at every call', () => {
  it('keeps what it acknowledged when it syncs names and lines, in every state there is', async () => {
    // Opening takes 5 calls, a line 2 each: 12 moments with the end, 6 ways each, and each goes on and is cut again.
    const report = await exploreCrashes(toyLog({ names: true, lines: true }), { seeds: 5 })
    expect(report).toEqual({ seeds: 5, calls: 5 * 11, states: 5 * 12 * 6 * 2, recoveryStates: 0 })
  })

  it('keeps it too when each of its recoveries is cut off at each call', async () => {
    const report = await exploreCrashes(toyLog({ names: true, lines: true }), { depth: 2 })
    // A recovery takes 5 calls, so it can be cut at 6 moments.
    expect(report).toEqual({ seeds: 1, calls: 11, states: 144, recoveryStates: 12 * 6 * 6 })
  })

  it('is caught losing its whole file when it does not sync the name', async () => {
    const failure = await failureOf(forgetsNames)
    expect(failure.steps).toHaveLength(1)
    // Calls 1 to 6: stat, open, size, read, write, datasync. The first line is told, and gone with the file.
    expect(failure.replay).toBe('seed=1 mode=strict tear=512 call=7 steps=2')
  })

  it('is caught losing a line when it acknowledges before the sync', async () => {
    const failure = await failureOf(forgetsLines)
    expect(failure.steps).toHaveLength(1)
  })

  it('is never caught by a kill alone, which keeps everything the system was given', async () => {
    for (const care of [forgetsNames, forgetsLines]) {
      const { calls, seeds, states } = await exploreCrashes(toyLog(care), { seeds: 5, modes: ['all'] })
      expect(states).toBe((calls + seeds) * 2)
    }
  })

  it('fails the same way when the case that was printed is replayed, and not when the mistake is mended', async () => {
    for (const care of [forgetsNames, forgetsLines]) {
      const failure = await failureOf(care, { seeds: 3 })
      const again = await failureOf(care, { replay: failure.replay })
      expect(again.message).toBe(failure.message)
      const mended = await exploreCrashes(toyLog({ names: true, lines: true }), { replay: failure.replay })
      expect(mended.states).toBeGreaterThan(0)
    }
  })

  it.each([forgetsNames, forgetsLines])('is shrunk to a single line by fast-check: %o', async (care) => {
    const property = fc.asyncProperty(fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { maxLength: 8 }), async (lines) => {
      if (lines.length > 0)
        await exploreCrashes({ ...toyLog(care), steps: () => lines }, { modes: ['strict'], shrinkStates: 0 })
    })
    const { counterexample } = await fc.check(property, { seed: 1 })
    expect(counterexample?.[0]).toHaveLength(1)
  })
})

describe('the documentation', () => {
  const documentation = readFileSync(new URL('../../../docs/testing.md', import.meta.url), 'utf8')

  it('shows this example, word for word', () => {
    const source = readFileSync(new URL(import.meta.url), 'utf8')
    const example = source.split(/^\/\/.*Mark: \w+\.\n/m)[1] ?? ''
    expect(example.split('\n').length).toBeGreaterThan(60)
    expect(documentation).toContain(example.trim())
  })

  it('shows what it answers', async () => {
    const report = await exploreCrashes(toyLog({ names: true, lines: true }), { seeds: 3, depth: 2 })
    const fields = Object.entries(report).map(([name, value]) => `${name}: ${value}`)
    expect(documentation).toContain(`// { ${fields.join(', ')} }\n`)
    const failure = await failureOf(forgetsNames)
    for (const line of failure.message.split('\n')) expect(documentation).toContain(`// ${line}\n`)
  })
})
