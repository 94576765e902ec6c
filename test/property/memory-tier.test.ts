import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Entry, entryCost, type Generation, MemoryTier, TOMBSTONE, UNDECODED } from '../../src/memory/index.ts'

const KEYS = Array.from(
  { length: 12 },
  (_, i) => `${i % 3}/${String.fromCharCode(97 + ((i * 7) % 9))}${'\u00ff'.repeat(i % 2)}`,
)
const domainOf = (key: string): string => key.slice(0, 1)
const SLAB = Buffer.alloc(4096, 7)

type Stored = { sequence: number; length: number }

/** The tier and, beside it, what a plain reading of its contract says it must hold. */
class Model {
  readonly tier: MemoryTier
  readonly backend = new Map<string, Stored>()
  readonly dirty = new Map<string, Entry>()
  active: Entry[] = []
  sealed: Entry[] = []
  generation: Generation | undefined
  settled = 0
  sequence = 0
  readonly reads: { key: string; stored: Stored; asOf: number }[] = []
  readonly budget: number

  constructor(budget: number) {
    this.budget = budget
    this.tier = new MemoryTier({ partitions: 3, budgetBytes: budget })
  }

  entry(key: string, tombstone: boolean, length: number, decoded: boolean): Entry {
    const value = decoded ? { length } : UNDECODED
    if (tombstone) return new Entry(key, TOMBSTONE, this.sequence, 0, undefined, null, 0, 0, -2)
    return new Entry(key, 1, this.sequence, 0, value, SLAB, this.sequence % 8, length, -2)
  }

  put(entry: Entry): () => void {
    const { key } = entry
    const previous = this.tier.put(entry, domainOf(key))
    const before = this.dirty.get(key)
    if (before !== undefined) expect(previous).toBe(before)
    const active = [...this.active]
    this.active = active.filter((other) => other !== before)
    this.active.push(entry)
    this.dirty.set(key, entry)
    return () => {
      this.tier.undo(entry, previous, domainOf(key))
      this.active = active
      if (before === undefined) this.dirty.delete(key)
      else this.dirty.set(key, before)
    }
  }

  seal(): void {
    if (this.generation !== undefined) return
    this.generation = this.tier.seal()
    expect(this.generation.bytes).toBe(sum(this.active))
    expect(this.generation.entries.map((e) => e.sequence)).toEqual(this.active.map((e) => e.sequence))
    expect(new Set(this.generation.entries)).toEqual(new Set(this.active))
    this.sealed = this.active
    this.active = []
    this.settled = 0
  }

  settle(count: number, refuse: boolean): void {
    if (this.generation === undefined) return
    const order = [...this.generation.entries]
    if (this.settled === 0) this.checkpoint(order)
    const done = this.tier.settle(this.generation, count, refuse ? () => false : undefined)
    const passed = order.slice(this.settled, this.settled + count)
    this.settled += passed.length
    for (const entry of passed) if (this.dirty.get(entry.key) === entry) this.dirty.delete(entry.key)
    this.sealed = order.slice(this.settled)
    expect(done).toBe(this.sealed.length === 0)
    if (done) this.generation = undefined
  }

  checkpoint(entries: readonly Entry[]): void {
    for (const { key, kind, sequence, length } of entries) {
      if (kind === TOMBSTONE) this.backend.delete(key)
      else this.backend.set(key, { sequence, length })
    }
  }

  unseal(): void {
    if (this.generation === undefined || this.settled > 0) return
    this.tier.unseal(this.generation)
    this.active = [...this.sealed.filter((e) => this.dirty.get(e.key) === e), ...this.active]
    this.sealed = []
    this.generation = undefined
  }

  beginRead(key: string): void {
    const stored = this.backend.get(key)
    if (this.tier.peek(key) === undefined && stored !== undefined) {
      this.reads.push({ key, stored, asOf: this.tier.settlements })
    }
  }

  endRead(): void {
    const read = this.reads.shift()
    if (read === undefined) return
    const { key, stored, asOf } = read
    const buffer = Buffer.allocUnsafeSlow(stored.length)
    this.tier.admit(new Entry(key, 1, stored.sequence, 0, UNDECODED, buffer, 0, stored.length, -2), asOf)
  }

  decode(key: string): void {
    const entry = this.tier.peek(key)
    if (entry === undefined || entry.value !== UNDECODED) return
    entry.value = { length: entry.length }
    this.tier.recost(entry)
  }

  scan(domain: string, gte: string, lt: string, limit: number, reverse: boolean): void {
    const expected = [...this.dirty.values()].filter((e) => domainOf(e.key) === domain && e.key >= gte && e.key < lt)
    expected.sort((a, b) => (a.key < b.key ? -1 : 1))
    if (reverse) expected.reverse()
    let end = 0
    for (let left = limit; end < expected.length && left > 0; end++) if (expected[end]?.kind !== TOMBSTONE) left--
    const found = this.tier.dirtyInRange(domain, gte, lt, limit, reverse)
    expect(found.map(describe)).toEqual(expected.slice(0, end).map(describe))
  }

  check(): void {
    const clean: Entry[] = []
    for (const key of KEYS) {
      const entry = this.tier.peek(key)
      const dirty = this.dirty.get(key)
      if (dirty !== undefined) {
        expect(entry).toBe(dirty)
      } else if (entry !== undefined) {
        expect(entry.sequence).toBe(this.backend.get(key)?.sequence)
        expect(entry.generation).toBe(0)
        expect(entry.buffer === null || entry.buffer.length === entry.length).toBe(true)
        expect(entry.cost).toBe(entryCost(entry))
        clean.push(entry)
      }
    }
    const stats = this.tier.stats()
    const dirtyBytes = sum(this.active) + sum(this.sealed)
    expect(stats.dirtyEntries).toBe(this.active.length + this.sealed.length)
    expect(stats.dirtyBytes).toBe(dirtyBytes)
    expect(stats.sealedBytes).toBe(sum(this.sealed))
    expect(stats.cleanEntries).toBe(clean.length)
    expect(stats.cleanBytes).toBe(sum(clean))
    expect(stats.cleanBytes).toBeLessThanOrEqual(Math.max(0, this.budget - dirtyBytes))
    expect(this.tier.dirtyAll().map(describe)).toEqual(
      [...this.dirty.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(describe),
    )
  }
}

function sum(entries: readonly Entry[]): number {
  return entries.reduce((bytes, entry) => bytes + entry.cost, 0)
}

function describe(entry: Entry): string {
  return `${entry.key} ${entry.sequence} ${entry.kind} ${entry.length}`
}

const key = fc.constantFrom(...KEYS)
const write = fc.record({
  key,
  tombstone: fc.boolean(),
  length: fc.integer({ min: 0, max: 300 }),
  decoded: fc.boolean(),
})
const operation = fc.oneof(
  { weight: 6, arbitrary: write.map((w) => ({ do: 'put' as const, ...w })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ writes: fc.array(write, { minLength: 1, maxLength: 6 }), undone: fc.integer({ min: 1, max: 6 }) })
      .map((t) => ({ do: 'transaction' as const, ...t })),
  },
  { weight: 3, arbitrary: key.map((k) => ({ do: 'get' as const, key: k })) },
  { weight: 2, arbitrary: key.map((k) => ({ do: 'decode' as const, key: k })) },
  { weight: 4, arbitrary: key.map((k) => ({ do: 'beginRead' as const, key: k })) },
  { weight: 3, arbitrary: fc.constant({ do: 'endRead' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'seal' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      count: fc.integer({ min: 1, max: 8 }),
      refuse: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'unseal' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('scan' as const),
      domain: fc.constantFrom('0', '1', '2', 'absent'),
      gte: key,
      lt: fc.oneof(key, fc.constant('\u0100')),
      limit: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 4 })),
      reverse: fc.boolean(),
    }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

function apply(model: Model, op: Operation): void {
  switch (op.do) {
    case 'put':
      model.sequence++
      model.put(model.entry(op.key, op.tombstone, op.length, op.decoded))
      return
    case 'transaction': {
      model.sequence++
      const undo = op.writes.map((w) => model.put(model.entry(w.key, w.tombstone, w.length, w.decoded)))
      for (const take of undo.slice(-op.undone).reverse()) take()
      return
    }
    case 'get':
      model.tier.get(op.key)
      return
    case 'decode':
      return model.decode(op.key)
    case 'beginRead':
      return model.beginRead(op.key)
    case 'endRead':
      return model.endRead()
    case 'seal':
      return model.seal()
    case 'settle':
      return model.settle(op.count, op.refuse)
    case 'unseal':
      return model.unseal()
    case 'scan':
      return model.scan(op.domain, op.gte, op.lt, op.limit, op.reverse)
  }
}

test('the tier agrees with plain maps under any order of operations', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 150, size: 'max' }),
      fc.constantFrom(1, 5_000, 9_000, 1_000_000),
      (operations, budget) => {
        const model = new Model(budget)
        for (const op of operations) {
          apply(model, op)
          model.check()
        }
      },
    ),
    { numRuns: 200 },
  )
})
