import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { failSyncs, holdSync, location, processA, tick, utf8, world } from './worlds.ts'

const value = { a: 1 }

/** One write of each kind, in one step: they are one group, and the promise of all of them. */
function writeSome(store: Store): Promise<unknown> {
  return Promise.all([
    store.content.put(value),
    store.paths.write('p', utf8('x')),
    store.assignments.write({ process: processA, slot: 0, n: 1 }),
    store.assignments.writeLocation(processA, { url: 'u' }),
  ])
}

async function drain(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of items) count++
  return count
}

/** Every promise-returning read that the writes above bear on, and a check that it answered something. */
function readsOf(store: Store): Record<string, () => Promise<unknown>> {
  const id = store.content.id(value)
  return {
    'content.get': () => store.content.get(id),
    'content.bytes': () => store.content.bytes(id),
    'content.has': async () => (await store.content.has(id)) || undefined,
    'paths.read': () => store.paths.read('p'),
    'paths.type': () => store.paths.type('p'),
    'paths.list': async () => (await store.paths.list('')).includes('p') || undefined,
    'assignments.read': () => store.assignments.read(processA, 0),
    'assignments.latest': () => store.assignments.latest(processA),
    'assignments.list': async () => (await store.assignments.list(processA)).length || undefined,
    'assignments.range': async () => (await drain(store.assignments.range(processA))) || undefined,
    'assignments.page': async () => (await store.assignments.page(processA)).slots.length || undefined,
    'assignments.processes': async () => (await drain(store.assignments.processes())) || undefined,
    'assignments.readLocation': () => store.assignments.readLocation(processA),
    'paths of assignments': () => store.paths.read(['assignments', processA, 0]),
  }
}

describe('while a group is being synced', () => {
  test('the synchronous view shows its writes, and every promised read waits for it', async () => {
    const w = world()
    const store = await w.open()
    const held = holdSync(w)
    const written = writeSome(store)
    await held.reached
    expect(store.content.getSync(store.content.id(value))).toEqual(value)
    expect(store.assignments.readSync(processA, 0)).toMatchObject({ n: 1 })
    expect(store.assignments.latestSync(processA)?.slot).toBe(0)
    const answered: string[] = []
    const reads = Object.entries(readsOf(store)).map(async ([name, read]) => {
      expect(await read(), name).toBeDefined()
      answered.push(name)
    })
    for (let i = 0; i < 20; i++) await tick()
    expect(answered).toEqual([])
    expect(store.durableSequence).toBe(0)
    held.resume()
    await Promise.all([written, ...reads])
    expect(answered).toHaveLength(reads.length)
    await store.close()
  })

  test('reads of what was acknowledged before do not wait', async () => {
    const w = world()
    const store = await w.open()
    await writeSome(store)
    const held = holdSync(w)
    const later = [store.paths.write('later', utf8('y')), store.content.put({ later: 1 })]
    await held.reached
    const id = store.content.id(value)
    expect(await store.content.get(id)).toEqual(value)
    expect(await store.paths.read('p')).toBeDefined()
    expect((await store.assignments.latest(processA))?.slot).toBe(0)
    held.resume()
    await Promise.all(later)
    await store.close()
  })

  test('a removal is not shown before it is acknowledged', async () => {
    const w = world()
    const store = await w.open()
    await store.paths.write('p', utf8('x'))
    const held = holdSync(w)
    const removing = [store.paths.remove('p'), store.paths.write('q', utf8('y'))]
    await held.reached
    let seen: unknown = 'nothing yet'
    const reading = store.paths.read('p').then((bytes) => (seen = bytes))
    for (let i = 0; i < 20; i++) await tick()
    expect(seen).toBe('nothing yet')
    held.resume()
    await Promise.all([reading, ...removing])
    expect(seen).toBeUndefined()
    await store.close()
  })

  test('writing the same again waits for the first write', async () => {
    const w = world()
    const store = await w.open()
    const held = holdSync(w)
    const first = writeSome(store)
    await held.reached
    const settled: string[] = []
    const again = [
      store.content.put(value).then(() => settled.push('put')),
      store.assignments.write({ process: processA, slot: 0, n: 1 }).then(() => settled.push('write')),
    ]
    for (let i = 0; i < 20; i++) await tick()
    expect(settled).toEqual([])
    held.resume()
    await Promise.all([first, ...again])
    expect(settled).toHaveLength(2)
    await store.close()
  })

  test('a write at os is acknowledged, one at buffered at once, and sync() waits', async () => {
    const w = world()
    const store = await w.open()
    await store.paths.write('b', utf8('x'), { durability: 'buffered' })
    expect(store.durableSequence).toBe(0)
    await Promise.all([
      store.paths.write('o', utf8('x'), { durability: 'os' }),
      store.paths.write('o2', utf8('x'), { durability: 'os' }),
    ])
    expect(store.durableSequence).toBe(0)
    const held = holdSync(w)
    const syncing = store.sync()
    await held.reached
    let synced = false
    void syncing.then(() => (synced = true))
    for (let i = 0; i < 20; i++) await tick()
    expect(synced).toBe(false)
    held.resume()
    await syncing
    expect(store.durableSequence).toBe(3)
    await store.close()
  })
})

describe('after a power cut', () => {
  test('what was acknowledged at sync is there, what was only buffered may be gone', async () => {
    const w = world()
    const store = await w.open({ bufferedIntervalMs: 1_000_000 })
    await store.paths.write('kept', utf8('x'))
    await store.paths.write('lost', utf8('x'), { durability: 'buffered' })
    const after = world(w.disk.crash('strict'), w.backend.crash('strict'))
    const again = await after.open()
    expect(await again.paths.list('')).toEqual(['kept'])
    await again.close()
  })

  test('content put again at sync is there, although it had only been buffered before', async () => {
    const w = world()
    const store = await w.open({ bufferedIntervalMs: 1_000_000 })
    const assigned = { process: processA, slot: 0, n: 1 }
    await store.content.put(value, { durability: 'buffered' })
    await store.assignments.write(assigned, { durability: 'buffered' })
    expect(store.durableSequence).toBe(0)
    const id = await store.content.put(value)
    expect((await store.assignments.write(assigned)).created).toBe(false)
    const after = world(w.disk.crash('strict'), w.backend.crash('strict'))
    const again = await after.open()
    expect(await again.content.get(id)).toEqual(value)
    expect(await again.assignments.list(processA)).toEqual([0])
    await again.close()
  })
})

describe('when a group fails', () => {
  test('its writes reject as indeterminate, reads that wait for them too, and others go on', async () => {
    const w = world()
    const store = await w.open()
    await store.paths.write('before', utf8('x'))
    failSyncs(w)
    const held = holdSync(w)
    const written = writeSome(store)
    const rejection = expect(written).rejects.toMatchObject({ code: 'HOLDFAST_IO', detail: { indeterminate: true } })
    await held.reached
    const outcomes = Object.entries(readsOf(store)).map(async ([name, read]) =>
      expect(read(), name).rejects.toMatchObject({ code: 'HOLDFAST_IO' }),
    )
    held.resume()
    await rejection
    await Promise.all(outcomes)
    expect(store.status).toBe('poisoned')
    expect(await store.paths.read('before')).toBeDefined()
    for (const [name, read] of Object.entries(readsOf(store)))
      await expect(read(), name).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    const refused = { code: 'HOLDFAST_POISONED', detail: { location } }
    await expect(store.paths.write('after', utf8('x'))).rejects.toMatchObject(refused)
    await expect(store.sync()).rejects.toMatchObject(refused)
    await expect(store.checkpoint()).rejects.toMatchObject(refused)
    await expect(store.gc()).rejects.toMatchObject(refused)
    await store.close()
    w.faults.clear()
    const again = await w.open()
    expect(await again.paths.read('before')).toBeDefined()
    expect((await again.verify()).problems).toEqual([])
    await again.close()
  })

  test('the writes of a transaction and their promises reject with it', async () => {
    const w = world()
    const store = await w.open()
    failSyncs(w, 'ENOSPC')
    const inside: Promise<unknown>[] = []
    const work = store.transact(() => {
      inside.push(store.content.put(value), store.paths.write('p', utf8('x')))
    })
    await expect(work).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    for (const promise of inside) await expect(promise).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    await store.close()
  })

  test('a lone write, synced on the spot, fails the same way', async () => {
    const w = world()
    const store = await w.open()
    for (let n = 0; n < 5; n++) await store.paths.write(`p${n}`, utf8('x'))
    failSyncs(w)
    await expect(store.paths.write('p', utf8('x'))).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    await expect(store.paths.read('p')).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect(store.status).toBe('poisoned')
    await store.close()
  })

  test('a watcher is told, and never shown what failed', async () => {
    const w = world()
    const store = await w.open()
    const changes = store.watch()[Symbol.asyncIterator]()
    await store.paths.write('p', utf8('x'))
    failSyncs(w)
    await expect(store.paths.write('q', utf8('x'))).rejects.toThrow()
    expect((await changes.next()).value?.sequence).toBe(1)
    await expect(changes.next()).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
    await store.close()
  })
})

test('the lock is lost: the store refuses writes and says why', async () => {
  const w = world()
  const store = await w.open()
  w.disk.loseLock(location, new Error('taken over'))
  await expect(store.paths.write('p', utf8('x'))).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
  expect(store.status).toBe('poisoned')
  await store.close()
})
