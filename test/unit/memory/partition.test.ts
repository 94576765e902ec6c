import { expect, test } from 'vitest'
import { partitionOf } from '../../../src/memory/partition.ts'

function double(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('latin1')
}

const shapes: Record<string, (i: number) => string> = {
  'short numbers': (i) => `k/${i}`,
  'padded slots': (i) => `assignments/${'p'.repeat(43)}/${String(i).padStart(16, '0')}`,
  'big-endian doubles': (i) => `kv/users/${double(i)}`,
  'big-endian doubles and a terminator': (i) => `kv/users/${double(i)}\0`,
  'names with a common ending': (i) => `kv/user${i}/profile`,
  'two-byte characters': (i) => Buffer.from(`name ${i}`, 'utf16le').toString('latin1'),
}

for (const [name, keyOf] of Object.entries(shapes)) {
  for (const count of [1, 3, 8, 64]) {
    test(`${name} spread over ${count} partitions`, () => {
      const sizes = new Array<number>(count).fill(0)
      const keys = 64 * count + 10_000
      for (let i = 0; i < keys; i++) {
        const partition = partitionOf(keyOf(i), count)
        if (!(Number.isInteger(partition) && partition >= 0 && partition < count)) expect.fail(`partition ${partition}`)
        sizes[partition] = (sizes[partition] ?? 0) + 1
      }
      // What matters is that no Map gets nearly everything.
      const fair = keys / count
      expect(Math.max(...sizes)).toBeLessThanOrEqual(count === 1 ? keys : Math.min(keys / 2, 10 * fair))
    })
  }
}

test('the empty key has a partition', () => {
  expect(partitionOf('', 8)).toBeLessThan(8)
})
