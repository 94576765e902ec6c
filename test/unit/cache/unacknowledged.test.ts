/** What random calls against a model found: answers that rest on removals which are not acknowledged, or were taken back. */
import { describe, expect, it } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { holdSync, tick, world } from '../engine/worlds.ts'

async function endsWhileSyncIsHeld(
  write: (store: Store) => Promise<unknown>[],
  read: (store: Store) => Promise<unknown>,
): Promise<{ before: boolean; answer: unknown }> {
  const w = world()
  const store = await w.open()
  await Promise.all([store.stack('s').pushMany([1, 2]), store.queue('q').addMany([1, 2])])
  const held = holdSync(w)
  const writes = write(store)
  await held.reached
  let before = false
  let isHeld = true
  const answer = read(store).then((value) => {
    before = isHeld
    return value
  })
  for (let i = 0; i < 20; i++) await tick()
  isHeld = false
  held.resume()
  await Promise.all(writes)
  return { before, answer: await answer }
}

describe('a promised read of what lay below or behind', () => {
  it('a popped item waits until the pop is acknowledged', async () => {
    const { before, answer } = await endsWhileSyncIsHeld(
      (store) => [store.stack('s').pop()],
      (store) => store.stack('s').peek(),
    )
    expect({ before, answer }).toEqual({ before: false, answer: 1 })
  })

  it.each([
    ['taken', (store: Store) => store.queue('q').take()],
    ['leased', (store: Store) => store.queue('q').lease({ leaseMs: 1000 })],
  ])('a %s item waits until that is acknowledged', async (_, remove) => {
    const { before, answer } = await endsWhileSyncIsHeld(
      (store) => [remove(store)],
      (store) => store.queue('q').peek(),
    )
    expect({ before, answer }).toEqual({ before: false, answer: 2 })
  })
})

it('a delete that finds nothing works after a delete that was taken back', async () => {
  const store = await world().open()
  const kv = store.kv('a')
  await kv.set('there', 1)
  const undone = store.transact(() => {
    void kv.delete('there')
    throw new Error('changed its mind')
  })
  await expect(undone).rejects.toThrow('changed its mind')
  expect(await kv.delete('absent', { durability: 'sync' })).toBe(false)
  expect(await kv.get('there')).toBe(1)
})
