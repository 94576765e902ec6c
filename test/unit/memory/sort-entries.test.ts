import { expect, test } from 'vitest'
import { Entry } from '../../../src/memory/index.ts'
import { sortEntries } from '../../../src/memory/sort-entries.ts'
import { seededRandom } from './seeded-random.ts'

function sorted(keys: readonly string[]): string[] {
  const entries = keys.map((key) => new Entry(key, 1, 1, 0, 1, null, 0, 1, -2))
  sortEntries(entries)
  return entries.map((entry) => entry.key)
}

const random = seededRandom(5)
const some = (count: number): number => Math.floor(random() * count)
const bytes = (length: number): string => String.fromCharCode(...Array.from({ length }, () => some(256)))

const shapes: Record<string, () => string> = {
  'random bytes': () => bytes(12),
  'a long common prefix': () => `assignments/${'p'.repeat(43)}/${bytes(6)}`,
  'four equal bytes after the prefix': () => `p/same${bytes(4)}`,
  'different lengths, some empty': () => bytes(some(6)),
  'a prefix that a few keys do not share': () => (some(200) === 0 ? bytes(3) : `common/prefix/${some(1000)}`),
  'keys that are prefixes of others': () => 'a'.repeat(some(40)) + '\0'.repeat(some(3)),
}

for (const [name, keyOf] of Object.entries(shapes)) {
  for (const count of [0, 1, 2, 255, 256, 5000]) {
    test(`${count} keys are in byte order: ${name}`, () => {
      const keys = Array.from({ length: count }, keyOf)
      expect(sorted(keys)).toEqual([...keys].sort())
      expect(sorted([...keys].sort().reverse())).toEqual([...keys].sort())
    })
  }
}
