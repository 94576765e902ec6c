import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Slot, Store } from '../index.ts'
import {
  assignment,
  collect,
  processA,
  processB,
  rejectsWith,
  reopened,
  slotsOf,
  type StoreCheck,
} from './store-suite-tools.ts'

const slots = [0, 1, 2, 5, 6, 9, 30]

/** Half of them checkpointed, half only in memory and the log. */
async function withGaps(store: Store): Promise<void> {
  await store.assignments.writeMany(slots.filter((slot) => slot % 2 === 0).map((slot) => assignment(slot)))
  await store.checkpoint()
  await store.assignments.writeMany(slots.filter((slot) => slot % 2 === 1).map((slot) => assignment(slot)))
  await store.assignments.write({ process: processB, slot: 4 })
}

const sha256 = (...parts: Uint8Array[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('base64url')

/** Appends slots whose chain follows from what the store says is the head, as a scheduler does. */
async function appendChained(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const latest = await store.assignments.latest(processA)
    const slot = (latest?.slot ?? -1) + 1
    const id = sha256(Buffer.from(`message ${slot}`))
    const chain = sha256(Buffer.from(latest?.hashChain ?? '', 'base64url'), Buffer.from(id))
    await store.assignments.write(assignment(slot, { 'hash-chain': chain, body: { id } }))
  }
}

/** Ranges, pages, lists, tails, chains and pruning. */
export const rangeChecks: Record<string, StoreCheck> = {
  'a range goes over gaps, both ways, with bounds and a limit': async ({ assignments }) => {
    await Promise.all(slots.map((slot) => assignments.write(assignment(slot))))
    const cases = [
      [{}, slots],
      [{ from: 2, to: 6 }, [2, 5, 6]],
      [{ from: 3, to: 8 }, [5, 6]],
      [{ from: 3, to: 4 }, []],
      [{ from: 2, to: 2 }, [2]],
      [{ from: 5, to: 2 }, []],
      [{ from: 31 }, []],
      [{ to: 0 }, [0]],
      [{ from: 1, limit: 3 }, [1, 2, 5]],
      [{ limit: 0 }, []],
      [{ reverse: true }, [...slots].reverse()],
      [{ reverse: true, from: 2, to: 9, limit: 2 }, [9, 6]],
      [{ reverse: true, from: 9, to: 2 }, []],
    ] as const
    for (const [options, expected] of cases) {
      assert.deepEqual(await slotsOf(assignments.range(processA, options)), [...expected], JSON.stringify(options))
    }
  },
  'a range over memory and what was checkpointed is the same, after a restart too': async (store, place) => {
    await withGaps(store)
    const check = async (target: Store) => {
      const found = await collect(target.assignments.range(processA))
      assert.deepEqual(
        found.map(({ slot }) => slot),
        slots,
      )
      for (const { slot, id, assignment: value } of found) {
        assert.deepEqual(value, assignment(slot))
        assert.equal(id, target.content.id(assignment(slot)))
      }
      assert.deepEqual(
        await slotsOf(target.assignments.range(processA, { reverse: true, from: 1 })),
        [...slots].reverse().slice(0, -1),
      )
      assert.deepEqual(await target.assignments.list(processA), slots)
      assert.deepEqual(await target.assignments.list(processB), [4])
      assert.equal((await target.assignments.latest(processA))?.slot, 30)
    }
    await check(store)
    await reopened(store, place, check)
  },
  'a range is a snapshot: what is written while it runs is not in it': async (store) => {
    await store.assignments.writeMany([0, 1, 2].map((slot) => assignment(slot)))
    const range = store.assignments.range(processA)
    await store.assignments.write(assignment(3))
    await store.assignments.prune(processA, { below: 2 })
    assert.deepEqual(await slotsOf(range), [0, 1, 2])
  },
  'a range refuses bounds that are none': async ({ assignments }) => {
    for (const options of [{ from: -1 }, { to: 1.5 }, { from: Number.NaN }]) {
      assert.throws(() => assignments.range(processA, options), { code: 'HOLDFAST_INVALID_SLOT' })
    }
    for (const options of [{ limit: -1 }, { limit: 1.5 }, { from: null }, 7]) {
      assert.throws(() => assignments.range(processA, options as never), TypeError)
    }
  },
  'a range that is left early can be started again': async (store) => {
    await withGaps(store)
    for (let round = 0; round < 3; round++) {
      for await (const { slot } of store.assignments.range(processA)) if (slot === 2) break
    }
    assert.deepEqual(await store.assignments.list(processA), slots)
  },
  'a page names its gaps and goes on only when there is more': async (store) => {
    await withGaps(store)
    const { assignments } = store
    const short = async (options: object) => {
      const page = await assignments.page(processA, options)
      return { ...page, slots: page.slots.map(({ slot }) => slot) }
    }
    assert.deepEqual(await short({ to: 9 }), { slots: [0, 1, 2, 5, 6, 9], gaps: [3, 4, 7, 8], continues: false })
    assert.deepEqual(await short({ limit: 2 }), { slots: [0, 1], gaps: [], continues: true, next: 2 })
    assert.deepEqual(await short({ from: 1, to: 2, limit: 2 }), { slots: [1, 2], gaps: [], continues: false })
    assert.deepEqual(await short({ from: 3, to: 4 }), { slots: [], gaps: [3, 4], continues: false })
    assert.deepEqual(await short({ from: 7, to: 2 }), { slots: [], gaps: [], continues: false })
    assert.deepEqual(await short({ from: 28, to: 5000 }), { slots: [30], gaps: [28, 29], continues: false })
    assert.deepEqual(await short({ from: 31 }), { slots: [], gaps: [], continues: false })
    const last = await short({ from: 6, limit: 2 })
    assert.deepEqual([last.continues, last.next], [true, 30])
  },
  'pages read one after the other name every slot once, and every gap': async (store) => {
    await withGaps(store)
    for (const limit of [1, 2, 3, 7, 8]) {
      const seen: number[] = []
      const gaps: number[] = []
      let from: number | undefined = 0
      while (from !== undefined) {
        const page = await store.assignments.page(processA, { from, limit })
        assert.equal(page.continues, page.next !== undefined)
        seen.push(...page.slots.map(({ slot }) => slot))
        gaps.push(...page.gaps)
        from = page.next
      }
      assert.deepEqual(seen, slots)
      assert.deepEqual(
        gaps,
        Array.from({ length: 31 }, (_unused, n) => n).filter((n) => !slots.includes(n)),
        `limit ${limit}`,
      )
    }
  },
  'a tail has every slot there is, then each new one, until it is aborted': async ({ assignments }) => {
    await assignments.writeMany([0, 1, 2].map((slot) => assignment(slot)))
    const stop = new AbortController()
    const seen: number[] = []
    const tail = (async () => {
      for await (const { slot, assignment: value } of assignments.tail(processA, { from: 1, signal: stop.signal })) {
        assert.deepEqual(value, assignment(slot))
        seen.push(slot)
        if (slot === 2) void assignments.writeMany([assignment(3), { process: processB, slot: 9 }, assignment(0)])
        if (slot === 3) void assignments.write(assignment(7))
        if (slot === 7) stop.abort()
      }
    })()
    await tail
    assert.deepEqual(seen, [1, 2, 3, 7])
  },
  'a tail that is aborted while it waits ends, and one aborted before gives nothing': async ({ assignments }) => {
    await assignments.write(assignment(0))
    const stop = new AbortController()
    const tail = assignments.tail(processA, { signal: stop.signal })[Symbol.asyncIterator]()
    assert.equal((await tail.next()).value.slot, 0)
    const waiting = tail.next()
    stop.abort()
    assert.equal((await waiting).done, true)
    assert.deepEqual(await slotsOf(assignments.tail(processA, { signal: AbortSignal.abort() })), [])
  },
  'the chain goes on the same after a restart, and verify proves it': async (store, place) => {
    await appendChained(store, 5)
    await reopened(store, place, async (again) => {
      await appendChained(again, 5)
      const report = await again.assignments.verify(processA, { chain: 'hyperbeam' })
      const { ok, slots: count, linksChecked, linksGood, gaps } = report
      assert.deepEqual(
        { ok, count, linksChecked, linksGood, gaps },
        { ok: true, count: 10, linksChecked: 10, linksGood: 10, gaps: 0 },
      )
    })
  },
  'a broken chain is reported where it breaks, and a gap is not a break': async (store) => {
    await appendChained(store, 4)
    const bad = assignment(2, { 'hash-chain': 'wrong', body: { id: sha256(Buffer.from('message 2')) } })
    await store.assignments.write(bad, { overwrite: true })
    const broken = await store.assignments.verify(processA, { chain: 'hyperbeam' })
    assert.deepEqual([broken.ok, broken.linksChecked, broken.linksGood], [false, 4, 2])
    assert.deepEqual(
      broken.problems.map(({ code, where }) => [code, where]),
      [
        ['chain-broken', `${processA}/2`],
        ['chain-broken', `${processA}/3`],
      ],
    )
    assert.equal((await store.assignments.verify(processA)).ok, true)
    await store.assignments.write({
      process: processB,
      slot: 0,
      'hash-chain': sha256(Buffer.from('m')),
      body: { id: 'm' },
    })
    await store.assignments.write({ process: processB, slot: 3, 'hash-chain': 'anything', body: { id: 'n' } })
    const gapped = await store.assignments.verify(processB, { chain: 'hyperbeam' })
    assert.deepEqual([gapped.ok, gapped.linksChecked, gapped.gaps], [true, 1, 2])
  },
  'a chain rule of the caller is asked for every slot, with its neighbour': async (store) => {
    await store.assignments.writeMany([0, 1, 3].map((slot) => assignment(slot, { 'hash-chain': `after ${slot - 1}` })))
    const asked: [number, number | undefined][] = []
    const rule = (current: Slot, previous: Slot | undefined) => {
      asked.push([current.slot, previous?.slot])
      return previous === undefined ? undefined : `after ${previous.slot}`
    }
    const report = await store.assignments.verify(processA, { chain: rule })
    assert.deepEqual(asked, [
      [0, undefined],
      [1, 0],
      [3, undefined],
    ])
    assert.deepEqual([report.ok, report.linksChecked, report.gaps], [true, 1, 1])
    await assert.rejects(store.assignments.verify(processA, { chain: 'md5' as never }), TypeError)
  },
  'pruning removes what is below and never the head': async (store, place) => {
    await withGaps(store)
    const first = await store.assignments.prune(processA, { below: 6 })
    assert.deepEqual([first.ok, first.removed, first.first], [true, 4, 6])
    assert.deepEqual(await store.assignments.list(processA), [6, 9, 30])
    assert.equal(await store.assignments.read(processA, 2), undefined)
    const all = await store.assignments.prune(processA, { below: 1000 })
    assert.deepEqual([all.removed, all.first], [2, 30])
    assert.equal((await store.assignments.prune(processA, { below: 1000 })).removed, 0)
    assert.deepEqual((await store.assignments.prune('N'.repeat(43), { below: 9 })).first, undefined)
    await rejectsWith(store.assignments.prune(processA, { below: -1 }), 'HOLDFAST_INVALID_SLOT')
    await assert.rejects(store.assignments.prune(processA, undefined as never), TypeError)
    assert.equal((await store.assignments.latest(processA))?.slot, 30)
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.assignments.list(processA), [30])
      assert.equal((await again.assignments.verify(processA)).ok, true)
      assert.equal((await again.assignments.write(assignment(2))).created, true)
      assert.deepEqual(await again.assignments.list(processA), [2, 30])
    })
  },
}
