import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../../src/base/index.ts'
import { childRange, parsePathKey, pathKey, subtreeRanges } from '../../../src/content/keys.ts'
import { parsePath } from '../../../src/content/path.ts'

const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .filter((text) => !/[/\u0000]/.test(text) && text !== '.' && text !== '..')
const names = fc.array(name, { minLength: 1, maxLength: 5 })

describe('a path key', () => {
  test('gives back the parent and the name it was made of', () => {
    fc.assert(
      fc.property(names, (path) => {
        const key = pathKey(path.slice(0, -1), path.at(-1) as string)
        expect(parsePathKey(key)).toEqual({ parent: path.slice(0, -1), name: path.at(-1) })
      }),
    )
  })

  test('lies in the range of its parent, and in no other group’s', () => {
    fc.assert(
      fc.property(names, names, (path, other) => {
        const key = pathKey(path.slice(0, -1), path.at(-1) as string)
        const inside = ({ gte, lt }: { gte: string; lt: string }) => key >= gte && key < lt
        expect(inside(childRange(path.slice(0, -1)))).toBe(true)
        expect(inside(childRange(other))).toBe(path.slice(0, -1).join('/') === other.join('/'))
        const below = other.length < path.length && other.every((each, i) => each === path[i])
        expect(subtreeRanges(other).some(inside)).toBe(below)
      }),
    )
  })

  test('sorts numbers by value before all other names, and those by their UTF-8 bytes', () => {
    const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(number, number, name, name, (a, b, x, y) => {
        const key = (each: string) => pathKey(['g'], each)
        expect(key(String(a)) < key(String(b))).toBe(a < b)
        if (/^(0|[1-9]\d*)$/.test(x) || /^(0|[1-9]\d*)$/.test(y)) return
        expect(key(String(a)) < key(x)).toBe(true)
        expect(Math.sign(Buffer.compare(Buffer.from(x), Buffer.from(y)))).toBe(
          key(x) < key(y) ? -1 : key(x) > key(y) ? 1 : 0,
        )
      }),
    )
  })
})

test('every path that is accepted makes keys within the limit', () => {
  const longest = Array.from({ length: 16 }, () => 'n'.repeat(1000))
  expect(pathKey(parsePath(longest).slice(0, -1), 'n'.repeat(1000)).length).toBeLessThanOrEqual(limits.keyBytesMax)
  expect(() => parsePath([...longest, 'n'.repeat(1000)])).toThrow(
    expect.objectContaining({ code: 'HOLDFAST_INVALID_PATH' }),
  )
  const wide = Array.from({ length: 9 }, () => 'é'.repeat(512))
  expect(parsePath(wide)).toHaveLength(9)
  expect(() => parsePath(['é'.repeat(513)])).toThrow(expect.objectContaining({ code: 'HOLDFAST_INVALID_PATH' }))
})

test('a path is the same whether its names come in one string or in nested lists', () => {
  fc.assert(
    fc.property(names, fc.nat(5), (path, cut) => {
      expect(parsePath(path.join('/'))).toEqual(path)
      expect(parsePath([path.slice(0, cut), [[path.slice(cut)]], '/', ''])).toEqual(path)
    }),
  )
})
