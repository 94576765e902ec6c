import assert from 'node:assert/strict'
import {
  awkwardKeys,
  type BackendCheck,
  bytes,
  everything,
  keysOf,
  opened,
  plain,
  put,
  remove,
  scan,
} from './backend-suite-tools.ts'

/** Order, bounds, limits and snapshots of `iterate`. */
export const scanChecks: Record<string, BackendCheck> = {
  'a scan goes in byte order, whatever order the keys came in': async (_, backend) => {
    await opened(backend)
    const shuffled = awkwardKeys.map((key, index) => ({ key, at: (index * 7) % awkwardKeys.length }))
    for (const { key } of shuffled.sort((left, right) => left.at - right.at)) {
      await backend.batch([put(key, key)], { sync: false })
    }
    assert.deepEqual(await keysOf(backend, everything), awkwardKeys)
    assert.deepEqual(await keysOf(backend, { ...everything, reverse: true }), awkwardKeys.toReversed())
  },
  'a range has its lower bound and not its upper one, for every pair of bounds': async (_, backend) => {
    await opened(
      backend,
      awkwardKeys.map((key) => put(key, 'x')),
    )
    for (const gte of awkwardKeys) {
      for (const lt of awkwardKeys) {
        const expected = awkwardKeys.filter((key) => key >= gte && key < lt)
        assert.deepEqual(await keysOf(backend, { gte, lt }), expected)
        assert.deepEqual(await keysOf(backend, { gte, lt, reverse: true }), expected.toReversed())
      }
    }
  },
  'bounds need not exist': async (_, backend) => {
    await opened(backend, [put('b', '1'), put('d', '1'), put('f', '1')])
    assert.deepEqual(await keysOf(backend, { gte: 'a', lt: 'e' }), ['b', 'd'])
    assert.deepEqual(await keysOf(backend, { gte: 'c', lt: 'z', reverse: true }), ['f', 'd'])
    assert.deepEqual(await keysOf(backend, { gte: 'x', lt: 'z' }), [])
  },
  'a limit cuts a scan at the end it comes to last': async (_, backend) => {
    await opened(
      backend,
      ['a', 'b', 'c', 'd'].map((key) => put(key, '1')),
    )
    assert.deepEqual(await keysOf(backend, { ...everything, limit: 2 }), ['a', 'b'])
    assert.deepEqual(await keysOf(backend, { ...everything, limit: 1, reverse: true }), ['d'])
    assert.deepEqual(await keysOf(backend, { ...everything, limit: 0 }), [])
    assert.deepEqual(await keysOf(backend, { ...everything, limit: 9 }), ['a', 'b', 'c', 'd'])
    assert.deepEqual(await keysOf(backend, { ...everything, limit: -1 }), ['a', 'b', 'c', 'd'])
  },
  'a scan of keys leaves the values out': async (_, backend) => {
    await opened(backend, [put('a', 'value'), put('b', 'value')])
    const entries = await scan(backend, { ...everything, keysOnly: true })
    assert.deepEqual(
      entries.map(({ key, value }) => [key, value.length]),
      [
        ['a', 0],
        ['b', 0],
      ],
    )
  },
  'a chunk is full unless the range ends, however large the values are': async (_, backend) => {
    const value = new Uint8Array(100_000).fill(7)
    const keys = Array.from({ length: 25 }, (_unused, index) => `k${String(index).padStart(2, '0')}`)
    await opened(
      backend,
      keys.map((key) => ({ key, value })),
    )
    const iterator = backend.iterate(everything)
    const sizes: number[] = []
    for (let round = 0; round < 4; round += 1) sizes.push((await iterator.next(10)).length)
    await iterator.close()
    assert.deepEqual(sizes, [10, 10, 5, 0])
  },
  'a scan may be asked for far more than there is': async (_, backend) => {
    await opened(
      backend,
      Array.from({ length: 2500 }, (_unused, index) => put(`k${index}`, 'x')),
    )
    const iterator = backend.iterate(everything)
    assert.equal((await iterator.next(2 ** 31)).length, 2500)
    await iterator.close()
  },
  'an iterator shows the store as of its creation': async (_, backend) => {
    await opened(backend, [put('a', 'old'), put('b', 'old'), put('d', 'old')])
    const before = backend.iterate(everything)
    await backend.batch([put('a', 'new'), remove('b'), put('c', 'new')], { sync: true })
    const view = (await before.next(9)).map(({ key, value }) => [key, plain(value)])
    await before.close()
    assert.deepEqual(
      view,
      ['a', 'b', 'd'].map((key) => [key, plain(bytes('old'))]),
    )
    assert.deepEqual(await keysOf(backend, everything), ['a', 'c', 'd'])
  },
  'an iterator that is half through does not see a batch that lands': async (_, backend) => {
    await opened(
      backend,
      ['a', 'b', 'c', 'd'].map((key) => put(key, 'old')),
    )
    const iterator = backend.iterate({ ...everything, reverse: true })
    const first = await iterator.next(1)
    await backend.batch([remove('a'), put('b', 'new'), put('bb', 'new')], { sync: false })
    const rest = await iterator.next(9)
    await iterator.close()
    assert.deepEqual(
      [...first, ...rest].map((entry) => entry.key),
      ['d', 'c', 'b', 'a'],
    )
    assert.deepEqual(
      rest.map((entry) => plain(entry.value)),
      rest.map(() => plain(bytes('old'))),
    )
  },
  'an iterator may be closed before its end': async (_, backend) => {
    await opened(backend, [put('a', '1'), put('b', '1')])
    const iterator = backend.iterate(everything)
    await iterator.next(1)
    await iterator.close()
    await iterator.close()
  },
}
