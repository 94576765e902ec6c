/** The exploration itself: it finds planted bugs, wherever they are, and refuses workloads that can find nothing. */
import { describe, expect, it } from 'vitest'
import {
  CrashCaseFailed,
  type CrashExplorationOptions,
  type CrashHistory,
  type CrashMachine,
  type CrashWorkload,
  exploreCrashes,
  type FileSystem,
} from '../../../src/testing/index.ts'

/** A register in a file that is replaced: written beside, synced, renamed, the directory synced. */
interface Register {
  readonly fileSystem: FileSystem
  value: number
}

interface Known {
  begun: number
  told: number
}

interface Bugs {
  /** A recovery takes away the file before it has put it back. */
  readonly recovery?: boolean
  /** The second life writes without any sync. */
  readonly secondLife?: boolean
  /** Breaks its promise from this value on. */
  readonly from?: number
}

async function readRegister(fileSystem: FileSystem): Promise<number | undefined> {
  if ((await fileSystem.stat('/register')) === undefined) return undefined
  const file = await fileSystem.open('/register', 'read')
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0)
  await file.close()
  return Number(bytes.toString())
}

async function replaceRegister(fileSystem: FileSystem, value: number, careless = false): Promise<void> {
  if ((await fileSystem.stat('/new')) !== undefined) await fileSystem.unlink('/new')
  const file = await fileSystem.open('/new', 'create')
  await file.write(Buffer.from(String(value)), 0)
  if (!careless) await file.sync()
  await file.close()
  await fileSystem.rename('/new', '/register')
  if (!careless) await fileSystem.syncDirectory('/')
}

function register(bugs: Bugs = {}): CrashWorkload<Register, Known, number> {
  return {
    model: () => ({ begun: 0, told: 0 }),
    steps: (random, life) => Array.from({ length: life === 1 ? 6 : 2 }, () => 1 + random.below(9)),
    async open({ fileSystem }) {
      const value = await readRegister(fileSystem)
      if (bugs.recovery === true && value !== undefined) {
        await fileSystem.unlink('/register')
        await fileSystem.syncDirectory('/')
        await replaceRegister(fileSystem, value)
      }
      // What a kill spared must not be lost later.
      else if (value !== undefined) await replaceRegister(fileSystem, value)
      return { fileSystem, value: value ?? 0 }
    },
    async step(open, more, known) {
      known.begun = open.value + more
      const careless = bugs.secondLife === true && known.told > 20
      await replaceRegister(open.fileSystem, known.begun, careless || open.value >= (bugs.from ?? Infinity))
      open.value = known.begun
      known.told = known.begun
    },
    check({ value }, known, _crash: CrashHistory) {
      if (value !== known.told && value !== known.begun) throw new Error(`told ${known.told}, found ${value}`)
      known.begun = value
      known.told = value
      return value
    },
  }
}

async function failureOf(
  workload: CrashWorkload<Register, Known, number>,
  options: CrashExplorationOptions = {},
): Promise<CrashCaseFailed> {
  const error: unknown = await exploreCrashes(workload, options).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof CrashCaseFailed)) throw new Error('no promise was broken', { cause: error })
  return error
}

describe('an exploration of crashes', () => {
  it('finds nothing in a register that does it right, also when its recoveries are cut off', async () => {
    const report = await exploreCrashes(register(), { seeds: 3, depth: 2, recoveriesPerSeed: 20 })
    expect(report.recoveryStates).toBeGreaterThan(300)
  })

  it('does the same each time', async () => {
    const options = { seeds: 2, depth: 2, statesPerSeed: 50, recoveriesPerSeed: 5 } as const
    expect(await exploreCrashes(register(), options)).toEqual(await exploreCrashes(register(), options))
    expect((await failureOf(register({ from: 12 }))).message).toBe((await failureOf(register({ from: 12 }))).message)
  })

  it('finds a recovery that is not safe only when recoveries are cut off, and brings it back', async () => {
    const workload = register({ recovery: true })
    await exploreCrashes(workload, { seeds: 2, modes: ['all'] })
    const failure = await failureOf(workload, { modes: ['all', 'strict'], depth: 2, recoveriesPerSeed: 30 })
    expect(failure.case.recovery ?? failure.case.again).toBeDefined()
    expect((await failureOf(workload, { replay: failure.replay })).message).toBe(failure.message)
  })

  it('finds what goes wrong only after a crash, by a second one, and brings it back', async () => {
    const workload = register({ secondLife: true })
    const failure = await failureOf({ ...workload, steps: (_random, life) => (life === 1 ? [21] : [1, 1, 1]) })
    expect(failure.case.again).toBeDefined()
    const again = await failureOf(
      { ...workload, steps: (_random, life) => (life === 1 ? [21] : [1, 1, 1]) },
      { replay: failure.replay },
    )
    expect(again.message).toBe(failure.message)
  })

  it('leaves out the steps that are not needed', async () => {
    const steps = [1, 1, 1, 20, 1, 1, 1, 1]
    const failure = await failureOf({ ...register({ from: 20 }), steps: () => steps })
    expect(failure.steps).toEqual(['20', '1'])
    const whole = await failureOf({ ...register({ from: 20 }), steps: () => steps }, { shrinkStates: 0 })
    expect(whole.steps).toHaveLength(8)
  })

  it('names the case, its steps and the command that brings it back', async () => {
    const failure = await failureOf(
      { ...register({ from: 0 }), describeStep: (step) => `add ${step}` },
      { firstSeed: 7, replayCommand: (spec) => `again '${spec}'` },
    )
    expect(failure.message).toMatch(/^told [0-9]+, found 0\n {2}seed 7, strict \(512 bytes\) at call/)
    expect(failure.message).toContain(`again: again '${failure.replay}'`)
    expect(failure.message).toMatch(/steps: add [0-9]\n/)
    expect(failure.cause).toBeInstanceOf(Error)
  })

  it('reports a step that fails without any crash, with the steps that lead to it', async () => {
    const broken = register()
    const failure = await failureOf({
      ...broken,
      steps: () => [1, 2, 9, 3],
      step: async (open, more, known) => {
        if (more === 9) throw new Error('no nines')
        await broken.step(open, more, known)
      },
    })
    expect(failure.case.first).toBeUndefined()
    expect(failure.steps).toEqual(['9'])
  })

  it('reports a step that fails in the life after a crash, and brings it back', async () => {
    const right = register()
    const workload: typeof right = {
      ...right,
      steps: (_random, life) => (life === 1 ? [1, 2] : [3, 9]),
      step: async (open, more, known) => {
        if (more === 9) throw new Error('no nines')
        await right.step(open, more, known)
      },
    }
    const failure = await failureOf(workload)
    expect(failure.message).toContain('no nines')
    expect((await failureOf(workload, { replay: failure.replay })).message).toBe(failure.message)
  })

  it('tries every crash, or as many as it is told to, up to the end of the life', async () => {
    const all = await exploreCrashes(register(), { tearBytes: [512] })
    expect(all.states).toBe((all.calls + 1) * 4 * 2)
    expect((await exploreCrashes(register(), { seeds: 3, statesPerSeed: 7 })).states).toBe(3 * 7 * 2)
  })

  it('cuts the power at the cut points of another part of the machine too, and crashes it with the disk', async () => {
    type Cell = { value: number; durable: number }
    const cell = (careful: boolean): CrashWorkload<CrashMachine<Cell>, Known, number, Cell> => ({
      ...{ model: () => ({ begun: 0, told: 0 }), steps: () => [1, 1, 1] },
      open: async (machine) => machine,
      async step({ companion, cutPoint, fileSystem }, more, known) {
        known.begun += more
        companion.value = known.begun
        cutPoint('set')
        if (careful) companion.durable = companion.value
        await fileSystem.mkdir(`/${known.begun}`)
        known.told = known.begun
      },
      check({ companion: { value } }, known) {
        if (value < known.told || value > known.begun) throw new Error(`told ${known.told}, found ${value}`)
        known.begun = value
        known.told = value
      },
      companion: {
        create: () => ({ value: 0, durable: 0 }),
        clone: (one) => ({ ...one }),
        crash: (one, mode) => (mode === 'all' ? { ...one } : { value: one.durable, durable: one.durable }),
      },
    })
    expect((await exploreCrashes(cell(true))).calls).toBe(6)
    await expect(exploreCrashes(cell(false))).rejects.toThrow(/told [0-9], found 0/)
  })
})

describe('a workload that can find nothing is refused', () => {
  it('without steps', async () => {
    await expect(exploreCrashes({ ...register(), steps: () => [] })).rejects.toThrow('does nothing')
  })

  it('that changes nothing on the disk', async () => {
    const idle = { ...register(), step: () => undefined }
    await expect(exploreCrashes(idle)).rejects.toThrow('does nothing')
  })

  it('whose check accepts a disk that lost everything', async () => {
    const blind = { ...register(), check: () => undefined }
    await expect(exploreCrashes(blind)).rejects.toThrow('lost everything')
  })

  it('and so is a case that nobody can read', async () => {
    for (const replay of ['', 'seed=x', 'seed=1 mode=odd call=1 tear=1', 'seed=1 seed=2', 'seed=1 again=5', 'call=3'])
      await expect(exploreCrashes(register(), { replay }), replay).rejects.toThrow(TypeError)
  })
})
