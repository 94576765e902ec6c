/** What the outside suite does not ask of the view: records, durability, snapshots while the store is written to. */
import type { AbstractLevel, AbstractPutOptions } from 'abstract-level'
import { describe, expect, test } from 'vitest'
import { HoldfastLevel, type LevelWriteOptions } from '../../src/adapters/level.ts'
import { world } from '../unit/engine/worlds.ts'

async function filled(names = ['a', 'b', 'c', 'd']) {
  const store = await world().open()
  const db = new HoldfastLevel(store)
  await db.batch(names.map((key) => ({ type: 'put', key, value: key.toUpperCase() })))
  return { store, db }
}

describe('writing', () => {
  test('a batch is one record, sublevels included', async () => {
    const { store, db } = await filled()
    const before = store.lastSequence
    const sublevel = db.sublevel('inner')
    await db.batch([
      { type: 'put', key: 'x', value: '1', sublevel },
      { type: 'put', key: 'y', value: '2' },
      { type: 'del', key: 'a' },
    ])
    expect(store.lastSequence).toBe(before + 1)
    expect(await sublevel.get('x')).toBe('1')
    await store.close()
  })

  test('with durability buffered nothing waits for the disk, but for a write that asks for sync', async () => {
    const store = await world().open({ bufferedIntervalMs: 600_000 })
    const db = new HoldfastLevel(store, { durability: 'buffered' })
    await db.put('a', '1')
    expect(store.durableSequence).toBeLessThan(store.lastSequence)
    const options: LevelWriteOptions & AbstractPutOptions<string, string> = { sync: true }
    await db.put('b', '2', options)
    expect(store.durableSequence).toBe(store.lastSequence)
    await store.close()
  })

  test('entries are still there when the store is opened again', async () => {
    const w = world()
    const store = await w.open()
    await new HoldfastLevel<string, object>(store, { valueEncoding: 'json' }).put('key', { nested: [1] })
    await store.close()
    const again = await w.open()
    expect(await new HoldfastLevel<string, object>(again, { valueEncoding: 'json' }).get('key')).toEqual({
      nested: [1],
    })
    await again.close()
  })

  test('a range of more keys than one record takes is cleared to the last', async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `key ${String(i).padStart(4, '0')}`)
    const { store, db } = await filled(names)
    await db.clear({ gt: 'key 0000', lt: 'key 4999' })
    expect(await db.keys().all()).toEqual(['key 0000', 'key 4999'])
    await store.close()
  })
})

describe('the namespace underneath', () => {
  test('closing a view leaves the store open, and another view shows the same', async () => {
    const { store, db } = await filled(['a'])
    await db.close()
    expect(store.status).toBe('open')
    expect(await new HoldfastLevel(store).get('a')).toBe('A')
    expect(await new HoldfastLevel(store, { namespace: 'other' }).get('a')).toBeUndefined()
    await store.close()
  })

  test('keys that are no bytes are not seen', async () => {
    const { store, db } = await filled(['a'])
    for (const key of ['a', 7, [1]]) await store.kv('level').set(key, Buffer.from('x'))
    expect(await db.iterator().all()).toEqual([['a', 'A']])
    expect(await db.keys({ reverse: true, gte: '' }).all()).toEqual(['a'])
    await store.close()
  })

  test('a value that is changed by its reader is not changed in the store', async () => {
    const { store, db } = await filled(['a'])
    const value = await db.get<string, Uint8Array>('a', { valueEncoding: 'view' })
    value?.fill(0)
    expect(await db.get('a')).toBe('A')
    await store.close()
  })
})

describe('seek', () => {
  test('goes anywhere as long as nothing is written', async () => {
    const { store, db } = await filled()
    const iterator = db.keys()
    const found: unknown[] = []
    for (const target of ['c', 'a', 'd', 'b']) {
      iterator.seek(target)
      found.push(await iterator.next())
    }
    expect(found).toEqual(['c', 'a', 'd', 'b'])
    await iterator.close()
    await store.close()
  })

  for (const reverse of [false, true]) {
    test(`${reverse ? 'in reverse, ' : ''}skips ahead in its snapshot after a write`, async () => {
      const { store, db } = await filled()
      const iterator = db.iterator({ reverse })
      const [first, third, last] = reverse ? (['d', 'b', 'a'] as const) : (['a', 'c', 'd'] as const)
      expect((await iterator.next())?.[0]).toBe(first)
      await db.batch([
        { type: 'del', key: third },
        { type: 'put', key: 'bb', value: 'new' },
      ])
      iterator.seek('bb')
      expect((await iterator.next())?.[0]).toBe(third)
      expect((await iterator.next())?.[0]).toBe(last)
      expect(await iterator.next()).toBeUndefined()
      await iterator.close()
      await store.close()
    })
  }

  test('after a write refuses to go back, and says what to do', async () => {
    const { store, db } = await filled()
    const iterator = db.keys()
    expect([await iterator.next(), await iterator.next()]).toEqual(['a', 'b'])
    await db.put('aa', 'new')
    expect(() => iterator.seek('b')).toThrow('make a new iterator')
    expect(() => iterator.seek('a')).toThrow(expect.objectContaining({ code: 'LEVEL_NOT_SUPPORTED' }))
    expect(await iterator.next()).toBe('c')
    await iterator.close()
    await store.close()
  })

  test('after a write refuses in an iterator with a limit, whose scan would end too early', async () => {
    const { store, db } = await filled()
    const iterator = db.keys({ limit: 2 })
    await db.put('aa', 'new')
    expect(() => iterator.seek('c')).toThrow('with a limit')
    await iterator.close()
    await store.close()
  })

  test('in a volatile namespace always counts on writes', async () => {
    const store = await world().open()
    const db = new HoldfastLevel(store, { durability: 'volatile' })
    await db.batch(['a', 'c'].map((key) => ({ type: 'put', key, value: key })))
    const iterator = db.keys()
    await db.put('b', 'new')
    iterator.seek('b')
    expect(await iterator.next()).toBe('c')
    await iterator.close()
    await store.close()
  })
})

test('an iterator that was never begun, or left early, does not keep the store from closing', async () => {
  const { store, db } = await filled()
  await store.checkpoint()
  db.iterator()
  for await (const _ of db.keys()) break
  const sought = db.values()
  sought.seek('b')
  await db.close()
  await store.close()
  expect(store.status).toBe('closed')
})

test('fits the type of a database', async () => {
  const store = await world().open()
  const db: AbstractLevel<Uint8Array, string, object> = new HoldfastLevel<string, object>(store, {
    valueEncoding: 'json',
  })
  expect(db.supports.implicitSnapshots).toBe(true)
  await store.close()
})
