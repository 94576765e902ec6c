import assert from 'node:assert/strict'
import {
  awkwardKeys,
  type BackendCheck,
  type BackendHarness,
  bytes,
  everything,
  keysOf,
  opened,
  plain,
  put,
  rejectsWith,
  remove,
  scan,
} from './backend-suite-tools.ts'
import { scanChecks } from './backend-suite-scans.ts'

/** What the suite needs of a test runner; vitest's and node:test's `test` fit. */
export interface SuiteRunner {
  test(name: string, body: () => Promise<void>): void
}

/** Every promise of `Backend` that can be checked without cutting the power. Works with any runner. */
export function backendSuite(runner: SuiteRunner, harness: BackendHarness): void {
  for (const [name, check] of Object.entries({ ...reading, ...batches, ...scanChecks, ...lifecycle, ...failures })) {
    runner.test(name, async () => {
      const backend = await harness.create()
      try {
        await check(harness, backend)
      } finally {
        await backend.close().catch(() => {}) // the check's own error matters more
        await harness.dispose(backend)
      }
    })
  }
}

const reading: Record<string, BackendCheck> = {
  'all four reads find what a batch wrote and nothing else': async (_, backend) => {
    await opened(backend, [put('k1', 'one'), put('k3', 'three')])
    assert.deepEqual(plain(backend.getSync('k1')), plain(bytes('one')))
    assert.equal(backend.getSync('k2'), undefined)
    assert.deepEqual(plain(await backend.get('k3')), plain(bytes('three')))
    assert.equal(await backend.get('k'), undefined)
    const many = await backend.getMany(['k3', 'k2', 'k1', 'k3'])
    assert.deepEqual(many.map(plain), [bytes('three'), undefined, bytes('one'), bytes('three')].map(plain))
    assert.deepEqual(await backend.hasMany(['k1', 'k2', 'k3']), [true, false, true])
  },
  'reads of many keys answer an empty list with an empty list': async (_, backend) => {
    await opened(backend)
    assert.deepEqual(await backend.getMany([]), [])
    assert.deepEqual(await backend.hasMany([]), [])
  },
  'reads of more than a machine word of keys answer each in its place': async (_, backend) => {
    const keys = Array.from({ length: 100 }, (_unused, index) => `k${index}`)
    await opened(
      backend,
      keys.filter((_key, index) => index % 3 === 0).map((key) => put(key, key)),
    )
    assert.deepEqual(
      await backend.hasMany(keys),
      keys.map((_key, index) => index % 3 === 0),
    )
    const values = await backend.getMany(keys)
    assert.deepEqual(
      values.map(plain),
      keys.map((key, index) => (index % 3 === 0 ? plain(bytes(key)) : undefined)),
    )
  },
  'every byte may stand in a key and a value': async (_, backend) => {
    const all = Uint8Array.from({ length: 256 }, (_unused, index) => index)
    await opened(
      backend,
      awkwardKeys.map((key) => ({ key, value: all })),
    )
    for (const key of awkwardKeys) assert.deepEqual(plain(backend.getSync(key)), plain(all), JSON.stringify(key))
    assert.deepEqual(
      (await backend.getMany(awkwardKeys)).map(plain),
      awkwardKeys.map(() => plain(all)),
    )
    assert.deepEqual(
      await backend.hasMany(awkwardKeys),
      awkwardKeys.map(() => true),
    )
  },
  'an empty value is a value': async (_, backend) => {
    await opened(backend, [{ key: 'k', value: new Uint8Array(0) }])
    assert.deepEqual(plain(backend.getSync('k')), [])
    assert.deepEqual(plain(await backend.get('k')), [])
    assert.deepEqual((await backend.getMany(['k'])).map(plain), [[]])
    assert.deepEqual(await backend.hasMany(['k']), [true])
    assert.deepEqual(
      (await scan(backend, everything)).map((entry) => plain(entry.value)),
      [[]],
    )
  },
  'a large value comes back whole': async (_, backend) => {
    const value = Uint8Array.from({ length: 3_000_000 }, (_unused, index) => (index * 31) & 0xff)
    await opened(backend, [{ key: 'k', value }])
    assert.ok(Buffer.from(backend.getSync('k') ?? []).equals(value))
  },
  'what a read returned may be changed without changing the store': async (_, backend) => {
    await opened(backend, [put('k', 'value')])
    for (const read of [backend.getSync('k'), await backend.get('k'), (await backend.getMany(['k']))[0]]) read?.fill(0)
    for (const entry of await scan(backend, everything)) entry.value.fill(0)
    assert.deepEqual(plain(backend.getSync('k')), plain(bytes('value')))
  },
  'what a batch was given may be changed once it resolved': async (_, backend) => {
    await opened(backend)
    const value = Buffer.from('value')
    await backend.batch([{ key: 'k', value }], { sync: false })
    value.fill(0)
    assert.deepEqual(plain(backend.getSync('k')), plain(bytes('value')))
  },
}

const batches: Record<string, BackendCheck> = {
  'a batch replaces and deletes': async (_, backend) => {
    await opened(backend, [put('a', '1'), put('b', '2'), put('c', '3')])
    await backend.batch([put('a', 'new'), remove('b'), remove('absent')], { sync: false })
    assert.deepEqual(
      (await backend.getMany(['a', 'b', 'c'])).map(plain),
      [bytes('new'), undefined, bytes('3')].map(plain),
    )
    assert.deepEqual(await keysOf(backend, everything), ['a', 'c'])
  },
  'of two operations on one key the later one counts': async (_, backend) => {
    await opened(backend)
    await backend.batch([put('a', '1'), remove('a'), put('b', '1'), remove('b'), put('b', '2')], { sync: false })
    assert.deepEqual((await backend.getMany(['a', 'b'])).map(plain), [undefined, plain(bytes('2'))])
  },
  'an empty batch resolves, synced or not': async (_, backend) => {
    await opened(backend)
    await backend.batch([], { sync: false })
    await backend.batch([put('a', '1')], { sync: false })
    await backend.batch([], { sync: true })
    assert.deepEqual(await keysOf(backend, everything), ['a'])
  },
  'readers see all of a batch or none of it': async (_, backend) => {
    const keys = Array.from({ length: 200 }, (_unused, index) => `k${index}`)
    await opened(
      backend,
      keys.map((key) => put(key, 'old')),
    )
    const landing = backend.batch(
      keys.map((key) => put(key, 'new')),
      { sync: true },
    )
    const seen: (number[] | undefined)[][] = []
    seen.push((await backend.getMany(keys)).map(plain))
    seen.push((await scan(backend, everything)).map((entry) => plain(entry.value)))
    await landing
    seen.push((await backend.getMany(keys)).map(plain))
    for (const view of seen) {
      assert.equal(view.length, keys.length)
      assert.equal(new Set(view.map(String)).size, 1)
    }
    assert.deepEqual(seen.at(-1)?.[0], plain(bytes('new')))
  },
  'a second batch is refused while one is in flight, and the first still lands': async (_, backend) => {
    await opened(backend)
    const first = backend.batch([put('a', '1')], { sync: true })
    await rejectsWith(backend.batch([put('b', '1')], { sync: false }), 'HOLDFAST_ASSERTION')
    await first
    assert.deepEqual(await backend.hasMany(['a', 'b']), [true, false])
    await backend.batch([put('b', '1')], { sync: false })
  },
  'an empty key is refused': async (_, backend) => {
    await opened(backend)
    await rejectsWith(backend.batch([put('', 'x')], { sync: false }), 'HOLDFAST_ASSERTION')
  },
}

const lifecycle: Record<string, BackendCheck> = {
  'data outlive close and open': async (_, backend) => {
    await opened(backend, [put('a', '1')])
    await backend.batch([put('b', '2')], { sync: false })
    await backend.close()
    await backend.open({ create: false })
    assert.deepEqual((await backend.getMany(['a', 'b'])).map(plain), [bytes('1'), bytes('2')].map(plain))
    await backend.batch([put('c', '3')], { sync: true })
    assert.deepEqual(await keysOf(backend, everything), ['a', 'b', 'c'])
  },
  'opening with create keeps data that are there': async (_, backend) => {
    await opened(backend, [put('a', '1')])
    await backend.close()
    await backend.open({ create: true })
    assert.deepEqual(await keysOf(backend, everything), ['a'])
  },
  'opening without create refuses when nothing is there, and creates nothing': async (_, backend) => {
    await rejectsWith(backend.open({ create: false }), 'HOLDFAST_CORRUPT')
    await rejectsWith(backend.open({ create: false }), 'HOLDFAST_CORRUPT')
    await opened(backend)
    assert.deepEqual(await keysOf(backend, everything), [])
  },
  'destroy leaves nothing to open': async (_, backend) => {
    await opened(backend, [put('a', '1')])
    await backend.close()
    await backend.destroy()
    await rejectsWith(backend.open({ create: false }), 'HOLDFAST_CORRUPT')
    await opened(backend)
    assert.deepEqual(await keysOf(backend, everything), [])
  },
  'destroying what never was is no error': async (_, backend) => {
    await backend.destroy()
  },
  'a backend that is not open refuses everything but close': async (_, backend) => {
    await backend.close()
    await opened(backend, [put('a', '1')])
    const iterator = backend.iterate(everything)
    await backend.close()
    await backend.close()
    const code = 'HOLDFAST_CLOSED'
    assert.throws(() => backend.getSync('a'), { code })
    assert.throws(() => backend.iterate(everything), { code })
    await rejectsWith(iterator.next(1), code)
    await rejectsWith(backend.get('a'), code)
    await rejectsWith(backend.getMany(['a']), code)
    await rejectsWith(backend.hasMany(['a']), code)
    await rejectsWith(backend.batch([put('b', '1')], { sync: false }), code)
    await rejectsWith(backend.compact(), code)
    await iterator.close()
  },
  'close waits for the batch in flight': async (_, backend) => {
    await opened(backend)
    const order: string[] = []
    const landing = (async () => {
      await backend.batch([put('a', '1')], { sync: true })
      order.push('landed')
    })()
    await backend.close()
    order.push('closed')
    await landing
    assert.deepEqual(order, ['landed', 'closed'])
    await backend.open({ create: false })
    assert.deepEqual(await keysOf(backend, everything), ['a'])
  },
  'opening twice without a close is refused and does no harm': async (_, backend) => {
    await opened(backend, [put('a', '1')])
    await rejectsWith(backend.open({ create: true }), 'HOLDFAST_ASSERTION')
    assert.deepEqual(await keysOf(backend, everything), ['a'])
  },
  'compaction changes no data, in an empty store too, and size answers': async (_, backend) => {
    await opened(backend)
    await backend.compact()
    await backend.batch(
      awkwardKeys.map((key) => put(key, 'some bytes')),
      { sync: true },
    )
    await backend.batch([remove('a')], { sync: true })
    await backend.compact()
    assert.deepEqual(
      await keysOf(backend, everything),
      awkwardKeys.filter((key) => key !== 'a'),
    )
    assert.ok((await backend.size()) > 10 * (awkwardKeys.length - 1))
  },
}

const failures: Record<string, BackendCheck> = {
  'after a failed batch nothing is written until close and open, and reads go on': async (harness, backend) => {
    await opened(backend, [put('a', '1')])
    harness.failNextBatch(backend)
    const failing = [put('b', '2'), put('c', '2')]
    await rejectsWith(backend.batch(failing, { sync: true }), 'HOLDFAST_IO')
    await rejectsWith(backend.batch([put('d', '3')], { sync: true }), 'HOLDFAST_IO')
    await rejectsWith(backend.compact(), 'HOLDFAST_IO')
    assert.deepEqual(plain(backend.getSync('a')), plain(bytes('1')))
    await backend.close()
    await backend.open({ create: false })
    const [a, b, c, d] = await backend.hasMany(['a', 'b', 'c', 'd'])
    assert.deepEqual([a, d], [true, false])
    assert.equal(b, c, 'a failed batch is there whole or not at all')
    await backend.batch([put('d', '3')], { sync: true })
    assert.deepEqual(await backend.hasMany(['d']), [true])
  },
}
