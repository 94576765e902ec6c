import { expect, test } from 'vitest'
import { Entry, MemoryTier, UNDECODED } from '../../../src/memory/index.ts'
import { Sieve } from '../../../src/memory/sieve.ts'
import { seededRandom } from './seeded-random.ts'

function clean(key: string): Entry {
  return new Entry(key, 1, 0, 0, UNDECODED, Buffer.alloc(8), 0, 8, -2)
}

/** SIEVE over an array, newest first, as one would write it on a blackboard. */
class Reference {
  readonly queue: { key: number; visited: boolean }[] = []
  hand = -1

  hit(key: number): boolean {
    const node = this.queue.find((n) => n.key === key)
    if (node === undefined) return false
    node.visited = true
    return true
  }

  insert(key: number): void {
    this.queue.unshift({ key, visited: false })
    if (this.hand >= 0) this.hand++
  }

  remove(key: number): void {
    const at = this.queue.findIndex((n) => n.key === key)
    this.queue.splice(at, 1)
    if (at <= this.hand) this.hand--
  }

  evict(): number {
    let at = this.hand >= 0 ? this.hand : this.queue.length - 1
    for (let node = this.queue[at]; node?.visited; node = this.queue[at]) {
      node.visited = false
      at = at > 0 ? at - 1 : this.queue.length - 1
    }
    const key = this.queue[at]?.key ?? -1
    this.queue.splice(at, 1)
    this.hand = at - 1
    return key
  }
}

test('evicts what a reference simulation evicts, with removals in between', () => {
  const random = seededRandom(3)
  for (let run = 0; run < 10; run++) {
    const sieve = new Sieve()
    const reference = new Reference()
    const entries = new Map<number, Entry>()
    for (let step = 0; step < 2000; step++) {
      const key = Math.floor(random() ** 2 * 200)
      const entry = entries.get(key)
      if (reference.hit(key) !== (entry !== undefined)) expect.fail(`key ${key} is in one and not in the other`)
      if (entry !== undefined) {
        entry.visited = true
        if (random() < 0.05) {
          sieve.remove(entry)
          reference.remove(key)
          entries.delete(key)
        }
        continue
      }
      const added = clean(String(key))
      entries.set(key, added)
      sieve.insert(added)
      reference.insert(key)
      if (sieve.entries <= 50) continue
      const victim = sieve.evict().key
      const expected = String(reference.evict())
      if (victim !== expected) expect.fail(`evicted ${victim} instead of ${expected} at step ${step}`)
      entries.delete(Number(victim))
    }
  }
})

test('one eviction spares a bounded number of visited entries', () => {
  const sieve = new Sieve()
  const entries = Array.from({ length: 5000 }, (_, i) => clean(String(i)))
  for (const entry of entries) {
    sieve.insert(entry)
    entry.visited = true
  }
  sieve.evict()
  expect(entries.filter((entry) => !entry.visited).length).toBeLessThanOrEqual(1024)
  expect(sieve.entries).toBe(4999)
})

/** Reads through the tier: a miss loads and admits. */
function read(tier: MemoryTier, key: string): boolean {
  if (tier.get(key) !== undefined) return true
  tier.admit(clean(key), tier.settlements)
  return false
}

test('a one-pass scan larger than the budget does not flush the hot set', () => {
  const tier = new MemoryTier({ partitions: 4, budgetBytes: 1000 * clean('hot000').cost })
  const hot = Array.from({ length: 500 }, (_, i) => `hot${String(i).padStart(3, '0')}`)
  for (let round = 0; round < 3; round++) for (const key of hot) read(tier, key)
  for (let i = 0; i < 20_000; i++) read(tier, `scan${i}`)
  const kept = hot.filter((key) => tier.peek(key) !== undefined).length
  expect(kept).toBe(hot.length)
})

function zipf(random: () => number, items: number, exponent: number): () => number {
  const cumulative: number[] = []
  let total = 0
  for (let rank = 1; rank <= items; rank++) cumulative.push((total += 1 / rank ** exponent))
  return () => {
    const at = random() * total
    let [low, high] = [0, items - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((cumulative[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

test('its hit rate on a Zipf trace beats an LRU of the same size by several percent', () => {
  const next = zipf(seededRandom(11), 20_000, 0.99)
  const capacity = 1000
  const tier = new MemoryTier({ partitions: 4, budgetBytes: capacity * clean('00000').cost })
  const lru = new Map<string, true>()
  const hits = { tier: 0, lru: 0 }
  for (let i = 0; i < 200_000; i++) {
    const key = String(next()).padStart(5, '0')
    if (read(tier, key)) hits.tier++
    if (lru.delete(key)) hits.lru++
    else if (lru.size >= capacity) lru.delete(lru.keys().next().value ?? '')
    lru.set(key, true)
  }
  expect(tier.stats().cleanEntries).toBe(capacity)
  expect(hits.tier).toBeGreaterThan(hits.lru * 1.04)
})
