import assert from 'node:assert/strict'
import type { Store } from '../index.ts'
import {
  assignment,
  collect,
  processA,
  rejectsWith,
  roomy,
  type StoreCheck,
  textOf,
  utf8,
} from './store-suite-tools.ts'

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let slot = from; slot < to; slot++) {
    await store.assignments.write(assignment(slot, { body: { data: 'x'.repeat(slot % 7 === 0 ? 5000 : 100) } }))
    if (slot % 5 === 0) await store.paths.write(`p/${slot}`, utf8(String(slot)))
  }
}

/** Opening and closing, checkpoints, durability, and what a closed store answers. */
export const lifecycleChecks: Record<string, StoreCheck> = {
  'a new store says so, and one opened again does not': async (store, place) => {
    const { created, clean, epoch, lastSequence, recordsReplayed } = store.recovery
    assert.deepEqual(
      { created, clean, epoch, lastSequence, recordsReplayed },
      {
        ...{ created: true, clean: true, epoch: 1, lastSequence: 0, recordsReplayed: 0 },
      },
    )
    await store.paths.write('a', utf8('x'))
    await store.close()
    const again = await place.open()
    assert.deepEqual([again.recovery.created, again.recovery.epoch, again.lastSequence], [false, 2, 1])
    await again.close()
  },
  'nothing is replayed after a clean close, and nothing is missing': async (store, place) => {
    await fill(store, 0, 30)
    const last = store.lastSequence
    await store.close()
    const again = await place.open()
    assert.deepEqual([again.recovery.clean, again.recovery.recordsReplayed, again.lastSequence], [true, 0, last])
    assert.equal((await again.assignments.list(processA)).length, 30)
    assert.equal((await again.verify()).ok, true)
    await again.close()
  },
  'sequences go on where they stopped, over restarts': async (store, place) => {
    await store.paths.write('a', utf8('1'))
    await store.close()
    const again = await place.open()
    await again.paths.write('a', utf8('2'))
    assert.equal(again.lastSequence, 2)
    await again.close()
  },
  'a checkpoint leaves nothing dirty, and reports what it moved': async (first, place) => {
    await first.close()
    await using store = await place.open(roomy)
    await fill(store, 0, 10)
    const report = await store.checkpoint()
    assert.deepEqual([report.number, report.sequence], [1, store.lastSequence])
    assert.ok(report.entries >= 20 && report.bytes > 0)
    const stats = store.stats()
    assert.deepEqual([stats.dirtyEntries, stats.dirtyBytes, stats.storedEntries], [0, 0, report.entries])
    const nothing = await store.checkpoint()
    assert.deepEqual([nothing.number, nothing.entries], [1, 0])
    await store.paths.write('more', utf8('x'))
    assert.deepEqual([(await store.checkpoint()).entries, store.stats().storedEntries], [1, report.entries + 1])
  },
  'checkpoints asked for at once take turns while writes go on': async (store) => {
    const writing = fill(store, 0, 40)
    const reports = await Promise.all([store.checkpoint(), store.checkpoint(), store.checkpoint()])
    await writing
    await store.checkpoint()
    assert.deepEqual(
      [...reports].sort((a, b) => a.number - b.number),
      reports,
    )
    assert.equal((await store.verify()).ok, true)
    assert.equal((await store.assignments.list(processA)).length, 40)
  },
  'old segments go once two checkpoints are past them': async (store, place) => {
    await store.close()
    const small = await place.open({ ...roomy, segmentBytes: 8192 })
    await fill(small, 0, 40)
    const before = small.stats().segments
    await small.checkpoint()
    await small.paths.write('x', utf8('x'))
    const { segmentsRemoved } = await small.checkpoint()
    assert.ok(before > 3 && segmentsRemoved > 0 && small.stats().segments < before)
    const report = await small.verify()
    assert.deepEqual(report.problems, [])
    await small.close()
  },
  'the number of partitions may change at every opening': async (store, place) => {
    await fill(store, 0, 10)
    await store.close()
    for (const partitions of [1, 3, 64]) {
      const again = await place.open({ partitions })
      assert.equal((await collect(again.assignments.range(processA))).length, 10)
      await again.paths.write('p/5', utf8(`with ${partitions}`))
      assert.equal(textOf(await again.paths.read('p/5')), `with ${partitions}`)
      await again.close()
    }
  },
  'every level of durability is there after a close': async (store, place) => {
    for (const durability of ['sync', 'os', 'buffered'] as const) {
      await store.paths.write(durability, utf8(durability), { durability })
      await store.content.put({ durability }, { durability })
      await store.assignments.write({ ...assignment(0), process: durability[0]?.repeat(43) as string }, { durability })
    }
    await store.close()
    const again = await place.open()
    for (const durability of ['sync', 'os', 'buffered']) {
      assert.equal(textOf(await again.paths.read(durability)), durability)
      assert.ok(await again.content.has(again.content.id({ durability })))
      assert.deepEqual(await again.assignments.list(durability[0]?.repeat(43) as string), [0])
    }
    await again.close()
  },
  'a level of durability that is none is a TypeError and writes nothing': async (store) => {
    for (const durability of ['volatile', 'fsync', 7, null]) {
      await assert.rejects(store.paths.write('a', utf8('x'), { durability } as never), TypeError)
      await assert.rejects(store.content.put({ a: 1 }, { durability } as never), TypeError)
      await assert.rejects(
        store.transact(() => 1, { durability } as never),
        TypeError,
      )
    }
    await assert.rejects(store.content.put({ a: 1 }, 'sync' as never), TypeError)
    assert.equal(store.lastSequence, 0)
  },
  'sync makes everything before it durable': async (store) => {
    for (let n = 0; n < 20; n++) await store.paths.write(`p${n}`, utf8('x'), { durability: 'buffered' })
    assert.equal(store.lastSequence, 20)
    await store.sync()
    assert.equal(store.durableSequence, 20)
  },
  'a sync write makes everything before it durable': async (store) => {
    await store.paths.write('a', utf8('x'), { durability: 'buffered' })
    await store.paths.write('b', utf8('x'), { durability: 'os' })
    await store.paths.write('c', utf8('x'))
    assert.equal(store.durableSequence, 3)
  },
  'closing twice is closing once': async (store) => {
    await store.paths.write('a', utf8('x'))
    await Promise.all([store.close(), store.close()])
    await store.close()
    assert.equal(store.status, 'closed')
  },
  'await using closes': async (store, place) => {
    await store.close()
    let seen: Store
    {
      await using again = await place.open()
      seen = again
      await again.paths.write('a', utf8('x'))
    }
    assert.equal(seen.status, 'closed')
    const third = await place.open()
    assert.equal(textOf(await third.paths.read('a')), 'x')
    await third.close()
  },
  'a closed store refuses everything and says so': async (store) => {
    const id = await store.content.put({ a: 1 })
    await store.assignments.write(assignment(0))
    await store.close()
    const calls: Record<string, () => Promise<unknown>> = {
      'content.put': () => store.content.put({ b: 1 }),
      'content.get': () => store.content.get(id),
      'content.bytes': () => store.content.bytes(id),
      'content.has': () => store.content.has(id),
      'content.pin': () => store.content.pin(id),
      'paths.write': () => store.paths.write('a', utf8('x')),
      'paths.read': () => store.paths.read('a'),
      'paths.link': () => store.paths.link('a', 'b'),
      'paths.list': () => store.paths.list(''),
      'paths.remove': () => store.paths.remove('a'),
      'paths.reset': () => store.paths.reset(),
      'assignments.write': () => store.assignments.write(assignment(1)),
      'assignments.read': () => store.assignments.read(processA, 0),
      'assignments.latest': () => store.assignments.latest(processA),
      'assignments.list': () => store.assignments.list(processA),
      'assignments.page': () => store.assignments.page(processA),
      'assignments.range': async () => collect(store.assignments.range(processA)),
      'assignments.tail': async () => collect(store.assignments.tail(processA)),
      'assignments.processes': async () => collect(store.assignments.processes()),
      'assignments.prune': () => store.assignments.prune(processA, { below: 1 }),
      'assignments.verify': () => store.assignments.verify(processA),
      transact: () => store.transact(() => 1),
      watch: async () => collect(store.watch()),
      sync: () => store.sync(),
      checkpoint: () => store.checkpoint(),
      verify: () => store.verify(),
      gc: () => store.gc(),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), { code: 'HOLDFAST_CLOSED' }, name)
    }
    assert.throws(() => store.content.getSync(id), { code: 'HOLDFAST_CLOSED' })
    assert.throws(() => store.assignments.readSync(processA, 0), { code: 'HOLDFAST_CLOSED' })
  },
  'writes in flight when close is called are kept': async (store, place) => {
    const landing = [0, 1, 2].map((n) => store.paths.write(`p${n}`, utf8('x')))
    const closing = store.close()
    await Promise.all([...landing, closing])
    const again = await place.open()
    assert.deepEqual(await again.paths.list(''), ['p0', 'p1', 'p2'])
    await again.close()
  },
  'a watcher ends with an error when the store closes': async (store) => {
    const waiting = rejectsWith(store.watch()[Symbol.asyncIterator]().next(), 'HOLDFAST_CLOSED')
    await store.close()
    await waiting
  },
  'verify counts what is there': async (first, place) => {
    await first.close()
    await using store = await place.open(roomy)
    await fill(store, 0, 8)
    const report = await store.verify()
    assert.deepEqual([report.ok, report.problemCount, report.slots, report.processes], [true, 0, 8, 1])
    assert.ok(report.entries > 16 && report.records > 8 && report.contents >= 8)
  },
}
