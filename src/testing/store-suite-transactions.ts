import assert from 'node:assert/strict'
import type { Change, Store } from '../index.ts'
import { assignment, processA, rejectsWith, reopened, type StoreCheck, textOf, utf8 } from './store-suite-tools.ts'

async function assertUntouched(store: Store): Promise<void> {
  assert.equal(store.lastSequence, 0)
  assert.equal(store.stats().dirtyEntries, 0)
  assert.equal(await store.assignments.latest(processA), undefined)
  assert.deepEqual(await store.paths.list(''), [])
}

const boom = new Error('boom')

/** Several writes as one record, and the changes that watchers see. */
export const transactionChecks: Record<string, StoreCheck> = {
  'a transaction is one record of everything in it': async (store, place) => {
    const result = await store.transact(() => {
      void store.content.put({ a: 1 })
      void store.assignments.write(assignment(0))
      void store.assignments.writeLocation(processA, { url: 'here' })
      void store.paths.write('a/b', utf8('x'))
      void store.paths.link('a/b', 'c')
      void store.paths.group('d')
      void store.content.pin(store.content.id({ a: 1 }))
      return 'result'
    })
    assert.equal(result, 'result')
    assert.equal(store.lastSequence, 1)
    await reopened(store, place, async (again) => {
      assert.equal(textOf(await again.paths.read('c')), 'x')
      assert.equal(await again.paths.type('d'), 'composite')
      assert.deepEqual(await again.assignments.list(processA), [0])
      assert.deepEqual(await again.assignments.readLocation(processA), { url: 'here' })
      assert.equal((await again.gc({ dryRun: true })).removed, 0)
    })
  },
  'inside a transaction reads see what was just written': async (store) => {
    await store.transact(() => {
      void store.assignments.write(assignment(0))
      assert.equal(store.assignments.latestSync(processA)?.slot, 0)
      assert.deepEqual(store.assignments.readSync(processA, 0), assignment(0))
      const id = store.content.id({ x: 1 })
      assert.equal(store.content.getSync(id), undefined)
      void store.content.put({ x: 1 })
      assert.deepEqual(store.content.getSync(id), { x: 1 })
    })
  },
  'a throw undoes everything, in memory and in the log': async (store, place) => {
    const work = store.transact(() => {
      void store.content.put({ a: 1, big: 'x'.repeat(9000) })
      void store.assignments.write(assignment(0))
      void store.paths.write('a/b', utf8('x'))
      throw boom
    })
    await assert.rejects(work, (error) => error === boom)
    await assertUntouched(store)
    await reopened(store, place, assertUntouched)
  },
  'a throw brings back what the transaction had replaced and removed': async (store) => {
    await store.assignments.write(assignment(0, { version: 1 }))
    await store.paths.write('a', utf8('old'))
    await store.paths.write('gone', utf8('back'))
    await store.checkpoint()
    await store.paths.write('b', utf8('old'))
    const work = store.transact(() => {
      void store.assignments.write(assignment(0, { version: 2 }), { overwrite: true })
      void store.assignments.write(assignment(1))
      void store.paths.write('a', utf8('new'))
      void store.paths.write('b', utf8('new'))
      void store.paths.remove('gone')
      throw boom
    })
    await assert.rejects(work, (error) => error === boom)
    assert.equal((await store.assignments.read(processA, 0))?.['version'], 1)
    assert.equal((await store.assignments.latest(processA))?.slot, 0)
    assert.equal(textOf(await store.paths.read('a')), 'old')
    assert.equal(textOf(await store.paths.read('b')), 'old')
    assert.equal(textOf(await store.paths.read('gone')), 'back')
    assert.equal((await store.verify()).ok, true)
  },
  'a write that is refused throws at once, and when caught only it is undone': async (store) => {
    await store.assignments.write(assignment(0))
    const caught: unknown[] = []
    await store.transact(() => {
      void store.paths.write('before', utf8('1'))
      try {
        void store.assignments.writeMany([assignment(1), assignment(0, { other: true })])
      } catch (error) {
        caught.push(error)
      }
      assert.equal(store.assignments.readSync(processA, 1), undefined)
      void store.paths.write('after', utf8('2'))
    })
    assert.equal((caught[0] as { code: string }).code, 'HOLDFAST_SLOT_CONFLICT')
    assert.deepEqual(await store.assignments.list(processA), [0])
    assert.deepEqual(await store.paths.list(''), ['after', 'assignments', 'before', 'data'])
    const uncaught = store.transact(() => {
      void store.paths.write('third', utf8('3'))
      void store.content.pin('x')
    })
    await rejectsWith(uncaught, 'HOLDFAST_INVALID_ID')
    assert.equal(await store.paths.type('third'), undefined)
  },
  'a transaction inside another is part of it': async (store) => {
    await store.transact(() => {
      void store.paths.write('outer', utf8('1'))
      void store.transact(() => {
        void store.paths.write('inner', utf8('2'))
      })
      assert.throws(
        () =>
          store.transact(() => {
            void store.paths.write('failed', utf8('3'))
            throw boom
          }),
        (error) => error === boom,
      )
      void store.paths.write('last', utf8('4'))
    })
    assert.equal(store.lastSequence, 1)
    assert.deepEqual(await store.paths.list(''), ['inner', 'last', 'outer'])
  },
  'promises from inside settle with the transaction and need no handler': async (store) => {
    const inside: Promise<unknown>[] = []
    await store.transact(() => {
      inside.push(
        store.content.put({ a: 1 }),
        store.assignments.write(assignment(0)),
        store.paths.write('p', utf8('x')),
      )
      inside.push(store.content.pin(store.content.id({ a: 1 })), store.content.unpin(store.content.id({ a: 1 })))
      inside.push(
        store.paths.remove('p'),
        store.transact(() => 'nested'),
      )
    })
    const values = await Promise.all(inside)
    assert.deepEqual([values[0], values.at(-1)], [store.content.id({ a: 1 }), 'nested'])
    const doomed: Promise<unknown>[] = []
    const work = store.transact(() => {
      doomed.push(store.content.put({ b: 1 }), store.paths.write('q', utf8('x')))
      doomed.push(store.content.pin(store.content.id({ b: 1 })), store.content.unpin(store.content.id({ b: 1 })))
      doomed.push(store.paths.remove('q'))
      throw boom
    })
    await assert.rejects(work, (error) => error === boom)
    for (const each of await Promise.allSettled(doomed)) {
      assert.ok(each.status === 'rejected' && each.reason === boom)
    }
  },
  'a function that returns a promise is refused, and nothing of it stays': async (store) => {
    const asynchronous = store.transact(async () => {
      void store.content.put({ a: 1 })
    })
    await assert.rejects(asynchronous, TypeError)
    await assert.rejects(store.transact('work' as never), TypeError)
    await assertUntouched(store)
  },
  'a transaction that writes nothing makes no record': async (store) => {
    assert.equal(await store.transact(() => 7), 7)
    assert.equal(store.lastSequence, 0)
  },
  'what cannot be done in one step is refused inside a transaction': async (store) => {
    await store.paths.write('group/child', utf8('x'))
    await store.assignments.writeMany([assignment(0), assignment(1)])
    const before = store.lastSequence
    for (const work of [
      () => store.paths.remove('group'),
      () => store.paths.reset(),
      () => store.assignments.prune(processA, { below: 1 }),
    ]) {
      await assert.rejects(
        store.transact(() => {
          void store.paths.write('other', utf8('y'))
          void work()
        }),
        TypeError,
      )
    }
    assert.equal(store.lastSequence, before)
    assert.deepEqual(await store.assignments.list(processA), [0, 1])
    assert.equal(textOf(await store.paths.read('group/child')), 'x')
  },
  'watchers see every record once, in order, in terms of the structures': async (store) => {
    const stop = new AbortController()
    const changes = store.watch({ signal: stop.signal })
    const { id } = await store.assignments.write(assignment(0))
    await store.paths.write('a/b', utf8('x'))
    const content = await store.content.put({ c: 1 })
    await store.content.pin(content)
    await store.content.unpin(content)
    await store.paths.remove('a/b')
    await store.assignments.writeLocation(processA, { url: 'u' })
    const seen: Change[] = []
    for await (const change of changes) {
      seen.push(change)
      if (change.sequence === 7) stop.abort()
    }
    assert.deepEqual(
      seen.map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7],
    )
    const has = (sequence: number, item: unknown) =>
      assert.ok(
        seen[sequence - 1]?.writes.some((each) => JSON.stringify(each) === JSON.stringify(item)),
        `${sequence}`,
      )
    has(1, { type: 'content', id, removed: false })
    has(1, { type: 'assignment', process: processA, slot: 0, id })
    has(2, { type: 'path', path: 'a/b', removed: false })
    has(3, { type: 'content', id: content, removed: false })
    has(4, { type: 'pin', id: content, removed: false })
    has(5, { type: 'pin', id: content, removed: true })
    has(6, { type: 'path', path: 'a/b', removed: true })
    has(7, { type: 'location', address: processA, id: store.content.id({ url: 'u' }) })
  },
  'a watcher may start in the past, and goes on live without a seam': async (store, place) => {
    for (let n = 0; n < 5; n++) await store.paths.write(`p${n}`, utf8('x'))
    const other = new AbortController()
    const beside = store.watch({ signal: other.signal })[Symbol.asyncIterator]()
    const first = beside.next()
    // One that is not durable yet when the watcher asks for the past.
    const landing = store.paths.write('p5', utf8('x'))
    const seen: number[] = []
    for await (const { sequence } of store.watch({ from: 3 })) {
      seen.push(sequence)
      if (sequence === 6) void store.paths.write('p6', utf8('x'))
      if (sequence === 7) break
    }
    assert.deepEqual(seen, [3, 4, 5, 6, 7])
    assert.equal((await first).value.sequence, 6)
    other.abort()
    await landing
    await reopened(store, place, async (again) => {
      const past: number[] = []
      const stop = new AbortController()
      for await (const { sequence } of again.watch({ from: 1, signal: stop.signal })) {
        past.push(sequence)
        if (sequence === 2) stop.abort()
      }
      assert.deepEqual(past, [1, 2])
    })
  },
  'an undone transaction is no change': async (store) => {
    const stop = new AbortController()
    const changes = store.watch({ signal: stop.signal })
    await assert.rejects(
      store.transact(() => {
        void store.paths.write('never', utf8('x'))
        throw boom
      }),
    )
    await store.paths.write('once', utf8('x'))
    for await (const { sequence, writes } of changes) {
      assert.deepEqual([sequence, writes.length], [1, 1])
      stop.abort()
    }
  },
}
