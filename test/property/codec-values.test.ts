import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { hasCode } from '../../src/base/index.ts'
import { type DecodedValue, decodePrimitive, decodeValue, NOT_PRIMITIVE, ValueEncoder } from '../../src/codec/index.ts'
import { effort } from '../support/effort.ts'

const encoder = new ValueEncoder()

function bytesOf(value: unknown): Buffer {
  const end = encoder.encode(value, 3)
  return Buffer.from(encoder.buffer.subarray(3, end))
}

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer({ min: -70, max: 300 }),
  fc.constantFrom(-0, 0, 32767, 32768, 65535, 65536, -32768, -32769, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31) - 1),
)
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.bigInt({ min: -(2n ** 3000n), max: 2n ** 3000n }),
  fc.constantFrom(10n, 2n ** 127n, -(2n ** 127n), -(2n ** 127n) - 1n, 2n ** 191n),
)
const wellFormed = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 10, maxLength: 400 }),
  fc.string({ unit: fc.constantFrom('é', 'a', '€', '😀', '\ufffd', '\0'), maxLength: 100 }),
)
// Any UTF-16 units, so that surrogates stand alone.
const units = fc
  .array(fc.oneof(fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 30 })
  .map((list) => String.fromCharCode(...list))
const text = fc.oneof(wellFormed, units)
const name = fc.oneof(text, fc.constantFrom('__proto__', 'a', 'b', '1', '10', '2', 'toString', 'constructor', 'length'))
const date = fc.date({ noInvalidDate: true })
const byteArray = fc.uint8Array({ maxLength: 300 })
const primitive: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(null, undefined), fc.boolean(), number, bigint, text)

interface Trees {
  any: unknown
  small: unknown
  shared: unknown
}

const trees = fc.letrec<Trees>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(primitive, date, byteArray),
    fc.array(tie('any'), { maxLength: 18 }),
    fc.dictionary(name, tie('any'), { maxKeys: 18 }),
    fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 6 }).map((entries) => new Map(entries)),
    fc.array(tie('any'), { maxLength: 18 }).map((items) => new Set(items)),
  ),
  small: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(primitive, date, fc.uint8Array({ maxLength: 5 })),
    fc.array(tie('small'), { maxLength: 3 }),
    fc.dictionary(name, tie('small'), { maxKeys: 3 }),
    fc.array(fc.tuple(tie('small'), tie('small')), { maxLength: 2 }).map((entries) => new Map(entries)),
    fc.array(tie('small'), { maxLength: 3 }).map((items) => new Set(items)),
  ),
  // What msgpackr writes and reads as this format does.
  shared: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.constantFrom(null, undefined),
      fc.boolean(),
      number.filter(isShared),
      wellFormed,
      byteArray.map(toBuffer),
    ),
    fc.array(tie('shared'), { maxLength: 18 }),
    fc
      .dictionary(wellFormed, tie('shared'), { maxKeys: 18, noNullPrototype: true })
      .filter((o) => !('__proto__' in o) || !Object.hasOwn(o, '__proto__')),
  ),
}))

function isShared(value: number): boolean {
  return !Object.is(value, -0) && !Number.isNaN(value)
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes)
}

/** Byte arrays as holdfast answers them: plain. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

/** Whether equal values also have their keys and entries in the same order, at every level. */
function orderOf(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, one]) => [orderOf(key), orderOf(one)])
  if (value instanceof Set || Array.isArray(value)) return [...value].map(orderOf)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value
  return Object.entries(value).map(([key, one]) => [key, orderOf(one)])
}

function isFrozenThroughout(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return true
  if (value instanceof Map) return [...value].flat().every(isFrozenThroughout)
  if (value instanceof Set) return [...value].every(isFrozenThroughout)
  return Object.isFrozen(value) && Object.values(value).every(isFrozenThroughout)
}

function hasMutable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (!Array.isArray(value) && ![Object.prototype, null].includes(Object.getPrototypeOf(value))) return true
  return Object.values(value).some(hasMutable)
}

describe('value codec', () => {
  it('reads what was written, in the same order, frozen, and says whether it can be shared', () => {
    fc.assert(
      fc.property(trees.any, (value) => {
        const bytes = bytesOf(value)
        const decoded = decodeValue(bytes, 0, bytes.length)
        expect(isDeepStrictEqual(decoded.value, value)).toBe(true)
        expect(isDeepStrictEqual(orderOf(decoded.value), orderOf(value))).toBe(true)
        expect(isFrozenThroughout(decoded.value)).toBe(true)
        expect(decoded.shareable).toBe(!hasMutable(value))
        // The one form: what was read is written with the same bytes.
        expect(bytesOf(decoded.value).equals(bytes)).toBe(true)
      }),
      { numRuns: effort(600, 10_000) },
    )
  })

  it('reads a primitive without an object around it and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(primitive, trees.any), (value) => {
        const bytes = bytesOf(value)
        const expected = typeof value === 'object' && value !== null ? NOT_PRIMITIVE : value
        expect(Object.is(decodePrimitive(bytes, 0, bytes.length), expected)).toBe(true)
      }),
      { numRuns: effort(500, 10_000) },
    )
  })

  it('writes the values msgpackr has as msgpackr does, and each reads what the other wrote', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true, useBigIntExtension: true })
    fc.assert(
      fc.property(trees.shared, (value) => {
        const bytes = bytesOf(value)
        const theirs = packr.pack(value)
        expect(isDeepStrictEqual(plain(packr.unpack(bytes)), plain(value))).toBe(true)
        expect(isDeepStrictEqual(decodeValue(theirs, 0, theirs.length).value, plain(value))).toBe(true)
        expect(bytes.equals(theirs)).toBe(true)
      }),
      { numRuns: effort(500, 10_000) },
    )
  })

  it('writes big integers that msgpackr reads', () => {
    const packr = new Packr({ useBigIntExtension: true, int64AsType: 'bigint' })
    fc.assert(
      fc.property(bigint, (value) => {
        expect(packr.unpack(bytesOf(value))).toBe(value)
      }),
    )
  })
})

/** What `fn` answers, or HOLDFAST_CORRUPT when that is what it throws. */
function outcome(fn: () => unknown): unknown {
  try {
    return fn()
  } catch (error) {
    if (hasCode(error, 'HOLDFAST_CORRUPT')) return 'HOLDFAST_CORRUPT'
    throw error
  }
}

/** HOLDFAST_CORRUPT, or a value whose own bytes these are. */
function expectReadable(bytes: Buffer, start: number, end: number): void {
  const decoded = outcome(() => decodeValue(bytes, start, end))
  if (decoded === 'HOLDFAST_CORRUPT') return
  if (!bytesOf((decoded as DecodedValue).value).equals(bytes.subarray(start, end))) {
    throw new Error(`accepted ${bytes.toString('hex', start, end)}, which the encoder does not write`)
  }
}

describe('value codec on damaged bytes', () => {
  it('refuses a value that ends early or is followed by more, whatever lies behind it', () => {
    fc.assert(
      fc.property(trees.small, fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.nat(), (value, more, first) => {
        const bytes = Buffer.concat([bytesOf(value), more])
        const length = bytes.length - more.length
        // Every end of a short value, some forty of a long one.
        const step = Math.ceil(bytes.length / 40)
        for (let end = first % step; end <= bytes.length; end += step) {
          if (end === length) continue
          expect(outcome(() => decodeValue(bytes, 0, end))).toBe('HOLDFAST_CORRUPT')
          expect(['HOLDFAST_CORRUPT', NOT_PRIMITIVE]).toContain(outcome(() => decodePrimitive(bytes, 0, end)))
        }
      }),
      { numRuns: effort(150, 3000) },
    )
  })

  it('accepts changed bytes only where they are what the encoder writes', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.nat(255), fc.constantFrom(0xc7, 0xc9, 0xd4, 0xd7, 0xdd, 0xdf, 3, 4, 5, 6)),
    )
    fc.assert(
      fc.property(trees.small, fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const bytes = bytesOf(value)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        expectReadable(bytes, 0, bytes.length)
      }),
      { numRuns: effort(4000, 100_000) },
    )
  })

  it('accepts arbitrary bytes only where they are what the encoder writes', () => {
    const token = fc.oneof(fc.nat(255), fc.constantFrom(0xc9, 0, 0, 0, 1, 2, 3, 4, 0x81, 0x91, 0xa1, 0xcb, 0x80, 0xd4))
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 24 }), (list) => {
        const bytes = Buffer.from(list)
        expectReadable(bytes, 0, bytes.length)
      }),
      { numRuns: effort(8000, 200_000) },
    )
  })
})
