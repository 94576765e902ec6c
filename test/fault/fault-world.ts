/**
 * One life of a store on a disk that fails on command, and what must hold afterwards. The plan is short and the same in
 * every run, so that "the n-th call" means the same call each time; the model knows which record each write belongs to.
 */
import { expect } from 'vitest'
import type { Clock } from '../../src/base/index.ts'
import type { FileSystem } from '../../src/fs/index.ts'
import { type Durability, open, type OpenOptions, type Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { type Fault, FaultInjector, SimulatedDisk } from '../../src/testing/index.ts'
import { Model } from '../crash/store-world.ts'

export const location = '/disk/store'
const processes = ['P'.repeat(43), 'Q'.repeat(43)] as const

/** Time stands still: what the log decides by its pace is decided the same way in every run. */
const stoppedClock: Clock = { now: () => 0, monotonic: () => 0 }

export function openStore(fileSystem: FileSystem, backend: MemoryBackend, more: OpenOptions = {}): Promise<Store> {
  return open(location, {
    ...{ fileSystem, backend, segmentBytes: 4096, memoryBytes: 128 * 1024, checkpointBytes: 24 * 1024 },
    ...{ bufferedIntervalMs: 5, clock: stoppedClock },
    ...more,
  })
}

export interface Machine {
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
  readonly model: Model
}

/** Codes a disk that fails may lead to; anything else is a bug or blames the wrong thing. */
const documented = new Set(['HOLDFAST_IO', 'HOLDFAST_NO_SPACE', 'HOLDFAST_POISONED'])

export function assertDocumented(error: unknown, context: string): void {
  const code = (error as { code?: unknown }).code
  expect(documented.has(String(code)), `${context}: ${String(error)} (${String(code)})`).toBe(true)
}

/** Writes by step number, so that no two are alike, and remembers what it was told. */
export class Life {
  readonly store: Store
  readonly context: string
  readonly #model: Model
  #step: number
  failure: unknown

  constructor(store: Store, model: Model, context: string, firstStep = 0) {
    this.store = store
    this.#model = model
    this.context = context
    this.#step = firstStep
  }

  assignment(durability: Durability): Promise<unknown> {
    const process = processes[this.#step % 2] as string
    const tag = `step-${this.#step++}`
    const { store } = this
    const slot = (store.assignments.latestSync(process)?.slot ?? -1) + 1
    const before = store.lastSequence
    const written = store.assignments.write(
      { process, slot, tag, data: 'x'.repeat(100 + (this.#step % 5) * 90) },
      { durability },
    )
    this.#model.add(
      store,
      before,
      written,
      durability,
      async (at) => (await at.assignments.read(process, slot))?.['tag'] === tag,
    )
    return written
  }

  many(count: number): Promise<unknown> {
    const process = processes[this.#step % 2] as string
    const tag = `step-${this.#step++}`
    const { store } = this
    const first = (store.assignments.latestSync(process)?.slot ?? -1) + 1
    const list = Array.from({ length: count }, (_, i) => ({ process, slot: first + i, tag, large: 'y'.repeat(5000) }))
    const before = store.lastSequence
    const written = store.assignments.writeMany(list)
    this.#model.add(store, before, written, 'sync', async (at) => {
      const found = await Promise.all(
        list.map(async ({ slot }) => (await at.assignments.read(process, slot))?.['tag'] === tag),
      )
      expect(new Set(found).size, `${this.context}: a record is there in part`).toBe(1)
      return found[0] === true
    })
    return written
  }

  path(): Promise<unknown> {
    const tag = `step-${this.#step++}`
    const { store } = this
    const before = store.lastSequence
    const written = store.paths.write(`dir/${tag}`, Buffer.from(tag))
    this.#model.add(store, before, written, 'sync', async (at) => (await at.paths.type(`dir/${tag}`)) === 'simple')
    return written
  }

  /** Every group and file operation of a store at least once. Stops at the first refusal; false when there was one. */
  async plan(smallWrites = 0): Promise<boolean> {
    const { store } = this
    const steps: (() => Promise<unknown>)[] = [
      () => this.assignment('sync'),
      () => Promise.all([this.assignment('sync'), this.assignment('sync'), this.assignment('os')]),
      () => this.many(3),
      () => store.checkpoint(),
      () => this.assignment('os'),
      () => this.path(),
      () => Promise.all([this.assignment('buffered'), this.assignment('sync')]),
      () => this.verify(),
      () => this.assignment('buffered'),
      () => store.sync(),
      () => this.many(2),
      () => store.checkpoint(),
      () => this.assignment('sync'),
      ...Array.from({ length: smallWrites }, () => () => this.assignment('sync')),
    ]
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        assertDocumented(error, this.context)
        this.failure = error
        return false
      }
    }
    return true
  }

  /** What cannot be read is reported, or the call rejects; nothing else may be, and a read never poisons. */
  async verify(): Promise<void> {
    try {
      const { problems } = await this.store.verify()
      const unexpected = problems.filter(({ code }) => code !== 'log-unreadable')
      expect(unexpected, this.context).toEqual([])
    } catch (error) {
      assertDocumented(error, this.context)
      if (this.store.status !== 'open') throw error
    }
  }

  /** After a refusal: nothing is promised any more, everything acknowledged is still served. */
  async assertPoisoned(): Promise<void> {
    const { store, context } = this
    expect(store.status, `${context}: after ${String(this.failure)}`).toBe('poisoned')
    const refused = { code: 'HOLDFAST_POISONED' }
    await expect(store.content.put({ after: context }), context).rejects.toMatchObject(refused)
    await expect(store.sync(), context).rejects.toMatchObject(refused)
    await expect(store.checkpoint(), context).rejects.toMatchObject(refused)
    for (const write of this.#model.written) {
      if (write.acknowledged)
        expect(await write.check(store), `${context}: record ${write.sequence} in a poisoned store`).toBe(true)
    }
  }
}

/** `sudden power cut`: right after the last acknowledgement, before anything is closed and so checkpointed. */
export type Aftermath = 'reopen' | 'power cut' | 'sudden power cut'

/** A machine on which a store was created, used and killed: the next open has a checkpoint, a log and a torn state. */
export async function usedMachine(): Promise<Machine> {
  const disk = new SimulatedDisk()
  const backend = new MemoryBackend()
  const model = new Model('all')
  const store = await openStore(disk.fileSystem, backend)
  const life = new Life(store, model, 'the life before', 1000)
  await life.plan()
  const killed = { disk: disk.crash('all'), backend: backend.crash('all'), model }
  await store.close().catch(() => undefined)
  model.collapse(store.lastSequence)
  return killed
}

export function newMachine(): Machine {
  return { disk: new SimulatedDisk(), backend: new MemoryBackend(), model: new Model('all') }
}

/** An independent copy whose model counts what `aftermath` must leave. */
export function copyOf(machine: Machine, aftermath: Aftermath): Machine {
  const model = new Model(aftermath === 'reopen' ? 'all' : 'strict')
  model.written.push(...machine.model.written.map((write) => ({ ...write })))
  return { disk: machine.disk.clone(), backend: machine.backend.crash('all'), model }
}

export interface Outcome {
  /** How often the fault struck; 0 when the run had no such call. */
  readonly fired: number
  readonly result: 'refused to open' | 'poisoned' | 'went on' | 'failed at close'
}

export interface FaultRun {
  readonly fault: Fault
  readonly aftermath: Aftermath
  readonly context: string
  readonly smallWrites: number
}

/** One run with one fault, then a healed disk, then everything that must hold. */
export async function surviveFault(
  start: Machine,
  { fault, aftermath, context, smallWrites }: FaultRun,
): Promise<Outcome> {
  const { disk, backend, model } = copyOf(start, aftermath)
  const handles = countingHandles(disk.fileSystem)
  const injector = new FaultInjector(handles.fileSystem)
  const injected = injector.inject(fault)
  const life = { fileSystem: injector.fileSystem, backend, model, close: aftermath !== 'sudden power cut' }
  const result = await liveWithFault(life, context, smallWrites)
  const { fired } = injected
  if (aftermath !== 'sudden power cut') expect([...handles.left], `${context}: still open`).toEqual([])
  injector.clear()
  const healed =
    aftermath === 'reopen' ? { disk, backend } : { disk: disk.crash('strict'), backend: backend.crash('strict') }
  await assertRecovers({ ...healed, model }, context)
  return { fired, result }
}

/** Knows which files are open: neither a failed opening nor a closed store may leave any. */
function countingHandles(inner: FileSystem): { fileSystem: FileSystem; left: Set<string> } {
  const left = new Set<string>()
  let count = 0
  const opened: FileSystem['open'] = async (path, mode) => {
    const handle = await inner.open(path, mode)
    const name = `${path} (${++count})`
    left.add(name)
    return new Proxy(handle, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        if (property === 'close') left.delete(name)
        return value.bind(target) as unknown
      },
    })
  }
  return { fileSystem: { ...inner, open: opened }, left }
}

interface FaultyLife extends Pick<Machine, 'backend' | 'model'> {
  readonly fileSystem: FileSystem
  readonly close: boolean
}

async function liveWithFault(
  { fileSystem, backend, model, close }: FaultyLife,
  context: string,
  smallWrites: number,
): Promise<Outcome['result']> {
  let store: Store
  try {
    store = await openStore(fileSystem, backend)
  } catch (error) {
    assertDocumented(error, context)
    expect((error as { code: string }).code, context).not.toBe('HOLDFAST_POISONED')
    return 'refused to open'
  }
  const life = new Life(store, model, context)
  if (!(await life.plan(smallWrites))) {
    await life.assertPoisoned()
    await store.close()
    return 'poisoned'
  }
  if (!close) return 'went on'
  try {
    await store.close()
  } catch (error) {
    assertDocumented(error, context)
    return 'failed at close'
  }
  return 'went on'
}

/** Everything acknowledged is there, the rest whole or absent; writing goes on, and survives a power cut in turn. */
export async function assertRecovers({ disk, backend, model }: Machine, context: string): Promise<void> {
  const second = await openStore(disk.fileSystem, backend)
  await model.assertHolds(second, context)
  model.collapse(second.lastSequence)
  const life = new Life(second, model, context, 2000)
  await Promise.all([life.assignment('sync'), life.many(2)])
  await second.checkpoint()
  await life.assignment('sync')
  const after = { disk: disk.crash('strict'), backend: backend.crash('strict') }
  await second.close().catch(() => undefined)
  const third = await openStore(after.disk.fileSystem, after.backend)
  await model.assertHolds(third, `${context}, recovered and cut off again`)
  await third.close()
}
