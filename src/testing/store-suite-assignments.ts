import assert from 'node:assert/strict'
import type { Assignment } from '../index.ts'
import {
  assertFrozen,
  assignment,
  collect,
  processA,
  processB,
  rejectsWith,
  reopened,
  slotsOf,
  type StoreCheck,
} from './store-suite-tools.ts'

const chain = 'C'.repeat(43)
const idPattern = /^[\w-]{43}$/

function isConflict(error: unknown, stored: string, refused: string): boolean {
  const { code, message } = error as { code?: string; message: string }
  return code === 'HOLDFAST_SLOT_CONFLICT' && message.includes(stored) && message.includes(refused)
}

/** Writing and reading single assignments, and locations. */
export const assignmentChecks: Record<string, StoreCheck> = {
  'an empty process has nothing': async ({ assignments }) => {
    assert.equal(await assignments.latest(processA), undefined)
    assert.deepEqual(await assignments.list(processA), [])
    assert.equal(await assignments.read(processA, 0), undefined)
    assert.equal(assignments.readSync(processA, 0), undefined)
    assert.deepEqual(await collect(assignments.range(processA)), [])
    assert.deepEqual(await assignments.page(processA), { slots: [], gaps: [], continues: false })
    assert.deepEqual(await collect(assignments.processes()), [])
  },
  'a written assignment is read back whole, frozen, after a restart too': async (store, place) => {
    const value = assignment(0, { 'hash-chain': chain, body: { data: 'x'.repeat(9000), raw: Uint8Array.of(1) } })
    const written = await store.assignments.write(value)
    assert.equal(written.id, store.content.id(value))
    assert.deepEqual(written, { id: written.id, process: processA, slot: 0, created: true })
    const check = async (target: typeof store) => {
      const found = (await target.assignments.read(processA, 0)) as Assignment
      assertFrozen(found)
      assert.deepEqual(withPlainBytes(found), withPlainBytes(value))
      assert.deepEqual(withPlainBytes(target.assignments.readSync(processA, '0') as Assignment), withPlainBytes(value))
      assert.deepEqual(await target.assignments.latest(processA), { slot: 0, id: written.id, hashChain: chain })
    }
    await check(store)
    await reopened(store, place, check)
  },
  'latest is the highest slot, whatever order the slots came in': async ({ assignments }) => {
    for (const slot of [0, 10, 2]) await assignments.write(assignment(slot, { 'hash-chain': `chain ${slot}` }))
    assert.deepEqual(await assignments.list(processA), [0, 2, 10])
    const latest = await assignments.latest(processA)
    assert.deepEqual([latest?.slot, latest?.hashChain], [10, 'chain 10'])
    assert.equal(await assignments.read(processA, 1), undefined)
    assert.equal(await assignments.latest(processB), undefined)
  },
  'an assignment without a hash chain has none in latest': async ({ assignments }) => {
    await assignments.write(assignment(0, { 'hash-chain': chain }))
    await assignments.write(assignment(1))
    assert.equal((await assignments.latest(processA))?.hashChain, undefined)
  },
  'a slot is a number or its decimal text, and nothing else': async ({ assignments }) => {
    await assignments.write(assignment(3))
    const again = await assignments.write({ ...assignment(3), slot: '3' })
    assert.deepEqual([again.slot, again.created], [3, false])
    assert.equal((await assignments.read(processA, '3'))?.slot, 3)
    const bad = [
      '03',
      '',
      ' 3',
      '3 ',
      '+3',
      '-1',
      '1e3',
      '0x3',
      '3.0',
      '9007199254740992',
      -1,
      1.5,
      2 ** 53,
      Number.NaN,
      Infinity,
    ]
    for (const slot of bad) {
      await rejectsWith(assignments.read(processA, slot), 'HOLDFAST_INVALID_SLOT')
      await rejectsWith(assignments.write({ ...assignment(3), slot }), 'HOLDFAST_INVALID_SLOT')
      assert.throws(() => assignments.readSync(processA, slot), { code: 'HOLDFAST_INVALID_SLOT' })
    }
    for (const slot of [undefined, null, 3n, {}]) {
      await assert.rejects(assignments.write({ ...assignment(3), slot } as never), TypeError)
    }
    assert.deepEqual(await assignments.list(processA), [3])
  },
  'the highest slot there can be works like any other': async (store, place) => {
    const top = Number.MAX_SAFE_INTEGER
    await store.assignments.write(assignment(0))
    await store.assignments.write(assignment(top, { 'hash-chain': chain }))
    assert.deepEqual(await store.assignments.list(processA), [0, top])
    assert.deepEqual(await slotsOf(store.assignments.range(processA, { from: 1 })), [top])
    assert.equal((await store.assignments.read(processA, String(top)))?.slot, top)
    await reopened(store, place, async (again) => {
      assert.equal((await again.assignments.latest(processA))?.slot, top)
      assert.deepEqual(await slotsOf(again.assignments.range(processA, { reverse: true, limit: 1 })), [top])
    })
  },
  'a process is 32 bytes or 43 characters, and 42 are kept as they are': async ({ assignments }) => {
    const raw = Uint8Array.from({ length: 32 }, (_unused, i) => 255 - i)
    const text = Buffer.from(raw).toString('base64url')
    const { id, process } = await assignments.write({ process: raw, slot: 0, a: 1 })
    assert.equal(process, text)
    assert.deepEqual(await assignments.write({ process: text, slot: 0, a: 1 }), {
      id,
      process,
      slot: 0,
      created: false,
    })
    assert.equal((await assignments.read(raw, 0))?.process, text)
    assert.deepEqual(await assignments.list(raw), [0])
    const short = 'd'.repeat(42)
    await assignments.write({ process: short, slot: 0 })
    assert.equal((await assignments.latest(short))?.slot, 0)
    const bad = [
      '',
      'x',
      'a'.repeat(41),
      'a'.repeat(44),
      `${'a'.repeat(42)}/`,
      `${'a'.repeat(42)}=`,
      `${'a'.repeat(42)}\n`,
    ]
    for (const name of [...bad, new Uint8Array(31), new Uint8Array(33)]) {
      await rejectsWith(assignments.write({ process: name, slot: 0 }), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.read(name, 0), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.latest(name), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.list(name), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.page(name), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.prune(name, { below: 0 }), 'HOLDFAST_INVALID_PROCESS')
      await rejectsWith(assignments.writeLocation(name, {}), 'HOLDFAST_INVALID_PROCESS')
      assert.throws(() => assignments.range(name), { code: 'HOLDFAST_INVALID_PROCESS' })
    }
    await assert.rejects(assignments.write({ slot: 0 } as never), TypeError)
    await assert.rejects(assignments.write(undefined as never), TypeError)
    assert.deepEqual(await collect(assignments.processes()), [text, short].sort())
  },
  'processes are listed in order, each once': async ({ assignments }) => {
    const names = ['_', 'a', 'Z', '0', '-'].map((each) => each.repeat(43))
    for (const process of names) {
      await assignments.write({ process, slot: 0 })
      await assignments.write({ process, slot: 1 })
    }
    assert.deepEqual(await collect(assignments.processes()), [...names].sort())
  },
  'the same content again is no second write': async (store) => {
    const { id } = await store.assignments.write(assignment(0))
    const before = store.lastSequence
    assert.deepEqual(await store.assignments.write(assignment(0)), { id, process: processA, slot: 0, created: false })
    assert.equal(store.lastSequence, before)
  },
  'different content for a taken slot is refused, naming both, and changes nothing': async (store, place) => {
    const { id } = await store.assignments.write(assignment(0))
    const other = assignment(0, { other: 'x'.repeat(6000) })
    const before = store.lastSequence
    await assert.rejects(store.assignments.write(other), (error) => isConflict(error, id, store.content.id(other)))
    assert.equal(store.lastSequence, before)
    assert.equal(await store.content.has(store.content.id(other)), false)
    assert.deepEqual(await store.assignments.read(processA, 0), assignment(0))
    await reopened(store, place, async (again) => {
      await assert.rejects(again.assignments.write(other), (error) => isConflict(error, id, again.content.id(other)))
    })
  },
  'of many writers of one slot one wins, and the same one after a restart': async (store, place) => {
    const contenders = Array.from({ length: 20 }, (_unused, n) => assignment(7, { contender: n }))
    const results = await Promise.allSettled(contenders.map((each) => store.assignments.write(each)))
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    assert.deepEqual([won.length, won[0]?.created], [1, true])
    results.forEach((result, n) => {
      if (result.status === 'fulfilled') return
      const refused = store.content.id(contenders[n] as Assignment)
      assert.ok(isConflict(result.reason, won[0]?.id as string, refused))
    })
    assert.equal((await store.assignments.latest(processA))?.id, won[0]?.id)
    await reopened(store, place, async (again) => {
      assert.equal((await again.assignments.latest(processA))?.id, won[0]?.id)
    })
  },
  'writers of different slots all succeed': async ({ assignments }) => {
    const results = await Promise.all(Array.from({ length: 50 }, (_unused, n) => assignments.write(assignment(49 - n))))
    assert.ok(results.every(({ created, id }) => created && idPattern.test(id)))
    assert.deepEqual(
      await assignments.list(processA),
      Array.from({ length: 50 }, (_unused, n) => n),
    )
  },
  'overwrite replaces, in the middle and at the head': async (store, place) => {
    for (const slot of [0, 1, 2]) await store.assignments.write(assignment(slot, { 'hash-chain': `old ${slot}` }))
    const middle = await store.assignments.write(assignment(1, { 'hash-chain': 'new 1' }), { overwrite: true })
    assert.equal(middle.created, true)
    assert.equal((await store.assignments.latest(processA))?.hashChain, 'old 2')
    await store.assignments.write(assignment(2, { 'hash-chain': 'new 2' }), { overwrite: true })
    assert.equal((await store.assignments.latest(processA))?.hashChain, 'new 2')
    await reopened(store, place, async (again) => {
      assert.equal((await again.assignments.read(processA, 1))?.['hash-chain'], 'new 1')
      assert.equal((await again.assignments.latest(processA))?.hashChain, 'new 2')
      assert.deepEqual(await again.assignments.list(processA), [0, 1, 2])
    })
  },
  'expectedPrevious lets a write through only on the head it names': async ({ assignments }) => {
    const wrong = chain
    await rejectsWith(assignments.write(assignment(0), { expectedPrevious: wrong }), 'HOLDFAST_PREVIOUS_MISMATCH')
    const first = await assignments.write(assignment(0), { expectedPrevious: null })
    await rejectsWith(assignments.write(assignment(1), { expectedPrevious: null }), 'HOLDFAST_PREVIOUS_MISMATCH')
    await rejectsWith(assignments.write(assignment(1), { expectedPrevious: wrong }), 'HOLDFAST_PREVIOUS_MISMATCH')
    assert.deepEqual(await assignments.list(processA), [0])
    const racing = [1, 2].map((slot) => assignments.write(assignment(slot), { expectedPrevious: first.id }))
    const outcomes = await Promise.allSettled(racing)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.deepEqual(await assignments.list(processA), [0, 1])
  },
  'writeMany is one record: all of them': async (store, place) => {
    const before = store.lastSequence
    const list = [assignment(0), assignment(1), { ...assignment(5), process: processB }, assignment(0)]
    const results = await store.assignments.writeMany(list)
    assert.deepEqual(
      results.map(({ process, slot, created }) => [process, slot, created]),
      [
        [processA, 0, true],
        [processA, 1, true],
        [processB, 5, true],
        [processA, 0, false],
      ],
    )
    assert.equal(store.lastSequence, before + 1)
    assert.deepEqual(await store.assignments.writeMany([]), [])
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.assignments.list(processA), [0, 1])
      assert.deepEqual(await again.assignments.list(processB), [5])
    })
  },
  'writeMany is one record: or none of them': async (store, place) => {
    await store.assignments.write(assignment(2))
    await store.checkpoint()
    const before = [store.lastSequence, 0, 0]
    const good = [assignment(0), assignment(1), assignment(3, { body: { data: 'y'.repeat(9000) } })]
    const conflict = assignment(2, { other: true })
    await rejectsWith(store.assignments.writeMany([...good, conflict, assignment(4)]), 'HOLDFAST_SLOT_CONFLICT')
    await rejectsWith(store.assignments.writeMany([...good, assignment(-1)]), 'HOLDFAST_INVALID_SLOT')
    await assert.rejects(store.assignments.writeMany([...good, assignment(4, { bad: undefined })]), TypeError)
    await assert.rejects(store.assignments.writeMany([...good, null as never]), TypeError)
    await rejectsWith(
      store.assignments.writeMany([assignment(9), assignment(9, { other: 1 })]),
      'HOLDFAST_SLOT_CONFLICT',
    )
    await assert.rejects(store.assignments.writeMany('list' as never), TypeError)
    assert.deepEqual([store.lastSequence, store.stats().dirtyEntries, store.stats().dirtyBytes], before)
    for (const each of good) assert.equal(store.content.getSync(store.content.id(each)), undefined)
    assert.deepEqual(await store.assignments.list(processA), [2])
    assert.equal((await store.assignments.latest(processA))?.slot, 2)
    await reopened(store, place, async (again) => assert.deepEqual(await again.assignments.list(processA), [2]))
  },
  'a hash chain that is no text is refused': async (store) => {
    await assert.rejects(store.assignments.write(assignment(0, { 'hash-chain': 7 })), TypeError)
    await assert.rejects(store.assignments.write(assignment(0, { 'hash-chain': null })), TypeError)
    assert.equal(store.lastSequence, 0)
  },
  'readers beside a writer never see a torn assignment': async ({ assignments }) => {
    let seen = -1
    const read = async () => {
      const latest = await assignments.latest(processA)
      if (latest === undefined) return
      assert.ok(latest.slot >= seen, 'latest never goes back')
      seen = latest.slot
      assert.deepEqual(await assignments.read(processA, latest.slot), assignment(latest.slot))
    }
    for (let slot = 0; slot < 60; slot++) {
      const readers = Array.from({ length: 5 }, read)
      await Promise.all([assignments.write(assignment(slot)), ...readers, read(), read()])
    }
    assert.equal(seen >= 58, true)
  },
  'a location is written, replaced and read back': async (store, place) => {
    assert.equal(await store.assignments.readLocation(processA), undefined)
    await store.assignments.writeLocation(processA, { url: 'one' })
    const id = await store.assignments.writeLocation(processA, { url: 'two' })
    assert.equal(id, store.content.id({ url: 'two' }))
    await assert.rejects(store.assignments.writeLocation(processB, { url: undefined } as never), TypeError)
    assert.equal(await store.assignments.readLocation(processB), undefined)
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.assignments.readLocation(processA), { url: 'two' })
    })
  },
}

function withPlainBytes(value: Assignment): unknown {
  const body = value['body'] as { raw: Uint8Array }
  return { ...value, body: { ...body, raw: [...body.raw] } }
}
