import { beforeEach, describe, expect, test } from 'vitest'
import {
  type Engine,
  type OpenEngine,
  openEngine,
  openVolatileEngine,
  transactBoth,
} from '../../../src/engine/index.ts'
import { MemoryBackend } from '../../../src/kv/index.ts'
import { SimulatedDisk } from '../../../src/testing/index.ts'

const kind = 16
const domain = 'kscratch/'

let opened: OpenEngine
let main: Engine
let scratch: Engine

beforeEach(async () => {
  const backend = new MemoryBackend()
  opened = await openEngine('/disk/store', { fileSystem: new SimulatedDisk().fileSystem, backend })
  main = opened.engine
  scratch = await openVolatileEngine(main)
})

function put(engine: Engine, key: string, text: string): void {
  const payload = Buffer.from(text)
  engine.put(domain + key, domain, kind, payload, payload.length)
}

function read(engine: Engine, key: string): string | undefined {
  const entry = engine.getSync(domain + key)
  return entry === undefined ? undefined : engine.payload(entry)?.toString()
}

async function keysOf(engine: Engine): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of engine.scan({ domain, gte: domain, lt: `${domain}\xff` }))
    keys.push(key.slice(domain.length))
  return keys
}

describe('a volatile engine', () => {
  test('answers what was written, in order of keys, and logs none of it', async () => {
    const before = main.lastSequence
    await scratch.write(undefined, () => {
      put(scratch, 'b', 'two')
      put(scratch, 'a', 'one')
    })
    await scratch.writeStaged(() => put(scratch, 'c', 'three'))
    await scratch.write({ durability: 'sync' }, () => scratch.delete(`${domain}b`, domain))
    expect([read(scratch, 'a'), read(scratch, 'b'), read(scratch, 'c')]).toEqual(['one', undefined, 'three'])
    expect(await keysOf(scratch)).toEqual(['a', 'c'])
    expect((await scratch.get(`${domain}a`))?.key).toBe(`${domain}a`)
    expect([read(main, 'a'), main.lastSequence, scratch.durableSequence]).toEqual([undefined, before, 3])
    await opened.close()
  })

  test('undoes a write that throws', async () => {
    await scratch.write(undefined, () => put(scratch, 'a', 'old'))
    const failed = scratch.write(undefined, () => {
      put(scratch, 'a', 'new')
      scratch.delete(`${domain}a`, domain)
      put(scratch, 'b', 'x')
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await keysOf(scratch)).toEqual(['a'])
    expect(read(scratch, 'a')).toBe('old')
    await opened.close()
  })

  test('does not grow with what was removed', async () => {
    const { dirtyBytes } = scratch.tier
    for (let i = 0; i < 5000; i++) {
      await scratch.write(undefined, () => put(scratch, `k${i}`, 'value'))
      await scratch.write(undefined, () => scratch.delete(`${domain}k${i}`, domain))
    }
    expect(scratch.tier.stats().dirtyEntries).toBe(0)
    expect(scratch.tier.dirtyBytes).toBe(dirtyBytes)
    expect(await keysOf(scratch)).toEqual([])
    await opened.close()
  })

  test('keeps what is put back in the transaction that removed it, and drops what is not', async () => {
    await scratch.write(undefined, () => {
      put(scratch, 'a', '1')
      put(scratch, 'b', '1')
    })
    await scratch.write(undefined, () => {
      scratch.delete(`${domain}a`, domain)
      put(scratch, 'a', '2')
      scratch.delete(`${domain}b`, domain)
      expect(() => {
        void scratch.write(undefined, () => {
          scratch.delete(`${domain}a`, domain)
          throw new Error('inner')
        })
      }).toThrow('inner')
    })
    expect(await keysOf(scratch)).toEqual(['a'])
    expect([read(scratch, 'a'), scratch.tier.stats().dirtyEntries]).toEqual(['2', 1])
    await opened.close()
  })

  test('builds a large transaction without copying it at every put', async () => {
    await scratch.write(undefined, () => {
      for (let i = 0; i < 5000; i++) put(scratch, `k${i}`, `value ${i}`)
    })
    const buffers = new Set<unknown>()
    for (let i = 0; i < 5000; i++) {
      expect(read(scratch, `k${i}`)).toBe(`value ${i}`)
      buffers.add(scratch.getSync(`${domain}k${i}`)?.buffer)
    }
    expect(buffers.size).toBeLessThan(20)
    await opened.close()
  })

  test('announces its changes and keeps none of them', async () => {
    const changes = scratch.changes.watch(undefined, undefined)
    await scratch.write(undefined, () => put(scratch, 'a', '1'))
    const { value } = await changes.next()
    expect(value?.mutations.map(({ key, payload }) => [key, payload.toString()])).toEqual([[`${domain}a`, '1']])
    await changes.return()
    // The log of the main engine has a record of that number, about something else.
    await main.write(undefined, () => put(main, 'other', '1'))
    const late = scratch.changes.watch(1, undefined)
    await expect(late.next()).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_WATCH_LOST' }))
    await opened.close()
  })
})

describe('a transaction over both engines', () => {
  const both = <R>(fn: () => R) => transactBoth(main, scratch, undefined, fn)
  const write = (engine: Engine, key: string) => engine.write(undefined, () => put(engine, key, 'x'))

  test('writes both halves', async () => {
    const promises: Promise<void>[] = []
    const result = await both(() => {
      promises.push(write(main, 'a'), write(scratch, 'a'))
      return 7
    })
    await Promise.all(promises)
    expect([result, await keysOf(main), await keysOf(scratch)]).toEqual([7, ['a'], ['a']])
    await opened.close()
  })

  test('that throws writes neither, also when another one is around it', async () => {
    const failing = () => {
      void write(main, 'a')
      void write(scratch, 'a')
      throw new Error('no')
    }
    await expect(both(failing)).rejects.toThrow('no')
    await both(() => {
      void write(main, 'b')
      expect(() => both(failing)).toThrow('no')
      void write(scratch, 'b')
    })
    expect([await keysOf(main), await keysOf(scratch)]).toEqual([['b'], ['b']])
    await opened.close()
  })

  test('whose function goes on later writes neither', async () => {
    const later = both(async () => {
      void write(main, 'a')
      void write(scratch, 'a')
    })
    await expect(later).rejects.toThrow(TypeError)
    expect([await keysOf(main), await keysOf(scratch)]).toEqual([[], []])
    await opened.close()
  })

  test('may return the promise of a write of either', async () => {
    const answer = (engine: Engine) => engine.write(undefined, () => engine.lastSequence)
    expect(await both(() => answer(main))).toBeTypeOf('number')
    expect(await both(() => answer(scratch))).toBeTypeOf('number')
    await opened.close()
  })

  test('that the store refuses writes neither', async () => {
    main.poison(new Error('disk'))
    await expect(both(() => write(scratch, 'a'))).rejects.toEqual(
      expect.objectContaining({ code: 'HOLDFAST_POISONED' }),
    )
    expect(await keysOf(scratch)).toEqual([])
    await opened.close().catch(() => undefined)
  })

  test('too large for the log writes neither', async () => {
    const large = both(() => {
      void write(scratch, 'a')
      const payload = Buffer.alloc(100 * 1024 * 1024)
      void main.write(undefined, () => {
        for (let i = 0; i < 3; i++) main.put(`${domain}${i}`, domain, kind, payload, payload.length)
      })
    })
    await expect(large).rejects.toEqual(expect.objectContaining({ code: 'HOLDFAST_VALUE_TOO_LARGE' }))
    expect([await keysOf(main), await keysOf(scratch)]).toEqual([[], []])
    await opened.close()
  })
})
