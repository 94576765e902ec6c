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
import { StoreModel } from './store-facts.ts'
import { dumps, type StepKind, stepKinds } from './store-steps.ts'
import { garbageIn } from './store-steps-content.ts'

const location = '/disk/store'
const stoppedClock: Clock = { now: () => 0, monotonic: () => 0 }

/** `assign#17`: the kind, and the seed of its arguments. */
export type StoreStep = string

export interface StoreWorkloadOptions {
  /** Steps of the first life; those after a crash have a few. */
  readonly steps?: number
  /** For planting bugs under the store. */
  readonly fileSystem?: (fileSystem: FileSystem) => FileSystem
  readonly backend?: (backend: Backend) => Backend
  readonly open?: OpenOptions
}

export type StoreWorkload = CrashWorkload<Store, StoreModel, StoreStep, MemoryBackend>

export function storeWorkload(options: StoreWorkloadOptions = {}): StoreWorkload {
  const { steps = 24, fileSystem = (same) => same, backend = (same) => same } = options
  return {
    model: () => new StoreModel(),
    copyModel: (model) => model.copy(),
    steps: (random, life) => stepsFrom(random, life === 1 ? steps : 4),
    open: (machine) =>
      open(location, {
        ...{ segmentBytes: 4096, memoryBytes: 128 * 1024, checkpointBytes: 12 * 1024, clock: stoppedClock },
        ...options.open,
        fileSystem: fileSystem(machine.fileSystem),
        backend: backend(withCutPoints(machine)),
      }),
    step: runStep,
    check,
    close: (store) => store.close(),
    companion: {
      create: () => new MemoryBackend(),
      clone: (twin) => twin.clone(),
      crash: (twin, mode, seed) => twin.crash(backendMode(mode, seed), seed),
    },
  }
}

export function stepsFrom(random: Prng, count: number): StoreStep[] {
  const total = stepKinds.reduce((sum, { weight }) => sum + weight, 0)
  return Array.from({ length: count }, () => {
    let dice = random.below(total)
    const kind = stepKinds.find(({ weight }) => (dice -= weight) < 0) as StepKind
    return `${kind.name}#${random.below(100_000)}`
  })
}

function runStep(store: Store, step: StoreStep, model: StoreModel): Promise<void> {
  const [name, seed] = step.split('#')
  const kind = stepKinds.find((each) => each.name === name)
  if (kind === undefined) throw new Error(`no step is called ${step}`)
  return kind.run(store, new Prng(Number(seed)), model)
}

/** What was recovered is a prefix with everything acknowledged, is true in every structure, and verifies. */
async function check(store: Store, model: StoreModel, { powerCut }: CrashHistory): Promise<number> {
  const sequence = store.lastSequence
  const expected = model.factsAt(sequence, powerCut)
  for (const { prefix, read } of dumps) {
    const found = await read(store)
    const wanted = new Map([...expected].filter(([fact]) => fact.startsWith(prefix)))
    const difference = [
      ...[...wanted].filter(([fact, value]) => found.get(fact) !== value).map(([fact]) => `${fact} is not right`),
      ...[...found.keys()].filter((fact) => !wanted.has(fact)).map((fact) => `${fact} should not be there`),
    ]
    if (difference.length > 0) throw new Error(`a log that ends at ${sequence}: ${difference.slice(0, 5).join(', ')}`)
  }
  const { problems } = await store.verify()
  if (problems.length > 0) throw new Error(`verify: ${JSON.stringify(problems.slice(0, 3))}`)
  const garbage = garbageIn(expected, model.links)
  const { removed } = await store.gc({ dryRun: true })
  if (removed !== garbage.length) throw new Error(`gc would remove ${removed}, and ${garbage.length} are garbage`)
  // What a kill spared is in the page cache; the store knows how much of it is on the disk.
  model.collapse(sequence, powerCut ? sequence : store.durableSequence)
  return sequence
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
