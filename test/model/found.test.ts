/** What random runs found, each in the few calls that it shrank to, and the same on every machine. */
import { expect, test } from 'vitest'
import { holdSync, tick, utf8, world } from '../unit/engine/worlds.ts'

test('a transaction inside another answers a promise of that one, which may be returned and needs no handler', async () => {
  const store = await world().open()
  await store.transact(() => store.transact(() => store.paths.write('a', utf8('1'))))
  expect(await store.paths.read('a')).toEqual(new Uint8Array(utf8('1')))
  const outer = store.transact(() => {
    // Dropped: a rejection that nobody hears of would end the process, and here the run.
    void store.transact(() => store.paths.write('b', utf8('2')))
    throw new Error('changed its mind')
  })
  await expect(outer).rejects.toThrow('changed its mind')
  await tick()
  expect(await store.paths.type('b')).toBeUndefined()
})

test('a checkpoint that cannot read the epoch back says so as HOLDFAST_IO', async () => {
  const w = world()
  const store = await w.open()
  await store.content.put({ n: 1 })
  w.backend.failBatch(1, { applied: false })
  w.faults.inject({ operation: 'readSync', path: 'epoch' })
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'HOLDFAST_IO', detail: { action: 'read' } })
})

test('a log segment that can neither be read nor closed is HOLDFAST_IO to a watcher', async () => {
  const w = world()
  const store = await w.open()
  await store.content.put({ n: 1 })
  w.faults.inject({ operation: 'size', path: '.seg', repeat: true })
  w.faults.inject({ operation: 'close', path: '.seg', repeat: true })
  await expect(store.watch({ from: 1 })[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'HOLDFAST_IO',
    detail: { action: 'open' },
  })
})

test('what was removed while only the backend had it, and then put again, is counted once', async () => {
  const store = await world().open()
  // Too large for an unread value to stay in memory.
  const bytes = new Uint8Array(700)
  await store.content.put(bytes)
  await store.checkpoint()
  expect(await store.gc()).toMatchObject({ removed: 1 })
  await store.content.put(bytes)
  await store.checkpoint()
  expect(await store.verify()).toMatchObject({ ok: true, problems: [], entries: 1 })
})

test('bytes of an empty array buffer are read back after a restart', async () => {
  const w = world()
  const store = await w.open()
  await store.paths.write('empty', new Uint8Array(new ArrayBuffer(0)))
  await store.close()
  const again = await w.open()
  expect(await again.verify()).toMatchObject({ ok: true })
  expect(await again.paths.read('empty')).toEqual(new Uint8Array(0))
})

test('a removal that finds nothing because of a write under way is not acknowledged before that write', async () => {
  const w = world()
  const store = await w.open()
  await store.paths.write('group/leaf', utf8('x'))
  await store.paths.link('group', 'way')
  const held = holdSync(w)
  const replaced = Promise.all([store.paths.write('way', utf8('no way')), store.content.put({ n: 1 })])
  await held.reached
  let removed = false
  const removal = store.paths.remove('way/leaf').then(() => {
    removed = true
  })
  for (let i = 0; i < 20; i++) await tick()
  expect(removed).toBe(false)
  held.resume()
  await Promise.all([replaced, removal])
  expect(await store.paths.read('group/leaf')).toBeDefined()
})
