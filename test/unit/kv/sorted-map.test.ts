import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedMap } from '../../../src/kv/sorted-map.ts'

const key = fc.string({ unit: fc.constantFrom('\x00', 'a', 'b', '\xff'), maxLength: 3 })
const step = fc.oneof(
  fc.record({ set: key, value: fc.nat() }),
  fc.record({ delete: key }),
  fc.record({ gte: key, lt: key, reverse: fc.boolean(), limit: fc.integer({ min: -1, max: 4 }) }),
)

test('any mix of writes and ranges answers like sorting the whole map each time', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new SortedMap<number>()
      const model = new Map<string, number>()
      for (const one of steps) {
        if ('set' in one) {
          map.set(one.set, one.value)
          model.set(one.set, one.value)
        } else if ('delete' in one) {
          map.delete(one.delete)
          model.delete(one.delete)
        } else {
          const inRange = [...model.keys()].sort().filter((name) => name >= one.gte && name < one.lt)
          const ordered = one.reverse ? inRange.reverse() : inRange
          const expected = one.limit < 0 ? ordered : ordered.slice(0, one.limit)
          expect(map.keys(one.gte, one.lt, one.reverse, one.limit)).toEqual(expected)
        }
        expect(map.size).toBe(model.size)
      }
    }),
    { numRuns: 500 },
  )
})
