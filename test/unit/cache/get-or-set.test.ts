import { afterEach, describe, expect, it, vi } from 'vitest'
import { Flight } from '../../../src/cache/single-flight.ts'
import type { KeyValue } from '../../../src/index.ts'
import { kvWorld, turns } from './kv-world.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** A load that ends when the test says so. */
class Load {
  calls = 0
  signals: AbortSignal[] = []
  #pending: { resolve: (value: unknown) => void; reject: (error: unknown) => void }[] = []

  readonly loader = (signal: AbortSignal): Promise<unknown> => {
    this.calls++
    this.signals.push(signal)
    return new Promise((resolve, reject) => this.#pending.push({ resolve, reject }))
  }

  resolve(value: unknown): void {
    this.#pending.shift()?.resolve(value)
  }

  reject(error: unknown): void {
    this.#pending.shift()?.reject(error)
  }
}

async function open(): Promise<{ kv: KeyValue; load: Load } & Awaited<ReturnType<typeof kvWorld>>> {
  const world = await kvWorld()
  return { ...world, kv: world.store.kv('n'), load: new Load() }
}

/** What became of a promise that may still be pending. */
function watched<T>(promise: Promise<T>): { state: string; value: unknown } {
  const seen = { state: 'pending', value: undefined as unknown }
  promise.then(
    (value) => Object.assign(seen, { state: 'resolved', value }),
    (error: unknown) => Object.assign(seen, { state: 'rejected', value: error }),
  )
  return seen
}

describe('getOrSet', () => {
  it('loads once for all callers of a key, stores, and then loads no more', async () => {
    const { kv, store, load } = await open()
    const callers = [kv.getOrSet('k', load.loader), store.kv('n').getOrSet('k', load.loader)]
    await turns()
    callers.push(kv.getOrSet('k', load.loader))
    await turns()
    expect(load.calls).toBe(1)
    load.resolve({ a: 1 })
    expect(await Promise.all(callers)).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }])
    expect([await kv.getOrSet('k', load.loader), load.calls, await kv.get('k')]).toEqual([{ a: 1 }, 1, { a: 1 }])
  })

  it('keeps keys apart', async () => {
    const { kv } = await open()
    const load = (n: number) => kv.getOrSet(n, async () => n)
    expect(await Promise.all([1, 2, 1n as never, 2].map(load))).toEqual([1, 2, 1n, 2])
  })

  it('takes a stored undefined or null for a value', async () => {
    const { kv, load } = await open()
    await kv.set('u', undefined)
    expect([await kv.getOrSet('u', load.loader), load.calls]).toEqual([undefined, 0])
    expect(await kv.getOrSet('n', async () => null)).toBe(null)
    expect([await kv.getOrSet('n', load.loader), load.calls]).toEqual([null, 0])
  })

  it('resolves when what was loaded is as durable as the namespace promises', async () => {
    const { kv, store } = await open()
    await kv.getOrSet('k', async () => 1)
    expect(store.durableSequence).toBe(store.lastSequence)
  })

  it('gives each caller a value of its own where it could be changed, frozen where it could not', async () => {
    const { kv, load } = await open()
    const callers = [kv.getOrSet('k', load.loader), kv.getOrSet('k', load.loader)]
    await turns()
    load.resolve({ list: [1], bytes: new Map([['a', 1]]) })
    const [one, other] = (await Promise.all(callers)) as { list: number[]; bytes: Map<string, number> }[]
    one?.bytes.set('a', 2)
    expect(other?.bytes.get('a')).toBe(1)
    expect(() => one?.list.push(2)).toThrow(TypeError)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws at once',
      () => {
        throw new Error('no')
      },
    ],
  ])('leaves nothing behind when the loader %s', async (_, loader) => {
    const { kv, store } = await open()
    const before = store.lastSequence
    await expect(Promise.all([kv.getOrSet('k', loader), kv.getOrSet('k', loader)])).rejects.toThrow('no')
    expect(store.lastSequence).toBe(before)
    expect(await kv.getOrSet('k', async () => 2)).toBe(2)
  })

  it('rejects what cannot be stored, and the next call loads again', async () => {
    const { kv } = await open()
    await expect(kv.getOrSet('k', async () => Symbol('s'))).rejects.toThrow(TypeError)
    expect(await kv.getOrSet('k', async () => 2)).toBe(2)
  })

  it('gives the deadline of the call, else that of the namespace', async () => {
    const { store } = await kvWorld()
    const kv = store.kv('n', { ttlMs: 500 })
    await kv.getOrSet('own', async () => 1, { ttlMs: 20 })
    await kv.getOrSet('default', async () => 1)
    expect([await kv.ttl('own'), await kv.ttl('default')]).toEqual([20, 500])
  })

  it('loads again when the entry is past its deadline', async () => {
    const { kv, clock } = await open()
    let n = 0
    const load = () => kv.getOrSet('k', async () => ++n, { ttlMs: 100 })
    expect([await load(), await load()]).toEqual([1, 1])
    clock.advance(100)
    expect(await load()).toBe(2)
  })
})

describe('a key that changes while it is being loaded', () => {
  it('keeps what was set: the callers get that, and what was loaded is dropped', async () => {
    const { kv, load } = await open()
    const callers = [kv.getOrSet('k', load.loader), kv.getOrSet('k', load.loader)]
    await turns()
    await kv.set('k', 'set')
    load.resolve('loaded')
    expect([await Promise.all(callers), await kv.get('k')]).toEqual([['set', 'set'], 'set'])
  })

  it.each(['delete', 'clear'] as const)(
    'stays away after %s: callers get the value, but it is not stored',
    async (call) => {
      const { kv, load } = await open()
      const caller = kv.getOrSet('k', load.loader)
      await turns()
      await (call === 'delete' ? kv.delete('k') : kv.clear())
      const later = kv.getOrSet('k', load.loader)
      await turns()
      expect(load.calls).toBe(1)
      load.resolve('out of date')
      expect(await caller).toBe('out of date')
      expect(kv.getSync('k')).toBe(undefined)
      await turns()
      expect(load.calls).toBe(2)
      load.resolve('new')
      expect([await later, await kv.get('k')]).toEqual(['new', 'new'])
    },
  )

  it('does not mind a transaction that is undone', async () => {
    const { kv, store, load } = await open()
    const caller = kv.getOrSet('k', load.loader)
    await turns()
    const undone = store.transact(() => {
      void kv.set('k', 'undone')
      throw new Error('no')
    })
    await undone.catch(() => undefined)
    load.resolve('loaded')
    expect([await caller, await kv.get('k')]).toEqual(['loaded', 'loaded'])
  })
})

describe('with a timeout', () => {
  it('rejects the callers, aborts the loader and drops what it brings later', async () => {
    const { kv, load } = await open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const first = watched(kv.getOrSet('k', load.loader, { timeoutMs: 1000 }))
    const second = watched(kv.getOrSet('k', load.loader))
    await turns()
    vi.advanceTimersByTime(999)
    await turns()
    expect([first.state, second.state, load.signals[0]?.aborted]).toEqual(['pending', 'pending', false])
    vi.advanceTimersByTime(1)
    await turns()
    expect([first.value, second.value]).toEqual(Array(2).fill(expect.objectContaining({ code: 'HOLDFAST_TIMEOUT' })))
    expect(load.signals[0]?.aborted).toBe(true)
    const again = watched(kv.getOrSet('k', load.loader))
    await turns()
    load.resolve('too late')
    await turns()
    expect([again.state, kv.getSync('k'), load.calls]).toEqual(['pending', undefined, 2])
    load.resolve('in time')
    await turns()
    expect([again.value, kv.getSync('k')]).toEqual(['in time', 'in time'])
  })

  it('leaves no timer behind', async () => {
    const { kv } = await open()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const before = vi.getTimerCount()
    const loader = async () => {
      expect(vi.getTimerCount()).toBe(before + 1)
      throw new Error('no')
    }
    await kv.getOrSet('k', loader, { timeoutMs: 1000 }).catch(() => undefined)
    const thrower = () => {
      throw new Error('no')
    }
    await kv.getOrSet('k', thrower, { timeoutMs: 1000 }).catch(() => undefined)
    expect(vi.getTimerCount()).toBe(before)
  })
})

describe("a caller's signal", () => {
  it('rejects that caller alone, with an AbortError', async () => {
    const { kv, load } = await open()
    const abort = new AbortController()
    const leaving = watched(kv.getOrSet('k', load.loader, { signal: abort.signal }))
    const staying = watched(kv.getOrSet('k', load.loader))
    await turns()
    abort.abort()
    await turns()
    expect([leaving.state, (leaving.value as Error).name, staying.state]).toEqual(['rejected', 'AbortError', 'pending'])
    expect(load.signals[0]?.aborted).toBe(false)
    load.resolve(1)
    await turns()
    expect([staying.value, await kv.get('k')]).toEqual([1, 1])
  })

  it('aborts the load with the last caller, and the next call loads again', async () => {
    const { kv, load } = await open()
    const [a, b] = [new AbortController(), new AbortController()]
    const one = watched(kv.getOrSet('k', load.loader, { signal: a.signal }))
    const other = watched(kv.getOrSet('k', load.loader, { signal: b.signal }))
    await turns()
    a.abort(new Error('my reason'))
    expect(load.signals[0]?.aborted).toBe(false)
    b.abort()
    expect(load.signals[0]?.aborted).toBe(true)
    const next = watched(kv.getOrSet('k', load.loader))
    await turns()
    expect([one.state, other.state, next.state, load.calls]).toEqual(['rejected', 'rejected', 'pending', 2])
    expect(one.value).toMatchObject({ name: 'AbortError', cause: { message: 'my reason' } })
    load.resolve('dropped')
    load.resolve('kept')
    await turns()
    expect([next.value, kv.getSync('k')]).toEqual(['kept', 'kept'])
  })

  it('that is aborted already loads nothing', async () => {
    const { kv, load } = await open()
    const call = kv.getOrSet('k', load.loader, { signal: AbortSignal.abort() })
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    await turns()
    expect(load.calls).toBe(0)
  })
})

describe('with staleMs', () => {
  const options = { staleMs: 100, ttlMs: 1000 }

  it('answers the old value while one reload runs, then the new one', async () => {
    const { kv, clock, load } = await open()
    const get = () => kv.getOrSet('k', load.loader, options)
    const first = get()
    await turns()
    load.resolve('old')
    await first
    clock.advance(99)
    expect([await get(), load.calls]).toEqual(['old', 1])
    clock.advance(1)
    expect([await get(), await get(), load.calls]).toEqual(['old', 'old', 2])
    load.resolve('new')
    await turns()
    expect([await get(), load.calls, await kv.ttl('k')]).toEqual(['new', 2, 1000])
  })

  it('keeps the old value until its deadline when reloads fail', async () => {
    const { kv, clock, load } = await open()
    await kv.getOrSet('k', async () => 'old', options)
    clock.advance(100)
    for (let call = 1; call <= 2; call++) {
      expect([await kv.getOrSet('k', load.loader, options), load.calls]).toEqual(['old', call])
      load.reject(new Error('down'))
      await turns()
    }
    clock.advance(900)
    const failing = kv.getOrSet('k', load.loader, options)
    await turns()
    load.reject(new Error('down'))
    await expect(failing).rejects.toThrow('down')
    expect(kv.count()).toBe(0)
  })

  it('knows after a crash how old a value is', async () => {
    const world = await kvWorld()
    await world.store.kv('n').getOrSet('k', async () => 'old', options)
    await world.store.checkpoint()
    await world.store.kv('n').getOrSet('l', async () => 'old', options)
    world.clock.advance(100)
    const { store } = await world.crash()
    const load = new Load()
    const kv = store.kv('n')
    expect([await kv.getOrSet('k', load.loader, options), await kv.getOrSet('l', load.loader, options)]).toEqual([
      'old',
      'old',
    ])
    expect(load.calls).toBe(2)
  })

  it('does not count the age of a value that was set, nor keep that of one that is gone', async () => {
    const { kv, clock, store, load } = await open()
    await kv.getOrSet('k', async () => 'loaded', options)
    await kv.getOrSet('l', async () => 'loaded', options)
    await kv.set('k', 'set')
    await kv.delete('l')
    clock.advance(500)
    expect([await kv.getOrSet('k', load.loader, options), load.calls]).toEqual(['set', 0])
    // The entry, and the type of the namespace.
    expect((await store.verify()).entries).toBe(2)
  })

  it('drops what a reload brings after a set', async () => {
    const { kv, clock, load } = await open()
    await kv.getOrSet('k', async () => 'old', options)
    clock.advance(100)
    await kv.getOrSet('k', load.loader, options)
    await kv.set('k', 'set')
    load.resolve('reloaded')
    await turns()
    expect(await kv.get('k')).toBe('set')
  })

  it('goes on with a reload that no caller waits for', async () => {
    const { kv, clock, load } = await open()
    await kv.getOrSet('k', async () => 'old', options)
    clock.advance(100)
    const abort = new AbortController()
    await kv.getOrSet('k', load.loader, { ...options, signal: abort.signal })
    abort.abort()
    expect(load.signals[0]?.aborted).toBe(false)
    load.resolve('new')
    await turns()
    expect(await kv.get('k')).toBe('new')
  })
})

describe('a reload', () => {
  it('goes on when a caller who came to wait for it leaves', async () => {
    const { kv, clock, load } = await open()
    const options = { staleMs: 100, ttlMs: 1000 }
    await kv.getOrSet('k', async () => 'old', options)
    clock.advance(100)
    await kv.getOrSet('k', load.loader, options)
    clock.advance(900)
    const abort = new AbortController()
    const caller = watched(kv.getOrSet('k', load.loader, { ...options, signal: abort.signal }))
    await turns()
    abort.abort()
    await turns()
    expect([caller.state, load.calls, load.signals[0]?.aborted]).toEqual(['rejected', 1, false])
    load.resolve('new')
    await turns()
    expect(await kv.get('k')).toBe('new')
  })
})

describe('a load that fails', () => {
  it('is over before anybody hears of it', () => {
    const ended: string[] = []
    const flight = new Flight({ id: 'k', timeoutMs: undefined, background: false, onEnd: ({ id }) => ended.push(id) })
    const loading = flight.load(() => new Promise(() => undefined))
    flight.fail(new Error('no'))
    expect(ended).toEqual(['k'])
    flight.end()
    expect(ended).toEqual(['k'])
    return expect(loading).rejects.toThrow('no')
  })
})

describe('a store that closes', () => {
  it('aborts loads and rejects their callers', async () => {
    const { kv, store, load } = await open()
    const caller = watched(kv.getOrSet('k', load.loader))
    await turns()
    await store.close()
    expect(caller.value).toMatchObject({ code: 'HOLDFAST_CLOSED' })
    expect(load.signals[0]?.aborted).toBe(true)
  })
})
