import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeKey, encodeKey, type Key } from '../../src/codec/index.ts'

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.constantFrom(2 ** 53, -(2 ** 53), Number.MAX_VALUE, -Number.MAX_VALUE),
)
const nearDouble = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt({ min: -3n, max: 3n }))
  .map(([double, delta]) => BigInt(Math.trunc(double)) + delta)
const bigint = fc.oneof(fc.bigInt(), nearDouble, fc.bigInt({ min: -3n, max: 3n }))
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a', '\uffff', '\u{10000}') }),
)
const bytes = fc.oneof(
  fc.uint8Array(),
  fc.array(fc.constantFrom(0, 1, 2, 255)).map((list) => Uint8Array.from(list)),
)
const scalar: fc.Arbitrary<Key> = fc.oneof(fc.constant(null), fc.boolean(), number, bigint, text, bytes)
const { key: anyKey } = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('key'), { maxLength: 4 })),
}))

// The order by definition, slow and plain.
function compare(a: Key, b: Key): number {
  const [rankA, rankB] = [rank(a), rank(b)]
  if (rankA !== rankB) return rankA - rankB
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array)
  if (Array.isArray(a)) return compareArrays(a as Key[], b as Key[])
  if (a === null) return 0
  if (typeof a === 'boolean') return Number(a) - Number(b)
  // JavaScript compares number and bigint exactly; only a tie is ours to break.
  if ((a as number) < (b as number)) return -1
  if ((a as number) > (b as number)) return 1
  return Number(typeof a === 'bigint') - Number(typeof b === 'bigint')
}

function compareArrays(a: readonly Key[], b: readonly Key[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function rank(key: Key): number {
  if (key === null) return 0
  if (typeof key === 'boolean') return 1
  if (typeof key === 'number' || typeof key === 'bigint') return 2
  if (key instanceof Uint8Array) return 3
  return typeof key === 'string' ? 4 : 5
}

const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const zeroed = (key: Key): Key => (key === 0 ? 0 : Array.isArray(key) ? (key as Key[]).map(zeroed) : key)

describe('order of encoded keys', () => {
  it('equals the order of the keys', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(sign(encodeKey(a), encodeKey(b))).toBe(Math.sign(compare(a, b)))
      }),
      { numRuns: 1500 },
    )
  })

  it('equals the numeric order of numbers and bigints that are close', () => {
    const close = fc.tuple(fc.double({ noNaN: true }), fc.bigInt({ min: -2n, max: 2n })).chain(([double, delta]) => {
      const whole = Number.isFinite(double) ? BigInt(Math.trunc(double)) : 2n ** 1024n
      return fc.shuffledSubarray<Key>([double, whole + delta, whole, Number(whole), whole - delta], {
        minLength: 2,
        maxLength: 2,
      })
    })
    fc.assert(
      fc.property(close, ([a, b]) => {
        expect(sign(encodeKey(a!), encodeKey(b!))).toBe(Math.sign(compare(a!, b!)))
      }),
      { numRuns: 1500 },
    )
  })

  it('is kept when keys are concatenated', () => {
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 3 }), fc.array(anyKey, { maxLength: 3 }), (a, b) => {
        const joined = (keys: Key[]): string => keys.map(encodeKey).join('')
        expect(sign(joined(a), joined(b))).toBe(Math.sign(compareArrays(a, b)))
      }),
      { numRuns: 1000 },
    )
  })

  it('loses nothing: a key comes back', () => {
    fc.assert(
      fc.property(anyKey, (one) => {
        expect(decodeKey(encodeKey(one))).toStrictEqual(zeroed(one))
      }),
      { numRuns: 1000 },
    )
  })

  it('holds for damaged keys too: what decodes at all encodes to the same bytes', () => {
    fc.assert(
      fc.property(anyKey, fc.nat(), fc.nat(255), (one, at, byte) => {
        const encoded = encodeKey(one)
        const index = at % encoded.length
        const damaged = encoded.slice(0, index) + String.fromCharCode(byte) + encoded.slice(index + 1)
        let decoded: Key
        try {
          decoded = decodeKey(damaged)
        } catch (error) {
          expect(error).toMatchObject({ code: 'HOLDFAST_CORRUPT' })
          return
        }
        expect(encodeKey(decoded)).toBe(damaged)
      }),
      { numRuns: 1000 },
    )
  })
})
