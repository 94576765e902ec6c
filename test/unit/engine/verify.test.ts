import { expect, test } from 'vitest'
import type { BackendIterator, BackendRange } from '../../../src/kv/index.ts'
import { processA, utf8, WatchedBackend, world } from './worlds.ts'

/** Lets something happen between the snapshot that an iterator takes and its first rows. */
class PausingBackend extends WatchedBackend {
  afterSnapshot: (() => Promise<unknown>) | undefined

  override iterate(range: BackendRange): BackendIterator {
    const iterator = super.iterate(range)
    const pause = this.afterSnapshot
    this.afterSnapshot = undefined
    if (pause === undefined) return iterator
    const next: BackendIterator['next'] = async (size) => {
      await pause()
      return iterator.next(size)
    }
    return { next, close: () => iterator.close() }
  }
}

test('a checkpoint that settles what is dirty while verify reads hides nothing from it', async () => {
  const backend = new PausingBackend()
  const store = await world(undefined, backend).open()
  for (let slot = 0; slot < 3; slot++) await store.assignments.write({ process: processA, slot, data: 'x' })
  await store.paths.write('a', utf8('1'))
  backend.afterSnapshot = () => store.checkpoint()
  expect(await store.verify()).toMatchObject({ problems: [], slots: 3, processes: 1 })
  expect(store.stats()).toMatchObject({ checkpoints: 1, dirtyEntries: 0 })
  await store.close()
})
