/** What the outside suite does not ask of the Keyv adapter: Keyv checks deadlines itself, so these look underneath. */
import { Keyv, type KeyvStoreAdapter } from 'keyv'
import { describe, expect, test } from 'vitest'
import { HoldfastKeyv } from '../../src/adapters/keyv.ts'
import { world } from '../unit/engine/worlds.ts'

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

describe('deadlines are the store’s own', () => {
  async function expiring() {
    let now = 1_700_000_000_000
    const clock = { now: () => now, monotonic: () => now }
    const store = await world().open({ clock })
    const adapter = new HoldfastKeyv(store)
    const advance = (ms: number) => {
      now += ms
    }
    return { store, adapter, advance }
  }

  test('an entry is there until its deadline and gone after it, for every kind of read', async () => {
    const { store, adapter, advance } = await expiring()
    await adapter.set('short', 'a', 1000)
    await adapter.set('long', 'b')
    advance(999)
    expect(await adapter.get('short')).toBe('a')
    advance(2)
    expect(await adapter.get('short')).toBeUndefined()
    expect(await adapter.getMany(['short', 'long'])).toEqual([undefined, 'b'])
    expect(await adapter.has('short')).toBe(false)
    expect(await collect(adapter.iterator())).toEqual([['long', 'b']])
    expect(await adapter.delete('short')).toBe(false)
    await store.close()
  })

  test('a deadline that has passed already removes what was there', async () => {
    const { store, adapter } = await expiring()
    await adapter.set('key', 'old')
    await adapter.set('key', 'new', -1)
    expect(await adapter.has('key')).toBe(false)
    await store.close()
  })

  test('an entry set again without a deadline stays', async () => {
    const { store, adapter, advance } = await expiring()
    await adapter.set('key', 'old', 1000)
    await adapter.set('key', 'new')
    advance(2000)
    expect(await adapter.get('key')).toBe('new')
    await store.close()
  })
})

describe('namespaces', () => {
  test('clear and iterator keep to the prefix of their Keyv, also when one name begins with the other', async () => {
    const store = await world().open()
    const short = new Keyv({ store: new HoldfastKeyv(store), namespace: 'a' })
    const long = new Keyv({ store: new HoldfastKeyv(store), namespace: 'ab' })
    await short.set('key', 1)
    await long.set('key', 2)
    expect(await collect(short.iterator?.(undefined) as AsyncIterable<unknown>)).toEqual([['key', 1]])
    await short.clear()
    expect([await short.get('key'), await long.get('key')]).toEqual([undefined, 2])
    await store.close()
  })

  test('without a Keyv namespace, keys are stored as they are and clear empties the namespace of the store', async () => {
    const store = await world().open()
    const keyv = new Keyv({ store: new HoldfastKeyv(store, { namespace: 'plain' }), namespace: undefined as never })
    await keyv.set('key', 1)
    expect(await store.kv('plain').has('key')).toBe(true)
    await keyv.clear()
    expect(store.kv('plain').count()).toBe(0)
    await store.close()
  })

  test('two namespaces of the store have nothing in common', async () => {
    const store = await world().open()
    const [one, two] = ['one', 'two'].map((namespace) => new Keyv({ store: new HoldfastKeyv(store, { namespace }) }))
    await one?.set('key', 1)
    expect(await two?.has('key')).toBe(false)
    await store.close()
  })
})

test('values are still there when the store is opened again', async () => {
  const w = world()
  const store = await w.open()
  await new Keyv({ store: new HoldfastKeyv(store) }).set('key', { nested: [1, 'two'] }, 60_000_000)
  await store.close()
  const again = await w.open()
  expect(await new Keyv({ store: new HoldfastKeyv(again) }).get('key')).toEqual({ nested: [1, 'two'] })
  await again.close()
})

test('deleteMany is one record and says whether all were there', async () => {
  const store = await world().open()
  const adapter = new HoldfastKeyv(store)
  for (const key of ['a', 'b', 'c']) await adapter.set(key, key)
  const before = store.lastSequence
  expect(await adapter.deleteMany(['a', 'b'])).toBe(true)
  expect(store.lastSequence).toBe(before + 1)
  expect(await adapter.deleteMany(['b', 'c'])).toBe(false)
  expect(await adapter.has('c')).toBe(false)
  await store.close()
})

test('a read that fails is seen by the listeners of Keyv, which itself answers undefined', async () => {
  const store = await world().open()
  const keyv = new Keyv({ store: new HoldfastKeyv(store) })
  const errors: unknown[] = []
  keyv.on('error', (error) => errors.push(error))
  await store.close()
  expect(await keyv.get('key')).toBeUndefined()
  expect(errors).toMatchObject([{ code: 'HOLDFAST_CLOSED' }])
})

test('a read that fails without listeners rejects', async () => {
  const store = await world().open()
  const adapter = new HoldfastKeyv(store)
  await store.close()
  await expect(adapter.get('key')).rejects.toMatchObject({ code: 'HOLDFAST_CLOSED' })
})

test('disconnect leaves the store open', async () => {
  const store = await world().open()
  await new Keyv({ store: new HoldfastKeyv(store) }).disconnect()
  expect(store.status).toBe('open')
  await store.close()
})

test('fits the type of a storage adapter', async () => {
  const store = await world().open()
  const adapter: KeyvStoreAdapter = new HoldfastKeyv(store)
  expect(adapter).toBeDefined()
  await store.close()
})
