/**
 * A whole store on a simulated disk and the crash twin of its backend, for `exploreCrashes`: seeded steps of every kind,
 * and a check that reads everything back. Nothing depends on time, so that a case is the same every time.
 */
import type { Clock } from '../../src/base/index.ts'
import { type OpenOptions, open, type Store } from '../../src/index.ts'
import {
  type Backend,
  type BackendCrashMode,
  type CrashHistory,
  type CrashMachine,
  type CrashMode,
  type CrashWorkload,
  type FileSystem,
  MemoryBackend,
  Prng,
} from '../../src/testing/index.ts'
import { type Facts, StoreModel } from './store-facts.ts'
import { contents, type Proof, type Repertoire, type StepKind } from './store-steps.ts'
import { garbageIn } from './store-steps-content.ts'

const location = '/disk/store'

/** It goes on when a step says so. */
const clockOf = (model: StoreModel): Clock => ({ now: () => model.now, monotonic: () => 0 })

/** `assign#17`: the kind, and the seed of its arguments. */
export type StoreStep = string

export interface StoreWorkloadOptions {
  /** Steps of the first life; those after a crash have a few. */
  readonly steps?: number
  readonly repertoire?: Repertoire
  /** For planting bugs under the store. */
  readonly fileSystem?: (fileSystem: FileSystem) => FileSystem
  readonly backend?: (backend: Backend) => Backend
  readonly open?: OpenOptions
}

export type StoreWorkload = CrashWorkload<Store, StoreModel, StoreStep, MemoryBackend>

export function storeWorkload(options: StoreWorkloadOptions = {}): StoreWorkload {
  const { steps = 24, repertoire = contents, fileSystem = (same) => same, backend = (same) => same } = options
  return {
    model: () => new StoreModel(),
    copyModel: (model) => model.copy(),
    steps: (random, life) => stepsFrom(random, life === 1 ? steps : 4, repertoire),
    open: (machine, model) =>
      open(location, {
        ...{ segmentBytes: 4096, memoryBytes: 128 * 1024, checkpointBytes: 12 * 1024, clock: clockOf(model) },
        ...options.open,
        fileSystem: fileSystem(machine.fileSystem),
        backend: backend(withCutPoints(machine)),
      }),
    step: (store, step, model) => runStep(store, step, model, repertoire),
    check: (store, model, history) => check(store, model, history, repertoire),
    close: (store) => store.close(),
    companion: {
      create: () => new MemoryBackend(),
      clone: (twin) => twin.clone(),
      crash: (twin, mode, seed) => twin.crash(backendMode(mode, seed), seed),
    },
  }
}

export function stepsFrom(random: Prng, count: number, { kinds } = contents): StoreStep[] {
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0)
  return Array.from({ length: count }, () => {
    let dice = random.below(total)
    const kind = kinds.find(({ weight }) => (dice -= weight) < 0) as StepKind
    return `${kind.name}#${random.below(100_000)}`
  })
}

function runStep(store: Store, step: StoreStep, model: StoreModel, { kinds }: Repertoire): Promise<void> {
  const [name, seed] = step.split('#')
  const kind = kinds.find((each) => each.name === name)
  if (kind === undefined) throw new Error(`no step is called ${step}`)
  return kind.run(store, new Prng(Number(seed)), model)
}

/** What was recovered is a prefix with everything acknowledged, is true in every structure, and verifies. */
async function check(
  store: Store,
  model: StoreModel,
  { modes, powerCut }: CrashHistory,
  repertoire: Repertoire,
): Promise<number> {
  const recovered = store.recovery.lastSequence
  // Openings that were cut off may have left a record of their own in place of one that was lost.
  const least = recovered - (modes.length - 1)
  let sequence = recovered
  for (;;) {
    const wrong = await whatIsWrong(store, model.factsAt(sequence, powerCut), model.now, repertoire)
    if (wrong === undefined) break
    if (sequence === least || sequence === 0) throw new Error(`a log that ends at ${recovered}: ${wrong}`)
    sequence--
  }
  const expected = model.factsAt(sequence, powerCut)
  const { problems } = await store.verify()
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems.slice(0, 3))}`)
  const garbage = garbageIn(expected, model.links)
  const { removed } = await store.gc({ dryRun: true })
  if (removed !== garbage.length) throw new Error(`gc would remove ${removed}, and ${garbage.length} are garbage`)
  const found = model.lastBegun(sequence)
  // What a kill spared is in the page cache; the store knows how much of it is on the disk.
  model.collapse(sequence, powerCut ? sequence : Math.min(sequence, store.durableSequence))
  if (found % 2 === 0) await takeEverything(store, model, repertoire.proofs)
  return found
}

async function whatIsWrong(
  store: Store,
  expected: Facts,
  now: number,
  { dumps, proofs }: Repertoire,
): Promise<string | undefined> {
  for (const { prefix, read, difference = differenceOf } of dumps) {
    const wanted = new Map([...expected].filter(([fact]) => fact.startsWith(prefix)))
    const wrong = difference(await read(store, now), wanted)
    if (wrong.length > 0) return wrong.slice(0, 5).join(', ')
  }
  for (const { look } of proofs) {
    const wrong = await look(store, expected, now)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function differenceOf(found: Facts, wanted: Facts): string[] {
  return [
    ...[...wanted].filter(([fact, value]) => found.get(fact) !== value).map(([fact]) => `${fact} is not right`),
    ...[...found.keys()].filter((fact) => !wanted.has(fact)).map((fact) => `${fact} should not be there`),
  ]
}

/** What nobody can look at without taking it, in half of the cases after everything handed out has come back. */
async function takeEverything(store: Store, model: StoreModel, proofs: readonly Proof[]): Promise<void> {
  if (store.recovery.lastSequence % 4 === 0) model.pass(10_000)
  for (const { takeAll } of proofs) {
    const { effects, call } = takeAll(store, model)
    await model.write(store, new Prng(0), effects, () => call(undefined))
    await model.quiet()
  }
}

/** The power may also be cut before, in and after each batch of the backend. */
function withCutPoints({ companion, cutPoint }: CrashMachine<MemoryBackend>): Backend {
  return new Proxy<Backend>(companion, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name !== 'batch') return typeof value === 'function' ? (value.bind(target) as unknown) : value
      const batch: Backend['batch'] = async (operations, options) => {
        cutPoint('before a batch of the backend')
        const done = target.batch(operations, options)
        cutPoint('in a batch of the backend')
        await done
      }
      return batch
    },
  })
}

/**
 * The backend is a file of its own: whatever a power cut does to the log, it may have lost its unsynced batches, or
 * some or none of them. Holes in them are the subject of backend-crash.test.ts.
 */
function backendMode(mode: CrashMode, seed: number): BackendCrashMode {
  if (mode === 'all') return 'all'
  return (['strict', 'prefix', 'prefix', 'all'] as const)[seed % 4] ?? 'strict'
}
