/**
 * Lives of a store on a disk that fails on command, and what must hold afterwards. What is done in a life is fixed
 * (workloads.ts); the model knows what each record set and removed.
 */
import { expect } from 'vitest'
import type { Clock } from '../../src/base/index.ts'
import type { FileSystem } from '../../src/fs/index.ts'
import { type Durability, open, type OpenOptions, type Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { type Fault, FaultInjector, SimulatedDisk } from '../../src/testing/index.ts'
import {
  type Changes,
  contentThing,
  locationThing,
  Model,
  pathThing,
  pinThing,
  slotThing,
  there,
} from './fault-model.ts'
import { everyday, type Step, type Workload } from './workloads.ts'

export const location = '/disk/store'
const processes = ['P'.repeat(43), 'Q'.repeat(43)] as const
/** Its slots are pruned. */
const pruned = 'R'.repeat(43)

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

  /** Where the next life goes on. */
  get step(): number {
    return this.#step
  }

  assignment(durability: Durability): Promise<unknown> {
    const process = processes[this.#step % 2] as string
    const tag = this.#tag()
    const slot = this.#nextSlot(process)
    const data = 'x'.repeat(100 + (this.#step % 5) * 90)
    return this.#write(durability, new Map([[slotThing(process, slot), tag]]), () =>
      this.store.assignments.write({ process, slot, tag, data }, { durability }),
    )
  }

  many(count: number): Promise<unknown> {
    const process = processes[this.#step % 2] as string
    const tag = this.#tag()
    const first = this.#nextSlot(process)
    const list = Array.from({ length: count }, (_, i) => ({ process, slot: first + i, tag, large: 'y'.repeat(5000) }))
    const changes = new Map(list.map(({ slot }) => [slotThing(process, slot), tag]))
    return this.#write('sync', changes, () => this.store.assignments.writeMany(list))
  }

  /** A new path, or what is at an old one replaced. */
  path(path?: string, durability: Durability = 'sync'): Promise<unknown> {
    const tag = this.#tag()
    const name = path ?? `dir/${tag}`
    return this.#write(durability, new Map([[pathThing(name), tag]]), () =>
      this.store.paths.write(name, Buffer.from(tag), { durability }),
    )
  }

  remove(path: string, durability: Durability = 'sync'): Promise<unknown> {
    return this.#write(durability, new Map([[pathThing(path), undefined]]), () =>
      this.store.paths.remove(path, { durability }),
    )
  }

  /** Everything below a path. */
  removeGroup(path: string): Promise<unknown> {
    // Also what was removed before: whether it is there is a question about its group.
    const below = this.#model.known(pathThing(`${path}/`))
    return this.#maintain(new Map(below.map((thing) => [thing, undefined])), () => this.store.paths.remove(path))
  }

  /** Other content in the newest slot. */
  overwrite(): Promise<unknown> {
    const process = processes[0]
    const tag = this.#tag()
    const slot = Math.max(0, this.#nextSlot(process) - 1)
    return this.#write('sync', new Map([[slotThing(process, slot), tag]]), () =>
      this.store.assignments.write({ process, slot, tag }, { overwrite: true }),
    )
  }

  /** One more slot to be pruned, whose content `collect` takes afterwards. */
  slot(): Promise<unknown> {
    const assignment = { process: pruned, slot: this.#nextSlot(pruned), tag: this.#tag() }
    const changes = new Map([
      [slotThing(pruned, assignment.slot), assignment.tag],
      [contentThing(this.store.content.id(assignment)), there],
    ])
    return this.#write('sync', changes, () => this.store.assignments.write(assignment))
  }

  /** All slots but the newest. */
  prune(): Promise<unknown> {
    const below = this.#nextSlot(pruned) - 1
    const slots = this.#model.present(slotThing(pruned, 0).slice(0, -1))
    const doomed = slots.filter((thing) => thing !== slotThing(pruned, below))
    return this.#maintain(new Map(doomed.map((thing) => [thing, undefined])), () =>
      this.store.assignments.prune(pruned, { below }),
    )
  }

  content(role: string, bytes = 0): Promise<unknown> {
    const message = { role, tag: this.#tag(), body: 'z'.repeat(bytes) }
    const id = this.store.content.id(message)
    return this.#write('sync', new Map([[contentThing(id), there]]), () => this.store.content.put(message))
  }

  /** From now on `collect` must leave it alone. */
  pinned(role: string): Promise<unknown> {
    const message = { role, tag: this.#tag(), body: '' }
    const id = this.store.content.id(message)
    const changes = new Map([contentThing(id), pinThing(id)].map((thing) => [thing, there]))
    return this.#write('sync', changes, () =>
      this.store.transact(() => {
        void this.store.content.put(message)
        void this.store.content.pin(id)
      }),
    )
  }

  /** Takes all content but what is pinned and what the slot that is left refers to. */
  async collect(): Promise<unknown> {
    const head = await this.store.assignments.latest(pruned)
    const spared = new Set(
      this.#model.present(pinThing('')).map((thing) => contentThing(thing.slice(pinThing('').length))),
    )
    spared.add(contentThing(head?.id ?? ''))
    const doomed = this.#model.present(contentThing('')).filter((thing) => !spared.has(thing))
    expect(doomed, `${this.context}: nothing to collect`).not.toEqual([])
    return this.#maintain(new Map(doomed.map((thing) => [thing, undefined])), () => this.store.gc())
  }

  location(): Promise<unknown> {
    const tag = this.#tag()
    return this.#write('sync', new Map([[locationThing(processes[1]), tag]]), () =>
      this.store.assignments.writeLocation(processes[1], { tag }),
    )
  }

  /** Sets a thing of every sort and takes one away, in one record. */
  transaction(): Promise<unknown> {
    const { store } = this
    const process = processes[0]
    const tag = this.#tag()
    const slot = this.#nextSlot(process)
    const message = { tag, of: 'transaction' }
    const old = this.#model.present(pathThing('transaction/'))[0]?.slice(pathThing('').length)
    const changes = new Map<string, string | undefined>([
      [slotThing(process, slot), tag],
      [contentThing(store.content.id(message)), there],
      [pathThing(`transaction/${tag}`), tag],
      ...(old === undefined ? [] : [[pathThing(old), undefined] as const]),
    ])
    return this.#write('sync', changes, () =>
      store.transact(() => {
        void store.assignments.write({ process, slot, tag })
        void store.content.put(message)
        void store.paths.write(`transaction/${tag}`, Buffer.from(tag))
        if (old !== undefined) void store.paths.remove(old)
      }),
    )
  }

  /** A transaction that takes back what it did. */
  async undone(): Promise<void> {
    const before = this.store.lastSequence
    const reason = new Error('taken back')
    const outcome = await this.store
      .transact(() => {
        void this.store.paths.write('undone', Buffer.from('x'))
        throw reason
      })
      .catch((error: unknown) => error)
    if (outcome !== reason) throw outcome
    expect(this.store.lastSequence).toBe(before)
    expect(await this.store.paths.type('undone'), this.context).toBeUndefined()
  }

  async checkpoint(): Promise<void> {
    const through = this.store.lastSequence
    await this.store.checkpoint()
    this.#model.acknowledgeThrough(through)
  }

  async sync(): Promise<void> {
    const through = this.store.lastSequence
    await this.store.sync()
    this.#model.acknowledgeThrough(through)
  }

  /** `everyday`, with more small writes at its end. */
  plan(smallWrites = 0): Promise<boolean> {
    return this.run([...(everyday.lives[0] ?? []), ...smallOnes(smallWrites)])
  }

  /** Stops at the first refusal; false when there was one. */
  async run(steps: readonly Step[]): Promise<boolean> {
    for (const step of steps) {
      try {
        await step(this)
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
    await expect(store.gc(), context).rejects.toMatchObject(refused)
    await this.#model.assertServed(store, context, (error) => assertDocumented(error, context))
  }

  #tag(): string {
    return `step-${this.#step++}`
  }

  #nextSlot(process: string): number {
    return (this.store.assignments.latestSync(process)?.slot ?? -1) + 1
  }

  #write(durability: Durability, changes: Changes, write: () => Promise<unknown>): Promise<unknown> {
    const before = this.store.lastSequence
    const written = write()
    if (this.store.lastSequence > before) this.#model.add(before + 1, written, durability, changes)
    return written
  }

  /** What reads first and then writes one record; nothing else is going on. */
  async #maintain(changes: Changes, call: () => Promise<unknown>): Promise<void> {
    const { store } = this
    const before = store.lastSequence
    const done = call()
    this.#model.add(before + 1, done, 'sync', changes)
    await done
    expect(store.lastSequence, `${this.context}: one record`).toBe(before + 1)
  }
}

function smallOnes(count: number): Step[] {
  return Array.from({ length: count }, () => (life: Life) => life.assignment('sync'))
}

/** `sudden power cut`: right after the last acknowledgement, before anything is closed and so checkpointed. */
export type Aftermath = 'reopen' | 'power cut' | 'sudden power cut'

/** A machine on which a store was created, used and killed: the next open has a checkpoint, a log and a torn state. */
export async function usedMachine(workload: Workload = everyday): Promise<Machine> {
  const disk = new SimulatedDisk()
  const backend = new MemoryBackend()
  const model = new Model('all')
  const store = await openStore(disk.fileSystem, backend)
  const life = new Life(store, model, 'the life before', 1000)
  expect(await life.run(workload.lives.flat())).toBe(true)
  const killed = { disk: disk.crash('all'), backend: backend.crash('all'), model }
  await store.close().catch(() => undefined)
  model.collapse(store.lastSequence)
  return killed
}

export function newMachine(): Machine {
  return { disk: new SimulatedDisk(), backend: new MemoryBackend(), model: new Model('all') }
}

/** An independent copy whose model counts what `aftermath` must leave. */
function copyOf(machine: Machine, aftermath: Aftermath): Machine {
  const model = machine.model.copy(aftermath === 'reopen' ? 'all' : 'strict')
  return { disk: machine.disk.clone(), backend: machine.backend.crash('all'), model }
}

export interface Outcome {
  /** How often the fault struck; 0 when the run had no such call. */
  readonly fired: number
  readonly result: 'refused to open' | 'poisoned' | 'went on' | 'failed at close'
}

export interface FaultRun {
  readonly workload: Workload
  readonly fault: Fault
  readonly aftermath: Aftermath
  readonly context: string
  /** At the end of the last life. */
  readonly smallWrites: number
}

/** One run with one fault, then a healed disk, then everything that must hold. */
export async function surviveFault(start: Machine, run: FaultRun): Promise<Outcome> {
  const { aftermath, context } = run
  const { disk, backend, model } = copyOf(start, aftermath)
  const handles = countingHandles(disk.fileSystem)
  const injector = new FaultInjector(handles.fileSystem)
  const injected = injector.inject(run.fault)
  const result = await liveWithFault({ fileSystem: injector.fileSystem, backend, model }, run)
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

interface FaultyMachine extends Pick<Machine, 'backend' | 'model'> {
  readonly fileSystem: FileSystem
}

async function liveWithFault(machine: FaultyMachine, run: FaultRun): Promise<Outcome['result']> {
  const { workload, context, aftermath, smallWrites } = run
  let firstStep = 0
  for (const [index, steps] of workload.lives.entries()) {
    const last = index === workload.lives.length - 1
    let store: Store
    try {
      store = await openStore(machine.fileSystem, machine.backend)
    } catch (error) {
      assertDocumented(error, context)
      expect((error as { code: string }).code, context).not.toBe('HOLDFAST_POISONED')
      return 'refused to open'
    }
    const life = new Life(store, machine.model, context, firstStep)
    if (!(await life.run(last ? [...steps, ...smallOnes(smallWrites)] : steps))) {
      await life.assertPoisoned()
      await store.close()
      return 'poisoned'
    }
    firstStep = life.step
    if (last && aftermath === 'sudden power cut') return 'went on'
    // Of a store that failed behind its user's back, closing promises nothing.
    const through = store.status === 'open' ? store.lastSequence : 0
    try {
      await store.close()
    } catch (error) {
      assertDocumented(error, context)
      return 'failed at close'
    }
    machine.model.acknowledgeThrough(through)
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
  await life.checkpoint()
  await life.assignment('sync')
  const after = { disk: disk.crash('strict'), backend: backend.crash('strict') }
  await second.close().catch(() => undefined)
  const third = await openStore(after.disk.fileSystem, after.backend)
  await model.assertHolds(third, `${context}, recovered and cut off again`)
  await third.close()
}
