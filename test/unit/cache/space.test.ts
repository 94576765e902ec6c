import { describe, expect, test } from 'vitest'
import { letter } from '../../../src/cache/names.ts'
import { cause } from '../../../src/cache/payload.ts'
import type { Space } from '../../../src/cache/space.ts'
import { crashSpaces, openSpaces, type SpaceWorld } from './space-world.ts'

const sync = { durability: 'sync' } as const
const buffered = { durability: 'buffered' } as const

function users(world: SpaceWorld): Space {
  return world.caches.space(letter.keyValue, 'users')
}

function set(space: Space, key: Parameters<Space['find']>[0], value: unknown): void {
  space.put(key, value, space.find(key))
}

async function keysOf(space: Space): Promise<unknown[]> {
  const keys: unknown[] = []
  for await (const entry of space.scan()) keys.push(space.keyOf(entry))
  return keys
}

/** Enough of other entries for the clean tier to let go of everything else. */
async function pushOut(world: SpaceWorld): Promise<void> {
  const other = world.caches.space(letter.keyValue, 'other')
  for (let i = 0; i < 400; i++) await other.write(buffered, () => set(other, i, 'x'.repeat(500)))
  await world.opened.checkpointer?.checkpoint()
}

describe('a space', () => {
  test('finds every type of key and keeps them apart', async () => {
    const world = await openSpaces()
    const space = users(world)
    const keys = ['1', 1, 1n, true, null, [1], ['1'], Buffer.from('1'), 'ä', '\x00', 'x'.repeat(200), -0.5]
    await space.write(buffered, () => keys.forEach((key, i) => set(space, key, i)))
    keys.forEach((key, i) => expect(space.valueOf(space.find(key) as never), String(key)).toBe(i))
    expect(space.count).toBe(keys.length)
    expect(space.find(2)).toBeUndefined()
    expect(() => space.find(Number.NaN)).toThrow(TypeError)
    await world.opened.close()
    const again = await openSpaces({}, world.disk, world.backend)
    const reopened = users(again)
    keys.forEach((key, i) => expect(reopened.valueOf(reopened.find(key) as never), String(key)).toBe(i))
    expect((await keysOf(reopened)).length).toBe(keys.length)
    await again.opened.close()
  })

  test('shares records among buffered writes, and gives each its place in the log when asked', async () => {
    const world = await openSpaces()
    const { engine } = world.opened
    const space = users(world)
    const before = engine.lastSequence
    for (let i = 0; i < 10; i++) void space.write(buffered, () => set(space, `k${i}`, i))
    expect(engine.lastSequence).toBe(before + 1)
    void space.write(buffered, () => set(space, 'k0', 'again'))
    await space.write(sync, () => set(space, 'late', 1))
    expect(engine.lastSequence).toBe(before + 3)
    expect(engine.durableSequence).toBe(before + 3)
    await world.opened.close()
  })

  test('keeps the order of buffered and synced writes to one key', async () => {
    let world = await openSpaces()
    let space = users(world)
    void space.write(buffered, () => set(space, 'k', 1))
    void space.write(sync, () => set(space, 'k', 2))
    void space.write(buffered, () => set(space, 'k', 3))
    await space.write(sync, () => set(space, 'other', 0))
    world = await crashSpaces(world, 'strict')
    space = users(world)
    expect(space.valueOf(space.find('k') as never)).toBe(3)
    await world.opened.close()
  })

  test('whose buffered writes were never written to disk loses them whole', async () => {
    let world = await openSpaces()
    let space = users(world)
    await space.write(sync, () => set(space, 'kept', 1))
    for (let i = 0; i < 100; i++) void space.write(buffered, () => set(space, i, i))
    world = await crashSpaces(world, 'all')
    space = users(world)
    expect(await keysOf(space)).toEqual(['kept'])
    expect(space.count).toBe(1)
    await world.opened.close()
  })

  test('takes back a buffered write that throws, and nothing of the writes before it', async () => {
    let world = await openSpaces()
    let space = users(world)
    void space.write(buffered, () => set(space, 'a', 1))
    const thrown = space.write(buffered, () => {
      set(space, 'a', 2)
      set(space, 'b', 2)
      space.remove('a')
      throw new Error('on purpose')
    })
    await expect(thrown).rejects.toThrow('on purpose')
    expect(space.valueOf(space.find('a') as never)).toBe(1)
    expect(space.find('b')).toBeUndefined()
    expect([space.count, space.complete]).toEqual([1, true])
    await world.opened.engine.sync()
    world = await crashSpaces(world, 'strict')
    space = users(world)
    expect(await keysOf(space)).toEqual(['a'])
    expect(space.valueOf(space.find('a') as never)).toBe(1)
    await world.opened.close()
  })

  test('takes back part of a transaction whose inner write throws', async () => {
    const world = await openSpaces()
    const space = users(world)
    await space.write(sync, () => set(space, 'kept', 1))
    await space.write(buffered, () => {
      set(space, 'x', 1)
      expect(() => {
        void space.write(sync, () => {
          set(space, 'kept', 2)
          set(space, 'x', 2)
          set(space, 'y', 2)
          throw new Error('inner')
        })
      }).toThrow('inner')
    })
    expect(space.valueOf(space.find('kept') as never)).toBe(1)
    expect(space.valueOf(space.find('x') as never)).toBe(1)
    expect(space.find('y')).toBeUndefined()
    expect(space.count).toBe(2)
    await world.opened.close()
  })

  test('acknowledges a buffered write as late as the synced write that joined it', async () => {
    let world = await openSpaces()
    let space = users(world)
    const { engine } = world.opened
    void space.write(buffered, () => set(space, 'early', 1))
    let inner: Promise<void> | undefined
    const outer = space.write(buffered, () => {
      set(space, 'outer', 1)
      inner = space.write(sync, () => set(space, 'inner', 1))
    })
    expect(engine.durableSequence).toBe(0)
    await Promise.all([outer.then(() => expect(engine.durableSequence).toBe(1)), inner])
    world = await crashSpaces(world, 'strict')
    space = users(world)
    expect(await keysOf(space)).toEqual(['early', 'inner', 'outer'])
    await world.opened.close()
  })

  test('keeps what was staged while the store was closing', async () => {
    const world = await openSpaces()
    const space = users(world)
    await space.write(sync, () => set(space, 'k', 1))
    const closing = world.opened.close()
    let late = 0
    for (let turn = 0; turn < 60; turn++) {
      const written = space.write(buffered, () => set(space, turn, turn))
      if (
        await written.then(
          () => true,
          () => false,
        )
      )
        late++
      await Promise.resolve()
    }
    await closing
    const again = await openSpaces({}, world.disk, world.backend)
    expect(late).toBeGreaterThan(0)
    expect(users(again).count).toBe(1 + late)
    await again.opened.close()
  })

  test('counts exactly through checkpoints, crashes and deletes with their own weight', async () => {
    let world = await openSpaces()
    let space = users(world)
    await space.write(sync, () => {
      space.put('bag', [1, 2, 3], undefined, 0, 3)
      set(space, 'one', 1)
    })
    expect(space.count).toBe(4)
    await world.opened.checkpointer?.checkpoint()
    await space.write(sync, () => {
      space.put('bag', [1], space.find('bag'), 0, -2)
      set(space, 'two', 2)
    })
    await space.write(sync, () => space.remove('one', cause.expire))
    expect(space.count).toBe(2)
    world = await crashSpaces(world, 'strict')
    space = users(world)
    expect([space.count, space.ledger.entries]).toEqual([2, 2])
    await space.write(sync, () => space.remove('bag', cause.evict, -1))
    await world.opened.close()
    world = await openSpaces({}, world.disk, world.backend)
    expect(users(world).count).toBe(1)
    expect((await world.caches.ledgers()).get('kusers/')).toEqual([1, 1, 0, 0])
    await world.opened.close()
  })

  test('that nobody opens keeps its count through replay and checkpoint', async () => {
    let world = await openSpaces()
    const space = users(world)
    await space.write(sync, () => set(space, 'a', 1))
    world = await crashSpaces(world, 'strict')
    await world.opened.checkpointer?.checkpoint()
    await world.opened.checkpointer?.checkpoint()
    world = await crashSpaces(world, 'strict')
    expect(users(world).count).toBe(1)
    await world.opened.close()
  })

  test('knows the ends of a queue and of a stack after a crash', async () => {
    let world = await openSpaces()
    const queue = world.caches.space(letter.queue, 'q')
    const stack = world.caches.space(letter.stack, 's')
    await queue.write(sync, () => {
      for (let i = 0; i < 5; i++) {
        queue.put(i, i, undefined)
        stack.put(i, i, undefined)
      }
    })
    await world.opened.checkpointer?.checkpoint()
    await queue.write(sync, () => {
      queue.remove(0)
      queue.remove(1)
      stack.remove(4)
      queue.put(5, 5, undefined)
    })
    world = await crashSpaces(world, 'strict')
    const ends = ['q', 's'].map((each) => world.caches.space(each, each).ledger.summary)
    expect(ends).toEqual([
      [4, 4, 2, 6],
      [4, 4, 0, 4],
    ])
    await world.opened.close()
  })

  test('takes back the ends of a queue with the write that moved them', async () => {
    const world = await openSpaces()
    const queue = world.caches.space(letter.queue, 'q')
    await queue.write(buffered, () => [0, 1, 2].forEach((i) => queue.put(i, i, undefined)))
    const thrown = queue.write(sync, () => {
      queue.remove(0)
      queue.put(3, 3, undefined)
      queue.remove(1)
      throw new Error('on purpose')
    })
    await expect(thrown).rejects.toThrow('on purpose')
    expect(queue.ledger.summary).toEqual([3, 3, 0, 3])
    await world.opened.close()
  })

  test('larger than memory finds what memory let go of, and does not take it for absent', async () => {
    const world = await openSpaces({ memoryBytes: 64 * 1024 })
    const space = users(world)
    await space.write(buffered, () => {
      for (let i = 0; i < 50; i++) set(space, `k${i}`, `value ${i}`)
    })
    await world.opened.checkpointer?.checkpoint()
    await pushOut(world)
    expect(space.complete).toBe(false)
    for (let i = 0; i < 50; i++) expect(space.valueOf(space.find(`k${i}`) as never)).toBe(`value ${i}`)
    expect(space.find('absent')).toBeUndefined()
    expect(await space.fetch('absent')).toBeUndefined()
    await space.write(buffered, () => {
      for (let i = 0; i < 50; i++) if (space.find(`k${i}`) !== undefined) space.remove(`k${i}`)
    })
    expect([space.count, space.complete]).toEqual([0, true])
    expect(await keysOf(space)).toEqual([])
    await world.opened.close()
    const again = await openSpaces({}, world.disk, world.backend)
    expect(await keysOf(users(again))).toEqual([])
    await again.opened.close()
  })

  test('knows that it is complete whenever a removal meets a read under way', async () => {
    const world = await openSpaces()
    await users(world).write(sync, () => set(users(world), 'k', 1))
    await world.opened.close()
    for (let turns = 0; turns < 20; turns++) {
      const again = await openSpaces({}, world.disk.clone(), world.backend.clone())
      const space = users(again)
      const read = space.fetch('k')
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await space.write(buffered, () => space.remove('k'))
      await read
      expect([space.count, space.complete], `after ${turns} turns`).toEqual([0, true])
      await again.opened.close()
    }
  })

  test('does not answer a deleted key out of the backend before the checkpoint that deletes it', async () => {
    const world = await openSpaces()
    const space = users(world)
    await space.write(sync, () => set(space, 'k', 1))
    await world.opened.checkpointer?.checkpoint()
    await space.write(sync, () => space.remove('k'))
    expect(space.find('k')).toBeUndefined()
    expect(await space.fetch('k')).toBeUndefined()
    expect(await keysOf(space)).toEqual([])
    await world.opened.close()
  })

  test('fetches nothing that is not acknowledged', async () => {
    const world = await openSpaces()
    const space = users(world)
    const written = space.write(sync, () => set(space, 'k', 1))
    expect(space.valueOf(space.find('k') as never)).toBe(1)
    expect(space.fetchAtHand('k')).toBeTypeOf('symbol')
    let acknowledged = false
    void written.then(() => (acknowledged = true))
    const entry = await space.fetch('k')
    expect([acknowledged, space.valueOf(entry as never)]).toEqual([true, 1])
    await world.opened.close()
  })

  test('refuses to fetch inside a transaction what that transaction wrote', async () => {
    const world = await openSpaces()
    const space = users(world)
    let read: Promise<unknown> | undefined
    await space.write(sync, () => {
      set(space, 'k', 1)
      read = space.fetch('k').catch((error: unknown) => error)
    })
    expect(await read).toBeInstanceOf(TypeError)
    await world.opened.close()
  })

  test('hands out copies of what could be changed and shares what could not', async () => {
    const world = await openSpaces()
    const space = users(world)
    const date = new Date(5)
    const given = { list: [1, 2], date }
    await space.write(buffered, () => {
      set(space, 'mixed', given)
      set(space, 'plain', { list: [1, 2] })
    })
    given.list.push(3)
    date.setTime(7)
    const mixed = space.valueOf(space.find('mixed') as never) as typeof given
    expect(mixed).toEqual({ list: [1, 2], date: new Date(5) })
    expect(space.valueOf(space.find('mixed') as never)).not.toBe(mixed)
    const plain = space.valueOf(space.find('plain') as never)
    expect(space.valueOf(space.find('plain') as never)).toBe(plain)
    expect(Object.isFrozen(plain) && Object.isFrozen((plain as typeof given).list)).toBe(true)
    await world.opened.close()
  })

  test('refuses a key over the limit, and nothing of its write happens', async () => {
    const world = await openSpaces()
    const space = users(world)
    const long = ['x'.repeat(20_000), Buffer.alloc(70_000), Array.from({ length: 8000 }, (_, i) => i)]
    for (const key of long) {
      const written = space.write(buffered, () => {
        set(space, 'beside', 1)
        set(space, key, 1)
      })
      await expect(written).rejects.toMatchObject({ code: 'HOLDFAST_VALUE_TOO_LARGE' })
      expect(space.find(key)).toBeUndefined()
    }
    expect([space.count, space.complete, await keysOf(space)]).toEqual([0, true, []])
    await space.write(buffered, () => set(space, 'x'.repeat(16_000), 1))
    await world.opened.close()
    const again = await openSpaces({}, world.disk, world.backend)
    expect(await keysOf(users(again))).toEqual(['x'.repeat(16_000)])
    await again.opened.close()
  })

  test('leaves no trace of what came and went unless somebody may wait for it', async () => {
    let world = await openSpaces()
    let space = users(world)
    await space.write(buffered, () => set(space, 'k', 1))
    await space.write(buffered, () => space.remove('k'))
    expect(world.opened.engine.tier.stats()).toMatchObject({ dirtyEntries: 0, dirtyBytes: 0 })
    await space.write(sync, () => space.observeAbsence('k'))
    expect(world.opened.engine.durableSequence).toBe(world.opened.engine.lastSequence)
    await space.write(sync, () => set(space, 'k', 2))
    await world.opened.checkpointer?.checkpoint()
    await space.write(buffered, () => space.remove('k'))
    await world.opened.engine.sync()
    world = await crashSpaces(world, 'strict')
    space = users(world)
    expect([space.count, space.find('k')]).toEqual([0, undefined])
    await world.opened.close()
  })

  test('refuses to be opened as something else than it was written as', async () => {
    let world = await openSpaces()
    users(world).declare({ type: 'set' })
    const space = users(world)
    await space.write(sync, () => set(space, 'k', 1))
    world = await crashSpaces(world, 'strict')
    expect(() => users(world).declare({ type: 'bag' })).toThrow(
      expect.objectContaining({ code: 'HOLDFAST_SHAPE_MISMATCH' }),
    )
    users(world).declare({ type: 'set' })
    await world.opened.close()
  })

  test('whose name is another with a slash or an escape in it stays apart', async () => {
    const world = await openSpaces()
    const names = ['a', 'a/', 'a/b', 'a%2Fb', '%', ':head', '*', 'ä']
    for (const name of names) {
      const space = world.caches.space(letter.keyValue, name)
      await space.write(buffered, () => set(space, 'k', name))
    }
    for (const name of names) {
      const space = world.caches.space(letter.keyValue, name)
      expect(space.valueOf(space.find('k') as never)).toBe(name)
      expect(space.count).toBe(1)
    }
    await world.opened.close()
  })
})
