import { describe, expect, test } from 'vitest'
import { DomainIndex } from '../../../src/memory/domain-index.ts'
import { ENTRY_OVERHEAD, Entry, MemoryTier, TOMBSTONE, UNDECODED } from '../../../src/memory/index.ts'
import { seededRandom } from './seeded-random.ts'

const slab = Buffer.from('....value in a log slab, shared with many others')
const roomy = 1 << 20

let sequence = 0
function written(key: string, options: { value?: unknown; length?: number } = {}): Entry {
  const { value = UNDECODED, length = 5 } = options
  return new Entry(key, 1, ++sequence, 0, value, slab, 4, length, -2)
}

function deleted(key: string): Entry {
  return new Entry(key, TOMBSTONE, ++sequence, 0, undefined, null, 0, 0, -2)
}

function loaded(key: string, length = 5): Entry {
  return new Entry(key, 1, 0, 0, UNDECODED, Buffer.alloc(length), 0, length, -2)
}

function tierOf(budgetBytes = roomy): MemoryTier {
  return new MemoryTier({ partitions: 4, budgetBytes })
}

function keys(entries: readonly Entry[]): string[] {
  return entries.map((entry) => entry.key)
}

describe('reading', () => {
  test('get answers the newest entry, tombstones too, and counts hits and misses', () => {
    const tier = tierOf()
    const [first, second, gone] = [written('a'), written('a'), deleted('b')]
    expect(tier.put(first, 'd')).toBeUndefined()
    expect(tier.put(second, 'd')).toBe(first)
    tier.put(gone, 'd')
    expect(tier.get('a')).toBe(second)
    expect(tier.get('b')).toBe(gone)
    expect(tier.get('c')).toBeUndefined()
    expect(tier.stats()).toMatchObject({ hits: 2, misses: 1, dirtyEntries: 2 })
  })

  test('peek neither counts nor marks the entry as used', () => {
    const tier = tierOf()
    tier.put(written('a'), 'd')
    expect(tier.peek('a')?.visited).toBe(false)
    tier.get('a')
    expect(tier.peek('a')?.visited).toBe(true)
    expect(tier.stats()).toMatchObject({ hits: 1, misses: 0 })
  })
})

describe('generations', () => {
  test('a sealed generation lists its entries in order of application, each key once, the newest', () => {
    const tier = tierOf()
    const [a1, b, a2, c] = [written('a'), written('b'), written('a'), deleted('c')]
    for (const entry of [a1, b, a2, c]) tier.put(entry, 'd')
    expect(tier.seal().entries).toEqual([b, a2, c])
  })

  test('writes after a seal leave the sealed list alone and join the next', () => {
    const tier = tierOf()
    const [a1, a2] = [written('a'), written('a')]
    tier.put(a1, 'd')
    const sealed = tier.seal()
    tier.put(a2, 'd')
    expect(sealed.entries).toEqual([a1])
    expect(tier.stats()).toMatchObject({ dirtyEntries: 2, sealedBytes: a1.cost, dirtyBytes: a1.cost + a2.cost })
    tier.settle(sealed)
    expect(tier.get('a')).toBe(a2)
    expect(tier.seal().entries).toEqual([a2])
  })

  test('two generations are never sealed at once', () => {
    const tier = tierOf()
    const sealed = tier.seal()
    expect(() => tier.seal()).toThrow('one generation is sealed at a time')
    tier.settle(sealed)
    expect(() => tier.settle(sealed)).toThrow('only the sealed generation settles')
    tier.seal()
  })

  test('unsealing puts what is still current in front of the active generation', () => {
    const tier = tierOf()
    const [a, b, c, b2, d] = [written('a'), written('b'), written('c'), written('b'), written('d')]
    for (const entry of [a, b, c]) tier.put(entry, 'd')
    const failed = tier.seal()
    for (const entry of [b2, d]) tier.put(entry, 'd')
    tier.unseal(failed)
    expect(keys(tier.dirtyInRange('d', '', '\u0100'))).toEqual(['a', 'b', 'c', 'd'])
    expect(tier.stats()).toMatchObject({
      dirtyEntries: 4,
      sealedBytes: 0,
      dirtyBytes: a.cost + c.cost + b2.cost + d.cost,
    })
    expect(tier.seal().entries).toEqual([a, c, b2, d])
  })

  test('an undo after unsealing brings the superseded entry back as dirty', () => {
    const tier = tierOf()
    const [a1, a2] = [written('a'), written('a')]
    tier.put(a1, 'd')
    const failed = tier.seal()
    const previous = tier.put(a2, 'd')
    tier.unseal(failed)
    tier.undo(a2, previous, 'd')
    expect(tier.dirtyInRange('d', '', '\u0100')).toEqual([a1])
    expect(tier.seal().entries).toEqual([a1])
  })

  test('a generation that began to settle cannot be unsealed', () => {
    const tier = tierOf()
    for (const key of ['a', 'b']) tier.put(written(key), 'd')
    const sealed = tier.seal()
    expect(tier.settle(sealed, 1)).toBe(false)
    expect(() => tier.unseal(sealed)).toThrow('began to settle')
  })

  test('one key overwritten many times stays one entry, in the list and in scans', () => {
    const tier = tierOf()
    tier.put(written('other'), 'd')
    let last: Entry | undefined
    for (let i = 0; i < 10_000; i++) {
      last = written('counter')
      tier.put(last, 'd')
      if (i % 500 === 0) expect(keys(tier.dirtyInRange('d', '', '\u0100'))).toEqual(['counter', 'other'])
    }
    expect(tier.peek('counter')).toBe(last)
    expect(keys(tier.seal().entries)).toEqual(['other', 'counter'])
  })
})

test('superseded and undone entries do not pile up, although nobody scans', () => {
  const tier = tierOf()
  for (let i = 0; i < 10_000; i++) {
    tier.put(written('counter'), 'd')
    const undone = written('undone')
    tier.undo(undone, tier.put(undone, 'd'), 'd')
  }
  expect(tier.seal().held).toBeLessThan(3000)
})

describe('undo', () => {
  test('takes a put back to absent, to a dirty, a sealed and a clean entry', () => {
    const tier = tierOf()
    const [clean, sealed, dirty] = [loaded('clean'), written('sealed'), written('dirty')]
    tier.admit(clean, tier.settlements)
    tier.put(sealed, 'd')
    const generation = tier.seal()
    tier.put(dirty, 'd')
    const before = tier.stats()
    for (const key of ['absent', 'dirty', 'sealed', 'clean']) {
      const entry = written(key)
      const previous = tier.put(entry, 'd')
      expect(tier.peek(key)).toBe(entry)
      tier.undo(entry, previous, 'd')
      expect(tier.peek(key)).toBe(previous)
    }
    expect(tier.stats()).toEqual(before)
    expect(tier.dirtyAll()).toEqual([dirty, sealed])
    expect(generation.entries).toEqual([sealed])
  })

  test('restores the order of application, also when the list was compacted meanwhile', () => {
    const tier = tierOf()
    const [a, b, c] = [written('a'), written('b'), written('c')]
    for (const entry of [a, b, c]) tier.put(entry, 'd')
    const undone: (() => void)[] = []
    for (let i = 0; i < 5000; i++) {
      const entry = written(i % 2 === 0 ? 'a' : 'b')
      const previous = tier.put(entry, 'd')
      undone.push(() => tier.undo(entry, previous, 'd'))
    }
    for (const undo of undone.reverse()) undo()
    expect(tier.dirtyInRange('d', '', '\u0100')).toEqual([a, b, c])
    expect(tier.seal().entries).toEqual([a, b, c])
  })

  test('refuses a put that is not the newest of its key', () => {
    const tier = tierOf()
    const [a1, a2] = [written('a'), written('a')]
    tier.put(a1, 'd')
    tier.put(a2, 'd')
    expect(() => tier.undo(a1, undefined, 'd')).toThrow('only the newest put')
  })

  test('an entry that settled while it was superseded comes back clean, without the log slab', () => {
    const tier = tierOf()
    const [a1, a2] = [written('a'), written('a')]
    tier.put(a1, 'd')
    const sealed = tier.seal()
    const previous = tier.put(a2, 'd')
    tier.settle(sealed)
    tier.undo(a2, previous, 'd')
    expect(tier.peek('a')).toBe(a1)
    expect(a1.buffer?.length).toBe(5)
    expect(tier.stats()).toMatchObject({ dirtyEntries: 0, dirtyBytes: 0, cleanEntries: 1, cleanBytes: a1.cost })
  })
})

describe('settling', () => {
  test('encoded entries get a buffer of their own with the same bytes', () => {
    const tier = tierOf()
    const entry = written('a')
    tier.put(entry, 'd')
    tier.settle(tier.seal())
    expect(tier.get('a')).toBe(entry)
    expect(entry).toMatchObject({ generation: 0, offset: 0, length: 5 })
    expect(entry.buffer).not.toBe(slab)
    expect(entry.buffer?.toString()).toBe('value')
    expect(entry.buffer?.buffer.byteLength).toBe(5)
  })

  test('decoded entries drop their bytes and are charged for the value alone', () => {
    const tier = tierOf()
    const entry = written('a', { value: 42, length: 40 })
    tier.put(entry, 'd')
    tier.settle(tier.seal())
    expect(entry.buffer).toBeNull()
    expect(tier.stats().cleanBytes).toBe(entry.cost)
    expect(entry.cost).toBeLessThan(ENTRY_OVERHEAD + 40)
  })

  test('tombstones vanish, and superseded entries leave the newer one alone', () => {
    const tier = tierOf()
    const newer = written('b')
    tier.put(deleted('a'), 'd')
    tier.put(written('b'), 'd')
    const sealed = tier.seal()
    tier.put(newer, 'd')
    tier.settle(sealed)
    expect(tier.peek('a')).toBeUndefined()
    expect(tier.peek('b')).toBe(newer)
    expect(tier.stats()).toMatchObject({ dirtyEntries: 1, dirtyBytes: newer.cost, cleanEntries: 0 })
  })

  test('can go in steps, between which the entries not yet reached stay dirty', () => {
    const tier = tierOf()
    for (const key of ['a', 'b', 'c', 'd', 'e']) tier.put(written(key), 'd')
    const sealed = tier.seal()
    expect(tier.settle(sealed, 2)).toBe(false)
    expect(keys(tier.dirtyInRange('d', '', '\u0100'))).toEqual(['c', 'd', 'e'])
    expect(tier.stats()).toMatchObject({ dirtyEntries: 3, cleanEntries: 2 })
    expect(tier.settle(sealed, 2)).toBe(false)
    expect(tier.settle(sealed, 2)).toBe(true)
    expect(tier.stats()).toMatchObject({ dirtyEntries: 0, dirtyBytes: 0, sealedBytes: 0, cleanEntries: 5 })
    expect(sealed.entries).toEqual([])
  })

  test('what `keep` refuses is dropped', () => {
    const tier = tierOf()
    for (const key of ['a', 'b']) tier.put(written(key), 'd')
    tier.settle(tier.seal(), undefined, (entry) => entry.key === 'b')
    expect(tier.peek('a')).toBeUndefined()
    expect(tier.peek('b')).toBeDefined()
  })

  test('without room, an entry nobody read is dropped and one that was read pushes others out', () => {
    const [unread, read, fillers] = [written('unread'), written('read'), 20]
    const tier = tierOf(fillers * loaded('x00').cost + unread.cost + read.cost)
    tier.put(unread, 'd')
    tier.put(read, 'd')
    tier.get('read')
    for (let i = 0; i < fillers; i++) tier.admit(loaded(`x${String(i).padStart(2, '0')}`), tier.settlements)
    const sealed = tier.seal()
    tier.settle(sealed, 1)
    expect(tier.peek('unread')).toBeUndefined()
    expect(tier.stats()).toMatchObject({ cleanEntries: fillers, evictions: 0 })
    tier.put(written('other'), 'd')
    tier.settle(sealed)
    expect(tier.peek('read')).toBe(read)
    expect(tier.stats().evictions).toBeGreaterThan(0)
  })

  test('a snapshot taken before stays readable although its entries settle and change hands', () => {
    const tier = tierOf()
    const original = written('a')
    tier.put(original, 'd')
    const snapshot = tier.dirtyInRange('d', '', '\u0100')
    const sealed = tier.seal()
    tier.put(deleted('a'), 'd')
    tier.settle(sealed)
    expect(snapshot).toEqual([original])
    expect(original.buffer?.toString('latin1', original.offset, original.offset + original.length)).toBe('value')
  })
})

describe('the clean tier', () => {
  test('an entry is admitted once, and not over one that is there', () => {
    const tier = tierOf()
    const [first, dirty] = [loaded('a'), written('b')]
    tier.put(dirty, 'd')
    for (const entry of [first, loaded('a'), loaded('b')]) tier.admit(entry, tier.settlements)
    expect(tier.peek('a')).toBe(first)
    expect(tier.peek('b')).toBe(dirty)
    expect(tier.stats()).toMatchObject({ cleanEntries: 1, cleanBytes: first.cost })
  })

  test('an entry read before the key was written and settled again is stale and not admitted', () => {
    const tier = tierOf()
    const asOf = tier.settlements
    const stale = loaded('a')
    tier.put(deleted('a'), 'd')
    tier.settle(tier.seal())
    tier.admit(stale, asOf)
    expect(tier.peek('a')).toBeUndefined()
  })

  test('an entry of more than an eighth of the budget is not admitted', () => {
    const tier = tierOf(8 * loaded('a', 1000).cost)
    tier.admit(loaded('a', 1000), tier.settlements)
    tier.admit(loaded('b', 1001), tier.settlements)
    expect(tier.peek('a')).toBeDefined()
    expect(tier.peek('b')).toBeUndefined()
  })

  test('dirty entries take its room, down to nothing, and may exceed the budget', () => {
    const tier = tierOf(10_000)
    for (let i = 0; i < 100; i++) tier.admit(loaded(`clean${i}`), tier.settlements)
    expect(tier.stats().cleanBytes).toBeGreaterThan(9_000)
    for (let i = 0; i < 100; i++) {
      tier.put(written(`dirty${i}`), 'd')
      const { cleanBytes, dirtyBytes } = tier.stats()
      expect(cleanBytes).toBeLessThanOrEqual(Math.max(0, 10_000 - dirtyBytes))
    }
    expect(tier.stats()).toMatchObject({ dirtyEntries: 100, cleanEntries: 0, cleanBytes: 0 })
  })

  test('recost charges clean, active, sealed and evicted entries where they are', () => {
    const tier = tierOf()
    const [clean, sealed, active, never] = [loaded('a'), written('b'), written('c'), loaded('e')]
    tier.admit(clean, tier.settlements)
    tier.put(sealed, 'd')
    const generation = tier.seal()
    tier.put(active, 'd')
    for (const entry of [clean, sealed, active, never]) tier.recost(entry, 1000)
    expect(tier.stats()).toMatchObject({ cleanBytes: 1000, sealedBytes: 1000, dirtyBytes: 2000 })
    tier.settle(generation)
    expect(tier.stats()).toMatchObject({ dirtyBytes: 1000, sealedBytes: 0, cleanBytes: 1000 + sealed.cost })
  })
})

describe('dirty ranges', () => {
  test('of two generations the newer entry of a key counts, whichever of them is the larger', () => {
    for (const [older, newer] of [
      [100, 3],
      [3, 100],
    ] as const) {
      const tier = tierOf()
      for (let i = 0; i < older; i++) tier.put(written(`key${String(i).padStart(3, '0')}`), 'd')
      tier.seal()
      const before = sequence
      for (let i = 0; i < newer; i++) tier.put(written(`key${String(i).padStart(3, '0')}`), 'd')
      const found = tier.dirtyInRange('d', '', '\u0100')
      expect(found.length).toBe(100)
      expect(found.filter((entry) => entry.sequence > before).length).toBe(newer)
    }
  })

  test('are merged from few sorted runs, however often somebody scans between writes', () => {
    const index = new DomainIndex()
    for (let i = 0; i < 2000; i++) {
      const entry = written(`key${(i * 7919) % 2000}`)
      entry.generation = 1
      entry.position = i
      index.push(entry)
      expect(index.collect('', '\u0100', 1, false).length).toBe(1)
    }
    expect(index.held).toBe(2000)
    expect(index.runs).toBeLessThanOrEqual(12)
  })

  test('stay in their domain and in [gte, lt)', () => {
    const tier = tierOf()
    for (const key of ['b', 'a', 'd', 'c']) tier.put(written(key), 'one')
    tier.put(written('bb'), 'two')
    expect(keys(tier.dirtyInRange('one', 'b', 'd'))).toEqual(['b', 'c'])
    expect(keys(tier.dirtyInRange('two', '', '\u0100'))).toEqual(['bb'])
    expect(tier.dirtyInRange('three', '', '\u0100')).toEqual([])
    expect(keys(tier.dirtyAll())).toEqual(['a', 'b', 'bb', 'c', 'd'])
  })

  test('a limit counts entries that are no tombstones, from either end', () => {
    const tier = tierOf()
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) tier.put(written(key), 'd')
    tier.seal()
    for (const key of ['a', 'b', 'e']) tier.put(deleted(key), 'd')
    expect(keys(tier.dirtyInRange('d', '', '\u0100', 1))).toEqual(['a', 'b', 'c'])
    expect(keys(tier.dirtyInRange('d', '', '\u0100', 2, true))).toEqual(['f', 'e', 'd'])
    expect(keys(tier.dirtyInRange('d', '', '\u0100', 9, true))).toEqual(['f', 'e', 'd', 'c', 'b', 'a'])
    expect(tier.dirtyInRange('d', '', '\u0100', 0)).toEqual([])
  })

  test('agree with a sorted map through thousands of writes, undos and scans', () => {
    const random = seededRandom(7)
    const tier = tierOf()
    const model = new Map<string, Entry>()
    for (let step = 0; step < 30_000; step++) {
      const key = `key/${Math.floor(random() ** 2 * 4000)}`
      const entry = random() < 0.2 ? deleted(key) : written(key)
      const previous = tier.put(entry, 'd')
      if (random() < 0.1) tier.undo(entry, previous, 'd')
      else model.set(key, entry)
      if (step % 977 !== 0 && step % 979 !== 0) continue
      const [gte, lt] = [`key/${Math.floor(random() * 4000)}`, `key/${Math.floor(random() * 10)}`]
      const expected = [...model.values()].filter((e) => e.key >= gte && e.key < lt)
      expected.sort((a, b) => (a.key < b.key ? -1 : 1))
      const found = tier.dirtyInRange('d', gte, lt)
      expect(keys(found)).toEqual(keys(expected))
      expect(found.every((e, i) => e === expected[i])).toBe(true)
      if (step === 977 * 11) tier.unseal(tier.seal())
    }
    expect(tier.stats().dirtyEntries).toBe(model.size)
    const { entries } = tier.seal()
    expect(new Set(entries)).toEqual(new Set(model.values()))
    expect(entries.every((entry, i) => i === 0 || (entries[i - 1]?.sequence ?? 0) < entry.sequence)).toBe(true)
  })
})
