/**
 * Micro-benchmarks of the memory tier beside a bare Map. Ratios count, absolute times depend on the machine.
 * Run: node --import tsx --expose-gc --no-flush-bytecode bench/memory.ts [put get churn settle scan memory]
 */
import { spawnSync } from 'node:child_process'
import { Entry, type Generation, MemoryTier, UNDECODED } from '../src/memory/index.ts'

const ROUNDS = 9
const COUNT = 100_000
const slab = Buffer.alloc(1 << 20)

function keysOf(count: number, prefix: string): string[] {
  const keys: string[] = []
  // Not in order, but the same at every run.
  for (let i = 0; i < count; i++) {
    const mixed = Math.imul(i, 0x9e3779b1) >>> 0
    keys.push(Buffer.from(`${prefix}/${mixed.toString(36).padStart(7, '0')}`, 'latin1').toString('latin1'))
  }
  return keys
}

function entryOf(key: string, sequence: number): Entry {
  return new Entry(key, 1, sequence, 0, sequence, slab, (sequence * 24) % (1 << 19), 24, -1)
}

function tierOf(budgetBytes = 1 << 30): MemoryTier {
  return new MemoryTier({ partitions: 8, budgetBytes })
}

interface Contender {
  readonly name: string
  readonly operations: number
  run(): number
}

/** Interleaves the contenders, so that a noisy moment hits all; prints medians and the ratio to the first. */
function compare(title: string, contenders: readonly Contender[]): void {
  const times = contenders.map(() => [] as number[])
  for (let round = 0; round < ROUNDS + 2; round++) {
    contenders.forEach((contender, i) => {
      globalThis.gc?.()
      const elapsed = contender.run()
      if (round >= 2) times[i]?.push((elapsed * 1e6) / contender.operations)
    })
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0)
  console.log(`\n${title}`)
  contenders.forEach((contender, i) => {
    const [median, first] = [medians[i] ?? 0, medians[0] ?? 1]
    const best = times[i]?.[0] ?? 0
    console.log(
      `  ${contender.name.padEnd(44)} ${median.toFixed(0).padStart(8)} ns  best ${best.toFixed(0).padStart(7)}  x${(median / first).toFixed(2)}`,
    )
  })
}

/** Processor milliseconds, garbage collection included: steadier than wall time on a machine that does other things. */
function timed(body: () => void): number {
  const start = process.cpuUsage()
  body()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

let sink = 0

function benchPut(): void {
  const keys = keysOf(COUNT, 'kv/users/profile')
  const bare = {
    name: 'Map.set',
    operations: COUNT,
    run: () => {
      const map = new Map<string, number>()
      return timed(() => {
        for (let i = 0; i < COUNT; i++) map.set(keys[i] ?? '', i)
      })
    },
  }
  const objects = {
    name: 'new Entry + Map.set',
    operations: COUNT,
    run: () => {
      const map = new Map<string, Entry>()
      return timed(() => {
        for (let i = 0; i < COUNT; i++) {
          const e = entryOf(keys[i] ?? '', i)
          map.set(e.key, e)
        }
      })
    },
  }
  const put = {
    name: 'new Entry + put',
    operations: COUNT,
    run: () => {
      const tier = tierOf()
      return timed(() => {
        for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), 'users')
      })
    },
  }
  const over = {
    name: 'new Entry + put over a dirty entry',
    operations: COUNT,
    run: () => {
      const tier = tierOf()
      for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), 'users')
      return timed(() => {
        for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), 'users')
      })
    },
  }
  const domains = Array.from({ length: 1000 }, (_, i) => `process-${i}`)
  const many = {
    name: 'new Entry + put, 1000 domains in turn',
    operations: COUNT,
    run: () => {
      const tier = tierOf()
      return timed(() => {
        for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), domains[i % 1000] ?? '')
      })
    },
  }
  compare('put, 100k distinct keys', [bare, objects, put, over, many])
}

function benchGet(): void {
  const keys = keysOf(COUNT, 'kv/users/profile')
  const map = new Map<string, Entry>()
  const tier = tierOf()
  for (let i = 0; i < COUNT; i++) {
    const entry = entryOf(keys[i] ?? '', i)
    map.set(entry.key, entry)
    tier.put(entry, 'users')
  }
  const hot = keys.slice(0, 1000)
  compare('get, hit, 100k keys', [
    {
      name: 'Map.get',
      operations: COUNT,
      run: () =>
        timed(() => {
          for (let i = 0; i < COUNT; i++) sink += map.get(keys[i] ?? '')?.kind ?? 0
        }),
    },
    {
      name: 'get',
      operations: COUNT,
      run: () =>
        timed(() => {
          for (let i = 0; i < COUNT; i++) sink += tier.get(keys[i] ?? '')?.kind ?? 0
        }),
    },
  ])
  compare('get, hit, 1000 hot keys', [
    {
      name: 'Map.get',
      operations: COUNT,
      run: () =>
        timed(() => {
          for (let i = 0; i < COUNT; i++) sink += map.get(hot[i % 1000] ?? '')?.kind ?? 0
        }),
    },
    {
      name: 'get',
      operations: COUNT,
      run: () =>
        timed(() => {
          for (let i = 0; i < COUNT; i++) sink += tier.get(hot[i % 1000] ?? '')?.kind ?? 0
        }),
    },
  ])
}

function benchChurn(): void {
  const keys = keysOf(COUNT, 'kv/users/profile')
  compare('clean churn: 100k keys through room for about 10k', [
    {
      name: 'Map.set + delete of the oldest',
      operations: COUNT,
      run: () => {
        const map = new Map<string, Entry>()
        return timed(() => {
          for (let i = 0; i < COUNT; i++) {
            const e = entryOf(keys[i] ?? '', i)
            map.set(e.key, e)
            if (i >= 10_000) map.delete(keys[i - 10_000] ?? '')
          }
        })
      },
    },
    {
      name: 'admit + evict',
      operations: COUNT,
      run: () => {
        const tier = tierOf(2_500_000)
        return timed(() => {
          for (let i = 0; i < COUNT; i++) tier.admit(entryOf(keys[i] ?? '', i), 0)
        })
      },
    },
  ])
}

function benchSettle(): void {
  const keys = keysOf(COUNT, 'kv/users/profile')
  const sealed = (value: unknown, length: number, budget: number): [MemoryTier, Generation] => {
    const tier = tierOf(budget)
    for (let i = 0; i < COUNT; i++) tier.put(new Entry(keys[i] ?? '', 1, i, 0, value, slab, 0, length, -1), 'users')
    return [tier, tier.seal()]
  }
  const contender = (name: string, value: unknown, length: number, budget = 1 << 30): Contender => ({
    name,
    operations: COUNT,
    run: () => {
      const [tier, generation] = sealed(value, length, budget)
      return timed(() => {
        while (!tier.settle(generation, 1000));
      })
    },
  })
  compare('settle, 100k entries', [
    contender('decoded', 1, 24),
    contender('undecoded, 24 bytes', UNDECODED, 24),
    contender('undecoded, 200 bytes', UNDECODED, 200),
    contender('undecoded, 2200 bytes', UNDECODED, 2200),
    contender('undecoded, no room: dropped', UNDECODED, 200, 1_000_000),
  ])
  compare('seal, 100k entries', [
    {
      name: 'seal',
      operations: 1,
      run: () => {
        const tier = tierOf()
        for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), 'users')
        return timed(() => {
          tier.seal()
        })
      },
    },
  ])
}

function benchScan(): void {
  const random = keysOf(COUNT, 'kv/users/profile')
  const slots = Array.from({ length: COUNT }, (_, i) => `assignments/${'p'.repeat(43)}/${String(i).padStart(16, '0')}`)
  for (const [name, keys] of [
    ['random keys', random],
    ['ascending keys', slots],
  ] as const) {
    const fill = (): MemoryTier => {
      const tier = tierOf()
      for (let i = 0; i < COUNT; i++) tier.put(entryOf(keys[i] ?? '', i), 'users')
      return tier
    }
    const middle = [...keys].sort()
    const [from, to] = [middle[50_000] ?? '', middle[50_100] ?? '']
    const warm = fill()
    sink += warm.dirtyInRange('users', from, to).length
    compare(`scan of 100 among 100k dirty, ${name}`, [
      {
        name: 'repeated',
        operations: 1000,
        run: () =>
          timed(() => {
            for (let i = 0; i < 1000; i++) sink += warm.dirtyInRange('users', from, to).length
          }),
      },
      {
        name: 'repeated, 10 puts between',
        operations: 1000,
        run: () =>
          timed(() => {
            for (let i = 0; i < 1000; i++) {
              for (let j = 0; j < 10; j++) warm.put(entryOf(keys[(i * 7919 + j * 104729) % COUNT] ?? '', i), 'users')
              sink += warm.dirtyInRange('users', from, to).length
            }
          }),
      },
      {
        name: 'all 100k',
        operations: 1,
        run: () =>
          timed(() => {
            sink += warm.dirtyInRange('users', '', '\u0100').length
          }),
      },
      {
        name: 'first',
        operations: 1,
        run: () => {
          const tier = fill()
          return timed(() => {
            sink += tier.dirtyInRange('users', from, to).length
          })
        },
      },
    ])
  }
}

const memoryKeyLength = 32
const memoryRows: Record<string, (key: string, i: number) => Entry> = {
  'dirty, in a slab, 24 bytes': (key, i) => new Entry(key, 1, i, 0, UNDECODED, slab, 0, 24, -1),
  'clean, small integer': (key, i) => new Entry(key, 1, i, 0, i, slab, 0, 24, -1),
}
for (const length of [24, 60, 80, 200, 1000, 2200]) {
  memoryRows[`clean, own buffer of ${length}`] = (key, i) => new Entry(key, 1, i, 0, UNDECODED, slab, 0, length, -1)
}

function collectedUsage(): NodeJS.MemoryUsage {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  return process.memoryUsage()
}

/** In a process of its own: resident memory says nothing once something else was there and left. */
function memoryRow(name: string): void {
  const build = memoryRows[name]
  if (build === undefined) throw new Error(`no such row: ${name}`)
  const keys = keysOf(COUNT, 'k'.repeat(memoryKeyLength - 8))
  const before = collectedUsage()
  const tier = tierOf()
  keys.forEach((key, i) => tier.put(build(key, i), 'users'))
  if (name.startsWith('clean')) tier.settle(tier.seal())
  const after = collectedUsage()
  const each = (field: 'heapUsed' | 'external' | 'rss'): string => ((after[field] - before[field]) / COUNT).toFixed(0)
  const { cleanBytes, dirtyBytes } = tier.stats()
  const charged = ((cleanBytes + dirtyBytes) / COUNT - memoryKeyLength).toFixed(0)
  console.log(
    `  ${name.padEnd(32)} heap ${each('heapUsed')}, external ${each('external')}, resident ${each('rss')}; charged ${charged}`,
  )
}

function benchMemory(): void {
  console.log('\nbytes per entry beyond its key, 100k entries')
  for (const name of Object.keys(memoryRows)) {
    const script = process.argv[1] ?? ''
    spawnSync(process.execPath, [...process.execArgv, script, 'row', name], { stdio: 'inherit' })
  }
}

const benches = {
  put: benchPut,
  get: benchGet,
  churn: benchChurn,
  settle: benchSettle,
  scan: benchScan,
  memory: benchMemory,
}
const chosen = process.argv.slice(2)
if (chosen[0] === 'row') memoryRow(chosen[1] ?? '')
else for (const [name, bench] of Object.entries(benches)) if (chosen.length === 0 || chosen.includes(name)) bench()
if (sink < 0) console.log(sink)
