import assert from 'node:assert/strict'
import type { Assignment, OpenOptions, Store } from '../index.ts'

/** Where one check keeps its store. */
export interface StorePlace {
  /** Opens the store of this place, created by the first call; one at a time, any number of times. */
  open(options?: OpenOptions): Promise<Store>
  /** Called after the check, with everything closed. */
  dispose(): Promise<void>
}

export interface StoreHarness {
  /** A place where no store is yet and that nobody else uses. */
  create(): Promise<StorePlace>
}

/** `store` is open and empty; a check that reopens uses `place` and closes what it opened. */
export type StoreCheck = (store: Store, place: StorePlace) => Promise<void>

export const processA = 'A'.repeat(43)
export const processB = 'B'.repeat(43)

/** For checks of when checkpoints happen: none starts by itself. */
export const roomy: OpenOptions = { memoryBytes: 256 * 1024 * 1024, checkpointBytes: 64 * 1024 * 1024 }

export const utf8 = (text: string): Buffer => Buffer.from(text)
export const textOf = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()

export function assignment(slot: number, fields: object = {}): Assignment {
  return { process: processA, slot, body: { data: `message ${slot}` }, ...fields }
}

/** Large enough that, nested in a message, it becomes content of its own. */
export function large(seed: string, length = 5000): string {
  return seed.repeat(Math.ceil(length / seed.length)).slice(0, length)
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

export async function slotsOf(items: AsyncIterable<{ readonly slot: number }>): Promise<number[]> {
  return (await collect(items)).map(({ slot }) => slot)
}

export const rejectsWith = (work: Promise<unknown>, code: string): Promise<void> => assert.rejects(work, { code })

/** Every value reached is frozen, and the byte arrays are the caller's own. */
export function assertFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  assert.ok(Object.isFrozen(value), 'a value read back is frozen')
  for (const name of Object.keys(value)) assertFrozen((value as Record<string, unknown>)[name])
}

/** Closes the store, opens it again, runs `fn` on it and closes it. */
export async function reopened(store: Store, place: StorePlace, fn: (store: Store) => Promise<void>): Promise<void> {
  await store.close()
  const again = await place.open()
  try {
    await fn(again)
    const report = await again.verify()
    assert.deepEqual(report.problems, [])
  } finally {
    await again.close()
  }
}
