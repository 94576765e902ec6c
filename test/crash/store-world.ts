/**
 * A store on a simulated disk and the in-memory backend's crash twin, a seeded workload, and a model of it that knows
 * which record each write belongs to: after a crash the store must hold exactly the records up to some sequence, and
 * at least everything acknowledged.
 */
import { expect } from 'vitest'
import { type Durability, open, type Store } from '../../src/index.ts'
import { type Backend, type BackendOperation, MemoryBackend } from '../../src/kv/index.ts'
import type { CrashMode, SimulatedDisk } from '../../src/testing/simulated-disk.ts'

export const location = '/disk/store'
const processes = ['P'.repeat(43), 'Q'.repeat(43)]

/** One write of the workload: what it must have left, and the sequence of its record. */
interface Written {
  readonly sequence: number
  acknowledged: boolean
  check(store: Store): Promise<boolean>
}

/** Refuses everything once the disk has crashed: the machine is one. */
export class CrashingBackend extends MemoryBackend {
  crashed: () => boolean = () => false

  override batch(operations: readonly BackendOperation[], options: { sync: boolean }): Promise<void> {
    if (this.crashed()) return Promise.reject(new Error('the machine is off'))
    return super.batch(operations, options)
  }
}

export class Model {
  readonly written: Written[] = []
  /** Durabilities whose acknowledgement the crash to come must respect: `os` survives a kill, not a power cut. */
  readonly #binding: ReadonlySet<Durability>

  constructor(mode: CrashMode) {
    this.#binding = new Set(mode === 'all' ? ['sync', 'os'] : ['sync'])
  }

  /** What `store` must hold given the last sequence it recovered. */
  async assertHolds(store: Store, context: string): Promise<void> {
    const recovered = store.lastSequence
    for (const write of this.written) {
      if (write.acknowledged)
        expect(write.sequence, `${context}: acknowledged record ${write.sequence} is lost`).toBeLessThanOrEqual(
          recovered,
        )
      const present = await write.check(store)
      expect(present, `${context}: record ${write.sequence} of a log that ends at ${recovered}`).toBe(
        write.sequence <= recovered,
      )
    }
    const report = await store.verify()
    expect(report.problems, context).toEqual([])
  }

  /** From here on only what was recovered exists; what was lost may never come back. */
  collapse(recovered: number): void {
    for (let i = this.written.length - 1; i >= 0; i--)
      if ((this.written[i] as Written).sequence > recovered) this.written.splice(i, 1)
    for (const write of this.written) write.acknowledged = true
  }

  add(store: Store, before: number, promise: Promise<unknown>, durability: Durability, check: Written['check']): void {
    const sequence = store.lastSequence
    if (sequence === before) return
    const write: Written = { sequence, acknowledged: false, check }
    this.written.push(write)
    promise.then(
      () => {
        write.acknowledged = this.#binding.has(durability)
      },
      () => undefined,
    )
  }
}

export function openOn(disk: SimulatedDisk, backend: Backend): Promise<Store> {
  return open(location, {
    ...{
      fileSystem: disk.fileSystem,
      backend,
      segmentBytes: 4096,
      memoryBytes: 128 * 1024,
      checkpointBytes: 12 * 1024,
    },
    bufferedIntervalMs: 1,
  })
}

/** A few dozen writes of every kind and level, checkpoints in between. Ends early, without an error, when the disk dies. */
export async function work(store: Store, model: Model, seed: number, steps: number): Promise<void> {
  const random = generator(seed)
  for (let step = 0; step < steps; step++) {
    const tag = `${seed}-${step}`
    const durability = (['sync', 'sync', 'os', 'buffered'] as const)[random(4)] as Durability
    const before = store.lastSequence
    const process = processes[random(2)] as string
    let promise: Promise<unknown> = Promise.resolve()
    const kind = random(10)
    if (kind < 5) {
      const slot = (store.assignments.latestSync(process)?.slot ?? -1) + 1 + random(2)
      const assignment = {
        process,
        slot,
        tag,
        body: { data: 'x'.repeat(random(600)), signature: new Uint8Array(32).fill(step) },
      }
      promise = store.assignments.write(assignment, { durability })
      model.add(
        store,
        before,
        promise,
        durability,
        async (at) => (await at.assignments.read(process, slot))?.['tag'] === tag,
      )
    } else if (kind < 6) {
      const slot = (store.assignments.latestSync(process)?.slot ?? -1) + 1
      const list = [0, 1, 2].map((i) => ({ process, slot: slot + i, tag, large: 'y'.repeat(5000) }))
      promise = store.assignments.writeMany(list, { durability })
      model.add(store, before, promise, durability, async (at) => {
        const found = await Promise.all(
          list.map(async (each) => (await at.assignments.read(process, each.slot))?.['tag'] === tag),
        )
        expect(new Set(found).size, 'a record is there in part').toBe(1)
        return found[0] === true
      })
    } else if (kind < 8) {
      const id = store.content.id({ tag })
      promise = store.content.put({ tag }, { durability })
      model.add(store, before, promise, durability, async (at) => (await at.content.get(id)) !== undefined)
    } else if (kind < 9) {
      promise = store.paths.write(`dir/${tag}/leaf`, Buffer.from(tag), { durability })
      model.add(store, before, promise, durability, async (at) => (await at.paths.type(`dir/${tag}/leaf`)) === 'simple')
    } else {
      promise = store.checkpoint()
    }
    try {
      if (random(3) > 0) await promise
      else promise.catch(() => undefined)
    } catch {
      return
    }
    if (store.status !== 'open') return
  }
}

export interface Stopped {
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
}

/** As after a power cut: both halves of the machine at once. */
export function crash(disk: SimulatedDisk, backend: MemoryBackend, mode: CrashMode, seed: number): Stopped {
  const backendMode = mode === 'directory-first' ? 'prefix' : mode === 'subset' ? 'prefix' : mode
  return { disk: disk.crash(mode, seed), backend: backend.crash(backendMode, seed) }
}

export function generator(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822507) + 3266489909) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}
