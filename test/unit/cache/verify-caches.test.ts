import { describe, expect, it } from 'vitest'
import type { Caches } from '../../../src/cache/index.ts'
import { checkCaches } from '../../../src/cache/index.ts'
import { indexKey } from '../../../src/cache/deadline-window.ts'
import { domainOfSpace, letter } from '../../../src/cache/names.ts'
import { cacheKind } from '../../../src/cache/payload.ts'
import { encodeKey } from '../../../src/codec/index.ts'
import { type Engine, verifyStore } from '../../../src/engine/index.ts'
import { openSpaces } from './space-world.ts'
import { kvWorld } from './kv-world.ts'

const nothing = Buffer.alloc(0)

/** Verifies an engine after somebody wrote behind the structures' back. */
async function problemsAfter(spoil: (engine: Engine, caches: Caches) => void): Promise<string[]> {
  const { caches, opened } = await openSpaces()
  const entries = caches.expiry(false).open('n', 'set')
  const bag = caches.expiry(false).open('b', 'bag')
  const table = caches.space(letter.table, 't')
  table.declare({ type: 'set', keyPos: 0, partitionPos: 1 })
  const queue = caches.space(letter.queue, 'q')
  await opened.engine.write(undefined, () => {
    entries.put('timed', 1, 5000)
    entries.put('plain', 1, 0)
    bag.put('k', [1, 2, 3], 0)
    table.put(['p', 'k'], ['k', 'p'], undefined)
    opened.engine.put(tableIndexKey('k', 'p'), 'ut/', cacheKind.partition, nothing, 0)
    queue.put(0, 'a', undefined)
    queue.put(1, 'b', undefined)
  })
  await opened.engine.write(undefined, () => spoil(opened.engine, caches))
  const report = await verifyStore(opened, checkCaches(caches))
  await opened.close()
  return report.problems.map(({ code }) => code).sort()
}

function tableIndexKey(key: string, partition: string): string {
  return domainOfSpace(letter.tableIndex, 't') + encodeKey(key) + encodeKey(partition)
}

describe('verify', () => {
  it('finds nothing wrong with what the structures wrote', async () => {
    expect(await problemsAfter(() => undefined)).toEqual([])
  })

  it.each<[string, (engine: Engine) => void, string[]]>([
    [
      'an entry that the ledger does not know',
      (engine) => engine.put(`kn/${encodeKey('x')}`, 'kn/', cacheKind.value, Buffer.from([1, 5]), 2),
      ['cache-count', 'cache-entries'],
    ],
    [
      'an entry of a structure nobody has opened',
      (engine) => engine.put(`oother/${encodeKey('x')}`, 'oother/', cacheKind.value, Buffer.from([1, 5]), 2),
      ['cache-count', 'cache-entries'],
    ],
    [
      'a deadline without an entry',
      (engine) => engine.put(indexKey(7000, 'kn/', encodeKey('plain')), 'x/', cacheKind.deadline, nothing, 0),
      ['deadline-index', 'deadline-stray'],
    ],
    [
      'an entry without its deadline in the index',
      (engine) => engine.delete(indexKey(5000, 'kn/', encodeKey('timed')), 'x/'),
      ['deadline-index', 'deadline-missing'],
    ],
    ['a tuple that its index lacks', (engine) => engine.delete(tableIndexKey('k', 'p'), 'ut/'), ['table-index']],
    [
      'an index without its tuple',
      (engine) => engine.put(tableIndexKey('k', 'other'), 'ut/', cacheKind.partition, nothing, 0),
      ['table-index'],
    ],
    [
      'a value that cannot be read',
      (engine) => engine.put(`oother/${encodeKey('x')}`, 'oother/', cacheKind.value, Buffer.from([1, 0xc1]), 2),
      ['cache-entry'],
    ],
    [
      'a header that ends early',
      (engine) => engine.put(`oother/${encodeKey('x')}`, 'oother/', cacheKind.timed, Buffer.from([3, 0]), 2),
      ['cache-entry'],
    ],
    [
      'a key that cannot be read',
      (engine) => engine.put('oother/\x99', 'oother/', cacheKind.value, Buffer.from([1, 5]), 2),
      ['cache-entry'],
    ],
    [
      'a kind that does not belong there',
      (engine) => {
        engine.put(`oother/${encodeKey('x')}`, 'oother/', cacheKind.shape, Buffer.from([5]), 1)
        engine.put('noother', 'n/', cacheKind.value, Buffer.from([5]), 1)
        engine.put('mother', 'm/', cacheKind.value, Buffer.from([5]), 1)
        engine.put(`x/${encodeKey(5)}kn/${encodeKey('x')}`, 'x/', cacheKind.deadline, Buffer.from([5]), 1)
        engine.put(tableIndexKey('k', 'x'), 'ut/', cacheKind.value, Buffer.from([5]), 1)
      },
      Array(5).fill('cache-entry'),
    ],
  ])('finds %s', async (_, spoil, problems) => {
    expect(await problemsAfter(spoil)).toEqual(problems)
  })

  it('finds a count and positions that are not what is there', async () => {
    const problems = await problemsAfter((_, caches) => {
      caches.expiry(false).open('b', 'bag').space.ledger.count = 1
      caches.space(letter.queue, 'q').ledger.first = 1
    })
    expect(problems).toEqual(['cache-count', 'cache-position'])
  })

  it('finds the counts right after replay, of structures that nobody has opened', async () => {
    const world = await kvWorld()
    await world.store.kv('b', { type: 'bag' }).setMany([
      ['k', 1],
      ['k', 2],
      ['l', 3],
    ])
    await world.store.checkpoint()
    await world.store.kv('b').delete('l')
    await world.store.queue('q').addMany([1, 2, 3])
    await world.store.queue('q').take()
    const { store } = await world.crash()
    expect((await store.verify()).problems).toEqual([])
  })

  it('raises no false alarm while writes go on', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { maxEntries: 300 })
    let running = true
    const writes = (async () => {
      for (let i = 0; running; i++) {
        await kv.set(i % 500, i, { ttlMs: 1 + (i % 50), durability: 'buffered' })
        if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let i = 0; i < 5; i++) {
      expect((await store.verify()).problems).toEqual([])
      await store.checkpoint()
    }
    running = false
    await writes
  })

  it('and garbage collection leave the structures alone', async () => {
    const { store } = await kvWorld()
    await store.kv('n').set('c', { id: await store.content.put({ a: 1 }) })
    const report = await store.gc()
    expect([report.ok, await store.kv('n').has('c'), (await store.verify()).problems]).toEqual([true, true, []])
  })
})
