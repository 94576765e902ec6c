import { vi } from 'vitest'
import type { Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { contentEffects } from './store-steps-content.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { StepKind } from './store-steps.ts'

async function checkpoint(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  // The records from here on may be in the next one.
  const { lastSequence } = store
  const { sequence } = await store.checkpoint()
  if (sequence < lastSequence) throw new Error(`a checkpoint up to ${sequence} of ${lastSequence} records`)
  model.durable(lastSequence)
}

async function sync(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  const { lastSequence } = store
  await store.sync()
  model.durable(lastSequence)
}

/** Long enough for whatever waits for a timer: buffered writes and the trailer of a quiet log. */
async function pass(): Promise<void> {
  await vi.advanceTimersByTimeAsync(10_000)
}

/** Bytes and a content together, and a name that goes with them. */
async function transact(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const message = { together: random.below(2 ** 31) }
  const path = `dir/files-0/${random.below(4)}`
  const gone = `dir/files-1/${random.below(4)}`
  const effects: Effect[] = [
    ...contentEffects(model, message),
    ['path/dir', 'group'],
    ['path/dir/files-0', 'group'],
    [`path/${path}`, 'bytes:together'],
    [`path/${gone}`, undefined],
  ]
  await model.write(store, random, effects, (durability) =>
    store.transact(
      () => {
        void store.content.put(message)
        void store.paths.write(path, Buffer.from('together'))
        void store.paths.remove(gone)
      },
      { durability },
    ),
  )
}

/** Everything it does is undone: it is no record. */
async function undone(store: Store, random: Prng, model: StoreModel): Promise<void> {
  await model.writeAlone(store, [], async () => {
    const thrown = new Error('undo')
    const failed = store.transact(() => {
      void store.paths.write('dir/files-0/0', Buffer.from('never'))
      void store.paths.remove(`dir/files-1/${random.below(4)}`)
      void store.content.put({ never: random.below(2 ** 31) })
      throw thrown
    })
    const error: unknown = await failed.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error !== thrown) throw new Error('a transaction that threw did not reject with that')
  })
}

export const storeSteps: readonly StepKind[] = [
  { name: 'checkpoint', weight: 3, run: checkpoint },
  { name: 'sync', weight: 1, run: sync },
  { name: 'pass', weight: 1, run: pass },
  { name: 'transact', weight: 2, run: transact },
  { name: 'undone', weight: 1, run: undone },
]
