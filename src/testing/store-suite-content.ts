import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Message } from '../index.ts'
import {
  assertFrozen,
  assignment,
  collect,
  large,
  processA,
  rejectsWith,
  reopened,
  type StoreCheck,
  textOf,
  utf8,
} from './store-suite-tools.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url')
const absent = sha256(utf8('nobody wrote this'))

/** Content by hash, pins, and the garbage collector. */
export const contentChecks: Record<string, StoreCheck> = {
  'bytes are stored under the SHA-256 of the bytes themselves': async (store, place) => {
    for (const text of ['', 'b', 'Simple unsigned data item']) {
      const id = await store.content.put(utf8(text))
      assert.equal(id, sha256(utf8(text)))
      assert.equal(store.content.id(utf8(text)), id)
      assert.equal(textOf((await store.content.get(id)) as Uint8Array), text)
      assert.equal(textOf(await store.content.bytes(id)), text)
    }
    await reopened(store, place, async (again) => {
      assert.equal(textOf((await again.content.get(sha256(utf8('b')))) as Uint8Array), 'b')
    })
  },
  'the same message in another order of keys is the same content, stored once': async (store) => {
    const first = await store.content.put({ a: 1, b: [true, null] })
    assert.equal(await store.content.put({ b: [true, null], a: 1 }), first)
    assert.equal(store.content.id({ b: [true, null], a: 1 }), first)
    await store.checkpoint()
    assert.equal(store.stats().storedEntries, 1)
    assert.equal(first, sha256((await store.content.bytes(first)) as Uint8Array))
  },
  'asking for an id writes nothing': async (store) => {
    const id = store.content.id({ a: 1 })
    assert.equal(await store.content.get(id), undefined)
    assert.equal(store.lastSequence, 0)
  },
  'content that is not there is undefined for every read': async (store) => {
    assert.equal(await store.content.get(absent), undefined)
    assert.equal(store.content.getSync(absent), undefined)
    assert.equal(await store.content.bytes(absent), undefined)
    assert.equal(await store.content.has(absent), false)
  },
  'a string that is no content id is refused by every call': async (store) => {
    for (const id of ['', 'short', `${absent}x`, absent.replace(/.$/, '='), `../${absent.slice(3)}`]) {
      await rejectsWith(store.content.get(id), 'HOLDFAST_INVALID_ID')
      await rejectsWith(store.content.bytes(id), 'HOLDFAST_INVALID_ID')
      await rejectsWith(store.content.has(id), 'HOLDFAST_INVALID_ID')
      await rejectsWith(store.content.pin(id), 'HOLDFAST_INVALID_ID')
      await rejectsWith(store.content.unpin(id), 'HOLDFAST_INVALID_ID')
      assert.throws(() => store.content.getSync(id), { code: 'HOLDFAST_INVALID_ID' })
    }
    await assert.rejects(store.content.get(7 as never), TypeError)
  },
  'what has no canonical form is refused, names its place and leaves nothing': async (store) => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const bad = [{ a: { b: undefined } }, { a: { b: Number.NaN } }, { a: { b: () => 1 } }, { a: { b: new Map() } }]
    for (const value of bad) {
      await assert.rejects(store.content.put(value as never), (error) => {
        return error instanceof TypeError && error.message.includes('a.b')
      })
    }
    for (const value of [cycle, [1], 'text', null, 7]) {
      await assert.rejects(store.content.put(value as never), TypeError)
    }
    assert.equal(store.lastSequence, 0)
  },
  'bytes and a message with the same canonical bytes are one entry, and the message wins': async (store, place) => {
    const message = { a: 1, text: 'same' }
    const id = await store.content.put(message)
    const canonical = (await store.content.bytes(id)) as Uint8Array
    assert.equal(await store.content.put(canonical), id)
    assert.deepEqual(await store.content.get(id), message)
    const other = { b: 2 }
    const otherId = store.content.id(other)
    const otherBytes = canonicalBytesOf(other)
    assert.equal(await store.content.put(otherBytes), otherId)
    assert.ok((await store.content.get(otherId)) instanceof Uint8Array)
    await store.content.put(other)
    assert.deepEqual(await store.content.get(otherId), other)
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.content.get(id), message)
      assert.deepEqual(await again.content.get(otherId), other)
      assert.equal(again.stats().storedEntries, 2)
    })
  },
  'a large nested value is stored once however often it appears, and comes back whole': async (store, place) => {
    const body = { data: large('body '), n: [1, { deep: large('deep ') }] }
    const one = await store.content.put({ tag: 1, body })
    const two = await store.content.put({ tag: 2, list: [body, body] })
    await store.checkpoint()
    const entries = store.stats().storedEntries
    await store.content.put({ tag: 3, body })
    await store.checkpoint()
    assert.equal(store.stats().storedEntries, entries + 1)
    assert.ok(((await store.content.bytes(one)) as Uint8Array).length < 200)
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.content.get(one), { tag: 1, body })
      assert.deepEqual(again.content.getSync(two), { tag: 2, list: [body, body] })
    })
  },
  'values of every kind come back equal, after a restart too': async (store, place) => {
    const message: Message = {
      ...{ nothing: null, yes: true, no: false, zero: 0, minus: -1, real: 1.5, top: Number.MAX_SAFE_INTEGER },
      ...{ big: 2n ** 200n, negative: -(2n ** 70n), text: 'naïve 🙂', empty: '', ключ: 'значение' },
      ...{ bytes: Uint8Array.of(0, 255), none: new Uint8Array(0), list: [], nested: { a: [{}, [[]]] } },
    }
    const id = await store.content.put(message)
    assert.deepEqual(plain(await store.content.get(id)), plain(message))
    await reopened(store, place, async (again) => {
      assert.deepEqual(plain(await again.content.get(id)), plain(message))
    })
  },
  'what is read is frozen, and changing its bytes never changes the store': async (store, place) => {
    const bytes = () => Uint8Array.from({ length: 6000 }, (_unused, i) => i % 251)
    const message = { small: Uint8Array.of(1, 2, 3), huge: bytes(), list: [Uint8Array.of(9), { inner: bytes() }] }
    const id = await store.content.put(message)
    const raw = await store.content.put(utf8('raw bytes'))
    const spoil = (value: unknown): void => {
      if (value instanceof Uint8Array) value.fill(0x55)
      else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) spoil(each)
    }
    const check = async (target: typeof store) => {
      for (const read of [() => target.content.get(id), async () => target.content.getSync(id)]) {
        const value = await read()
        assertFrozen(value)
        spoil(value)
        assert.deepEqual(plain(await read()), plain(message))
      }
      for (const read of [() => target.content.bytes(id), () => target.content.bytes(raw)]) {
        spoil(await read())
      }
      // Large nested values are content of their own: what is handed out as such is shared with their messages.
      for (const each of await target.paths.list('data')) {
        spoil(await target.content.get(each))
        spoil(target.content.getSync(each))
      }
      assert.deepEqual(plain(await target.content.get(id)), plain(message))
      spoil(await target.content.get(raw))
      spoil(target.content.getSync(raw))
      assert.equal(textOf(await target.content.bytes(raw)), 'raw bytes')
      assert.equal(sha256((await target.content.bytes(id)) as Uint8Array), id)
    }
    await check(store)
    await store.checkpoint()
    await check(store)
    await reopened(store, place, check)
  },
  'what was put may be changed by its owner at once': async (store, place) => {
    const message = { a: Uint8Array.of(1), big: new Uint8Array(5000).fill(1), list: [1, 2] }
    const raw = utf8('raw')
    const id = store.content.id(message)
    const rawId = store.content.id(raw)
    const landing = [store.content.put(message), store.content.put(raw)]
    message.a.fill(7)
    message.big.fill(7)
    message.list.push(3)
    raw.fill(7)
    assert.deepEqual(await Promise.all(landing), [id, rawId])
    const expected = plain({ a: Uint8Array.of(1), big: new Uint8Array(5000).fill(1), list: [1, 2] })
    assert.deepEqual(plain(await store.content.get(id)), expected)
    await reopened(store, place, async (again) => {
      assert.deepEqual(plain(await again.content.get(id)), expected)
      assert.equal(textOf((await again.content.get(rawId)) as Uint8Array), 'raw')
    })
  },
  'content is pinned and unpinned; what is not there cannot be pinned': async (store) => {
    const id = await store.content.put({ pinned: true })
    await rejectsWith(store.content.pin(absent), 'HOLDFAST_MISSING_CONTENT')
    await store.content.unpin(absent)
    await store.content.pin(id)
    await store.content.pin(id)
    assert.equal((await store.gc()).removed, 0)
    await store.content.unpin(id)
    assert.equal((await store.gc()).removed, 1)
    assert.equal(await store.content.has(id), false)
  },
  'gc keeps what anything leads to and removes the rest': async (store, place) => {
    const nested = { big: { data: large('nested ') } }
    await store.assignments.write(assignment(0, { body: { data: large('assigned ') } }))
    await store.assignments.writeLocation(processA, { url: 'here', more: large('located ') })
    const pinned = await store.content.put({ pin: 1, ...nested })
    await store.content.pin(pinned)
    const linked = await store.content.put({ link: 1, deep: { big: { data: large('linked ') } } })
    await store.paths.link(`data/${linked}`, 'shelf/one')
    await store.checkpoint()
    const garbage = [
      await store.content.put({ garbage: 1, ...nested }),
      await store.content.put({ garbage: 2, body: { data: large('garbage ') } }),
      await store.content.put(utf8('garbage')),
    ]
    const dry = await store.gc({ dryRun: true })
    assert.deepEqual([dry.ok, dry.removed], [true, 4])
    for (const id of garbage) assert.equal(await store.content.has(id), true)
    const report = await store.gc()
    assert.deepEqual([report.removed, report.examined, report.bytes], [4, dry.examined, dry.bytes])
    for (const id of garbage) assert.equal(await store.content.has(id), false)
    assert.equal((await store.gc()).removed, 0)
    await reopened(store, place, async (again) => {
      for (const id of garbage) assert.equal(await again.content.get(id), undefined)
      assert.deepEqual(await again.content.get(pinned), { pin: 1, ...nested })
      assert.ok(await again.content.get(linked))
      assert.ok(await again.assignments.read(processA, 0))
      assert.ok(await again.assignments.readLocation(processA))
      assert.equal(textOf(await again.paths.read('shelf/one')), textOf(await again.content.bytes(linked)))
    })
  },
  'gc after a slot was overwritten or pruned removes what it held': async (store) => {
    const { id } = await store.assignments.write(assignment(0))
    await store.assignments.write(assignment(1))
    const kept = await store.assignments.write(assignment(1, { again: true }), { overwrite: true })
    await store.assignments.prune(processA, { below: 1 })
    assert.equal((await store.gc()).removed, 2)
    assert.equal(await store.content.has(id), false)
    assert.equal(await store.content.has(kept.id), true)
  },
  'all content is found under data/': async (store) => {
    const ids = [await store.content.put({ a: 1 }), await store.content.put(utf8('b'))]
    assert.deepEqual(await store.paths.list('data'), [...ids].sort())
    const items = await collect(store.assignments.processes())
    assert.deepEqual(items, [])
  },
}

/** Accessors become plain copies, so that a deep comparison sees values only. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}

function canonicalBytesOf(message: Message): Uint8Array {
  // One pair whose key and value MessagePack writes in one byte each after their headers: fixmap, fixstr, fixint.
  const [[key, value]] = Object.entries(message) as [[string, number]]
  return Uint8Array.of(0x81, 0xa0 + key.length, ...utf8(key), value)
}
