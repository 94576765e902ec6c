import { describe, expect, test } from 'vitest'
import { any, capture, matchSimply, Pattern } from '../../../src/cache/pattern.ts'
import { equalValue, sameValue } from '../../../src/cache/tuple-equality.ts'
import type { Tuple } from '../../../src/index.ts'

function captures(pattern: readonly unknown[], tuple: Tuple): unknown[] | undefined {
  const compiled = new Pattern(pattern)
  return compiled.matches(tuple) ? compiled.captured() : undefined
}

describe('a pattern', () => {
  test('matches tuples of its own length only', () => {
    expect(captures([1, any], [1, 2])).toEqual([])
    expect(captures([1, any], [1])).toBeUndefined()
    expect(captures([1, any], [1, 2, 3])).toBeUndefined()
  })

  test('answers captures in order of their numbers, whatever their places', () => {
    expect(captures([capture(3), capture(1), capture(2)], ['c', 'a', 'b'])).toEqual(['a', 'b', 'c'])
    expect(captures([capture(10), capture(9), capture(0)], ['x', 'y', 'z'])).toEqual(['z', 'y', 'x'])
  })

  test('answers a number that comes twice once, and only where both places hold the same', () => {
    const pattern = [capture(1), any, capture(1)]
    expect(captures(pattern, [{ a: [1] }, 0, { a: [1] }])).toEqual([{ a: [1] }])
    expect(captures(pattern, [{ a: [1] }, 0, { a: [2] }])).toBeUndefined()
  })

  test('forgets what an earlier tuple captured', () => {
    const pattern = new Pattern([capture(1), capture(1)])
    expect(pattern.matches([1, 2])).toBe(false)
    expect(pattern.matches([2, 2])).toBe(true)
    expect(pattern.captured()).toEqual([2])
  })

  test('reaches into arrays, plain objects and the values of Maps', () => {
    const pattern = ['k', [any, { name: capture(2), age: any }], new Map<unknown, unknown>([['m', capture(1)]])]
    const map = new Map([['m', 'inner']])
    expect(captures(pattern, ['k', [0, { name: 'n', age: 1 }], map])).toEqual(['inner', 'n'])
    expect(captures(pattern, ['k', [0, { name: 'n' }], map])).toBeUndefined()
    expect(captures(pattern, ['k', [0, { name: 'n', age: 1, more: 1 }], map])).toBeUndefined()
    expect(captures(pattern, ['k', [0], map])).toBeUndefined()
    expect(captures(pattern, ['k', [0, { name: 'n', age: 1 }], new Map([['n', 'inner']])])).toBeUndefined()
    expect(captures(pattern, ['k', [0, { name: 'n', age: 1 }], { m: 'inner' }])).toBeUndefined()
  })

  test('matches literals of every kind by what they hold', () => {
    const literal = [
      ...[null, undefined, true, 1, 2n, 'text', Number.NaN, new Date(5), Uint8Array.of(1, 2)],
      ...[new Set<unknown>([1, { a: 1 }]), new Map<unknown, unknown>([[{ k: 1 }, [2]]]), { a: { b: [1] } }, [1, [2]]],
    ]
    expect(captures(literal, structuredClone(literal) as Tuple)).toEqual([])
    for (let i = 0; i < literal.length; i++) {
      const other = structuredClone(literal) as unknown[]
      other[i] = 'something else'
      expect(captures(literal, other as Tuple), `item ${i}`).toBeUndefined()
    }
  })

  test('tells apart what is not the same: numbers from bigints, objects from arrays, more members from fewer', () => {
    const pairs = [
      [1, 1n],
      ['1', 1],
      [[], {}],
      [{ a: 1 }, { b: 1 }],
      [{ a: undefined }, {}],
      [new Set([1]), new Set([1, 2])],
      [new Set([{ a: 1 }]), new Set([{ a: 2 }])],
      [new Map([[1, 1]]), new Map([[1, 2]])],
      [new Map([[1, undefined]]), new Map([[2, undefined]])],
      [new Map(), new Set()],
      [new Date(1), new Date(2)],
      [new Date(1), 1],
      [Uint8Array.of(1), Uint8Array.of(2)],
      [Uint8Array.of(1), [1]],
      [null, undefined],
    ]
    for (const [a, b] of pairs) {
      expect(captures([a], [b] as Tuple)).toBeUndefined()
      expect(captures([b], [a] as Tuple)).toBeUndefined()
      expect(equalValue(a, b)).toBe(false)
    }
  })

  test('takes 0 for -0, as keys do, which stored values do not', () => {
    expect(captures([0, [-0]], [-0, [0]])).toEqual([])
    expect(equalValue([0], [-0])).toBe(true)
    expect(sameValue([0], [-0])).toBe(false)
    expect(sameValue([Number.NaN], [Number.NaN])).toBe(true)
  })

  test('is not changed by what happens to the array it was made of', () => {
    const pattern: unknown[] = [[1], { a: capture(1) }]
    const compiled = new Pattern(pattern)
    ;(pattern[0] as unknown[])[0] = 2
    pattern[1] = 'other'
    expect(compiled.matches([[1], { a: 'x' }])).toBe(true)
    expect(compiled.captured()).toEqual(['x'])
  })

  test('knows which of its places are literal', () => {
    const pattern = new Pattern([1, any, capture(1), [any], { a: 1 }, [[capture(1)]]])
    expect([0, 1, 2, 3, 4, 5, 6].map((at) => pattern.isLiteral(at))).toEqual([
      ...[true, false, false, false, true, false, false],
    ])
  })

  test('refuses what no tuple can hold, and wildcards where nothing has a place', () => {
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    for (const wrong of ['text', { 0: any }, undefined]) {
      expect(() => new Pattern(wrong as never)).toThrow('must be an array')
    }
    for (const [wrong, message] of [
      [Symbol('any'), 'symbol'],
      [capture, 'capture(1)'],
      [/x/, 'class'],
      [new Set([any]), 'a Set'],
      [new Set([[capture(1)]]), 'a Set'],
      [new Map([[any, 1]]), 'the keys of a Map'],
      [cyclic, 'contain itself'],
    ] as const) {
      expect(() => new Pattern([wrong]), message).toThrow(TypeError)
      expect(() => new Pattern([wrong])).toThrow(message)
    }
  })

  test('matched without being compiled, answers the same or nothing', () => {
    const patterns = [
      ...[
        [1, any, 'x'],
        [capture(0), capture(1), 'x'],
        [1, any],
        [any, any, any],
        [1, any, 'y'],
        [Number.NaN, any, any],
      ],
      ...[
        [capture(2), capture(1), any],
        [capture(1), capture(1), any],
        [1, [2], 'x'],
        [1, Symbol('s'), 'x'],
      ],
    ]
    const tuples: Tuple[] = [
      [1, [2], 'x'],
      [1, 1, 'x'],
      [Number.NaN, 1, 2],
    ]
    const simple = patterns.slice(0, 6)
    for (const pattern of patterns) {
      for (const tuple of tuples) {
        const answer = matchSimply(pattern, tuple)
        if (simple.includes(pattern)) expect(answer || undefined).toEqual(captures(pattern, tuple))
        else expect(answer).toBeUndefined()
      }
    }
  })
})

test('capture takes whole numbers from 0 up, and the same number answers the same', () => {
  for (const wrong of [-1, 1.5, Number.NaN, '1', undefined]) {
    expect(() => capture(wrong as number)).toThrow(TypeError)
  }
  expect(captures([capture(1000), capture(1000)], [1, 2])).toBeUndefined()
  expect(captures([capture(1000), capture(1000)], [1, 1])).toEqual([1])
})
