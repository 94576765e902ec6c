import { describe, expect, test } from 'vitest'
import { type BackendOperation, type CrashMode, MemoryBackend } from '../../../src/kv/index.ts'

const put = (key: string, value = key): BackendOperation => ({ key, value: Buffer.from(value) })
const keysIn = (backend: MemoryBackend) => backend.rawEntries().map((entry) => entry.key)

async function withTail(): Promise<MemoryBackend> {
  const backend = new MemoryBackend()
  await backend.open({ create: true })
  await backend.batch([put('early')], { sync: false })
  await backend.batch([put('synced')], { sync: true })
  for (const key of ['t1', 't2', 't3', 't4']) await backend.batch([put(key), put(`${key}+`)], { sync: false })
  return backend
}

/** What each of 200 seeds leaves of the unsynced tail. */
async function outcomes(mode: CrashMode): Promise<Set<string>> {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed += 1) {
    const keys = keysIn((await withTail()).crash(mode, seed))
    expect(keys.slice(0, 2)).toEqual(['early', 'synced'])
    seen.add(keys.slice(2).join(' '))
  }
  return seen
}

describe('crash', () => {
  test('strict keeps everything up to the last sync and nothing after', async () => {
    expect(await outcomes('strict')).toEqual(new Set(['']))
  })

  test('all keeps everything', async () => {
    expect(await outcomes('all')).toEqual(new Set(['t1 t1+ t2 t2+ t3 t3+ t4 t4+']))
  })

  test('prefix keeps every prefix of whole batches for some seed, and nothing else', async () => {
    const expected = ['', 't1 t1+', 't1 t1+ t2 t2+', 't1 t1+ t2 t2+ t3 t3+', 't1 t1+ t2 t2+ t3 t3+ t4 t4+']
    expect(await outcomes('prefix')).toEqual(new Set(expected))
  })

  test('subset keeps every set of whole batches for some seed', async () => {
    const seen = await outcomes('subset')
    expect(seen.size).toBe(16)
    for (const outcome of seen) {
      for (const key of ['t1', 't2', 't3', 't4']) {
        expect(outcome.split(' ').includes(key)).toBe(outcome.split(' ').includes(`${key}+`))
      }
    }
  })

  test('the same seed leaves the same data', async () => {
    for (const mode of ['prefix', 'subset'] as const) {
      const runs = await Promise.all([withTail(), withTail()])
      expect(keysIn(runs[0].crash(mode, 7))).toEqual(keysIn(runs[1].crash(mode, 7)))
    }
  })

  test('an overwrite and a delete that were not synced are undone', async () => {
    const backend = new MemoryBackend()
    await backend.open({ create: true })
    await backend.batch([put('a', 'old'), put('b', 'old')], { sync: true })
    await backend.batch([put('a', 'new'), { key: 'b', value: undefined }], { sync: false })
    const survivor = backend.crash('strict')
    await survivor.open({ create: false })
    const values = await survivor.getMany(['a', 'b'])
    expect(values.map((value) => Buffer.from(value ?? []).toString())).toEqual(['old', 'old'])
    expect(await survivor.size()).toBe(8)
  })

  test('closing and opening makes nothing durable, an empty sync batch does', async () => {
    const backend = await withTail()
    await backend.close()
    await backend.open({ create: false })
    expect(keysIn(backend.crash('strict'))).toEqual(['early', 'synced'])
    const synced = await withTail()
    await synced.batch([], { sync: true })
    expect(keysIn(synced.crash('strict'))).toHaveLength(10)
  })

  test('the survivor of a backend that was never opened has nothing to open', async () => {
    const survivor = new MemoryBackend().crash('all')
    await expect(survivor.open({ create: false })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })

  test('a batch in flight may survive or not, at every mode but strict, and never acknowledges', async () => {
    for (const mode of ['strict', 'prefix', 'subset', 'all'] as const) {
      const survived = new Set<boolean>()
      for (let seed = 0; seed < 50; seed += 1) {
        let release = () => {}
        const held = new Promise<void>((resolve) => {
          release = resolve
        })
        const backend = new MemoryBackend({ onBatch: () => held })
        await backend.open({ create: true })
        const landing = backend.batch([put('a')], { sync: true })
        const survivor = backend.crash(mode, seed)
        release()
        await expect(landing).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
        survived.add(keysIn(survivor).length === 1)
      }
      expect(
        [...survived].sort((a, b) => Number(a) - Number(b)),
        mode,
      ).toEqual(mode === 'strict' ? [false] : [false, true])
    }
  })

  test('the old instance is dead and cannot touch the survivor', async () => {
    const backend = await withTail()
    const survivor = backend.crash('all')
    await expect(backend.batch([put('late')], { sync: true })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    await expect(backend.open({ create: true })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect(() => backend.getSync('synced')).toThrow('power')
    expect(keysIn(survivor)).not.toContain('late')
  })
})

describe('planned failures', () => {
  test('only the n-th batch fails', async () => {
    const backend = new MemoryBackend()
    await backend.open({ create: true })
    backend.failBatch(3, { applied: false, code: 'ENOSPC' })
    await backend.batch([put('a')], { sync: false })
    await backend.batch([put('b')], { sync: false })
    await expect(backend.batch([put('c')], { sync: false })).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    await backend.close()
    await backend.open({ create: false })
    await backend.batch([put('d')], { sync: false })
    expect(keysIn(backend)).toEqual(['a', 'b', 'd'])
  })

  test('a failed batch that reached the disk appears at the next open and not before', async () => {
    const backend = new MemoryBackend()
    await backend.open({ create: true })
    backend.failBatch(1, { applied: true })
    await expect(backend.batch([put('a')], { sync: true })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect(backend.getSync('a')).toBeUndefined()
    await backend.close()
    await backend.open({ create: false })
    expect(backend.getSync('a')).toBeDefined()
    expect(keysIn(backend.crash('strict'))).toEqual([])
  })
})

describe('damage', () => {
  test('corrupt changes one bit in every copy, through crash and reopen', async () => {
    const backend = await withTail()
    backend.corrupt('synced')
    backend.corrupt('t2')
    const changed = [...Buffer.from('synce'), 'd'.charCodeAt(0) ^ 1]
    expect([...(backend.getSync('synced') ?? [])]).toEqual(changed)
    const survivor = backend.crash('all')
    await survivor.open({ create: false })
    expect([...(survivor.getSync('synced') ?? [])]).toEqual(changed)
    expect([...(survivor.getSync('t2') ?? [])]).toEqual([...Buffer.from('t3')])
  })

  test('damage does not make an unsynced batch durable', async () => {
    const backend = await withTail()
    backend.corrupt('t1')
    backend.dropKey('t2')
    expect(keysIn(backend.crash('strict'))).toEqual(['early', 'synced'])
  })

  test('a dropped key is gone from every copy', async () => {
    const backend = await withTail()
    backend.dropKey('early')
    backend.dropKey('t1')
    backend.dropKey('never')
    expect(keysIn(backend.crash('all'))).toEqual(['synced', 't1+', 't2', 't2+', 't3', 't3+', 't4', 't4+'])
  })
})

test('a key that is not made of bytes is refused', async () => {
  const backend = new MemoryBackend()
  await backend.open({ create: true })
  await expect(backend.batch([put('ā')], { sync: false })).rejects.toMatchObject({ code: 'HOLDFAST_ASSERTION' })
})
