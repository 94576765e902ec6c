import { describe, expect, it } from 'vitest'
import { decodePrimitive, decodeValue, NOT_PRIMITIVE, ValueEncoder } from '../../../src/codec/index.ts'

const encoder = new ValueEncoder()
const corrupt = expect.objectContaining({ code: 'HOLDFAST_CORRUPT' })

function bytesOf(value: unknown): Buffer {
  const end = encoder.encode(value, 0)
  return Buffer.from(encoder.buffer.subarray(0, end))
}

function decode(hex: string): unknown {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return decodeValue(bytes, 0, bytes.length).value
}

describe('decodeValue', () => {
  it.each<[string, unknown, boolean]>([
    ['a primitive', 'a', true],
    ['a plain value', { a: [1, { b: undefined }] }, true],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), true],
    ['a Date inside', { a: [new Date(0)] }, false],
    ['a byte array inside', [[new Uint8Array(1)]], false],
    ['a Map', new Map(), false],
    ['a Set inside', { s: new Set() }, false],
  ])('says whether %s can be shared', (_, value, shareable) => {
    const bytes = bytesOf(value)
    expect(decodeValue(bytes, 0, bytes.length).shareable).toBe(shareable)
    // And forgets it for the next.
    expect(decodeValue(bytesOf(1), 0, 1).shareable).toBe(true)
  })

  it('answers values that stay as they are when the bytes change', () => {
    const value = { text: 'abc', long: 'x'.repeat(90), bytes: Uint8Array.of(1, 2), big: 2n ** 90n, u: '\ud800b' }
    const bytes = bytesOf(value)
    const decoded = decodeValue(bytes, 0, bytes.length).value
    bytes.fill(0)
    expect(decoded).toEqual(value)
  })

  it('reads from a Uint8Array and from the middle of a buffer', () => {
    const bytes = Buffer.concat([Buffer.alloc(5, 0xff), bytesOf({ a: [1, 'b'] }), Buffer.alloc(5, 0xff)])
    const view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    expect(decodeValue(view, 5, bytes.length - 5).value).toEqual({ a: [1, 'b'] })
  })

  it('reads objects of a shape it knows as it read the first', () => {
    const rows = [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
      { id: 3, nama: 'c' },
      { id: 4, '\ud800': 1 },
      { id: 5, '\ufffd': 1 },
    ]
    for (let round = 0; round < 4; round++) {
      for (const row of rows) {
        const bytes = bytesOf(row)
        expect(Object.entries(decodeValue(bytes, 0, bytes.length).value as object)).toEqual(Object.entries(row))
      }
    }
  })

  it('does not take a key for one with a lone surrogate that it has seen often', () => {
    for (const row of [
      { id: 1, '\ud800': 2 },
      { id: 1, '\ud800': 2 },
      { id: 1, '\ud800': 2 },
      { id: 1, '\ufffd': 2 },
    ]) {
      const bytes = bytesOf(row)
      expect(Object.entries(decodeValue(bytes, 0, bytes.length).value as object)).toEqual(Object.entries(row))
    }
  })

  it('reads no key of a known shape beyond the end', () => {
    const bytes = bytesOf({ abc: 1, defgh: 2 })
    for (let round = 0; round < 4; round++) decodeValue(bytes, 0, bytes.length)
    for (let end = 1; end < bytes.length; end++) expect(() => decodeValue(bytes, 0, end)).toThrow(corrupt)
  })

  it.each<[string, string]>([
    ['an unused type byte', 'c1'],
    ['float32', 'ca3f800000'],
    ['a number in a longer form', 'cc7f'],
    ['a 16-bit number in a longer form', 'cd00ff'],
    ['a 32-bit number in a longer form', 'ce0000ffff'],
    ['a negative number in a longer form', 'd0e0'],
    ['a positive number in a negative form', 'd001'],
    ['an integer as a float', 'cb3ff0000000000000'],
    ['another NaN', 'cb7ff8000000000001'],
    ['a negative NaN', 'cbfff8000000000000'],
    ['a small uint64', 'cf0000000000000001'],
    ['a wide integer that fits a word', 'd842 0000000000000000 8000000000000000'],
    ['a wide integer with a word too many', 'c71842 0000000000000000 0000000000000001 0000000000000000'],
    ['a wide integer of broken words', 'c71142 01 0000000000000000 0000000000000000'],
    ['a wide integer with a longer header', 'c71042 00000000000000010000000000000000'],
    ['a string with a longer header', 'd90161'],
    ['a string that is not UTF-8', 'a2c328'],
    ['an overlong character', 'a2c080'],
    ['a surrogate in UTF-8', 'a3eda080'],
    ['a long string that is not UTF-8', `d920${'61'.repeat(31)}ff`],
    ['units that UTF-8 could hold', 'c90000000206 6100'],
    ['half a unit', 'c90000000306 00d800'],
    ['an undefined that is not zero', 'd40001'],
    ['another extension of one byte', 'd40100'],
    ['another extension of eight bytes', 'd7030000000000000000'],
    ['a link of the canonical encoding', `c72001${'00'.repeat(32)}`],
    ['an unknown extension', 'c90000000107 80'],
    ['a date of half a millisecond', 'd7023fe0000000000000'],
    ['a date of -0', 'd7028000000000000000'],
    ['a date no clock reaches', 'd702433eb208c2dc0001'],
    ['an array with a longer header', 'dc000101'],
    ['a map with a longer header', 'de0001a16101'],
    ['a byte array with a longer header', 'c5000101'],
    ['a key that is a number', '810101'],
    ['the same key twice', '82a16101a16102'],
    ['keys in an order no object has', '82a16201a13102'],
    ['the same key twice in an object without prototype', 'c90000000705 82a16101a16102'],
    ['a Map with a key twice', 'c90000000503 8201010102'],
    ['a Map with the key -0', 'c90000000b03 81cb800000000000000001'],
    ['a Set with an item twice', 'c90000000304 920101'],
    ['a Set of -0', 'c90000000a04 91cb8000000000000000'],
    ['a Map made of an array', 'c90000000103 90'],
    ['a Set made of a map', 'c90000000104 80'],
    ['a Map with more than its entries', 'c90000000203 8001'],
    ['a Map that ends within an entry', 'c90000000203 8101'],
    ['a Map whose entry reaches beyond it', 'c90000000303 8101a161'],
    ['a Map beyond the end', 'c90000000303 8101'],
    ['a forged length of an array', 'ddffffffff'],
    ['a forged length of a map', 'dfffffffff'],
    ['a forged length of a string', 'dbffffffff'],
    ['a forged length of bytes', 'c6ffffffff'],
    ['a forged length of an extension', 'c9ffffffff03'],
    ['a forged length of a wide integer', 'c9fffffff842'],
    ['a forged size of a Map', 'c90000000503 dfffffffff'],
    ['a forged size of a Set', 'c90000000504 ddffffffff'],
    ['nesting beyond the limit', `${'91'.repeat(257)}01`],
    ['nothing', ''],
  ])('refuses %s', (_, hex) => {
    expect(() => decode(hex)).toThrow(corrupt)
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    let primitive: unknown = NOT_PRIMITIVE
    try {
      primitive = decodePrimitive(bytes, 0, bytes.length)
    } catch (error) {
      expect(error).toEqual(corrupt)
    }
    expect(primitive).toBe(NOT_PRIMITIVE)
  })

  it('refuses a range that is not within the bytes', () => {
    const bytes = Buffer.from('0102', 'hex')
    for (const [start, end] of [
      [0, 3],
      [-1, 1],
      [1, 1],
      [2, 3],
      [2, 1],
    ] as const) {
      expect(() => decodeValue(bytes, start, end)).toThrow(corrupt)
      expect(() => decodePrimitive(bytes, start, end)).toThrow(corrupt)
    }
  })

  it('does not reserve memory for items that a forged length promises', () => {
    // Each of 200 levels promises as many items as there are bytes left.
    const bytes = Buffer.alloc(1_000_000, 0xc0)
    for (let i = 0; i < 200; i++) bytes.writeUIntBE(0xdd_000f_0000 + i, i * 5, 5)
    const before = process.memoryUsage().rss
    expect(() => decodeValue(bytes, 0, bytes.length)).toThrow(corrupt)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
  })
})

describe('decodePrimitive', () => {
  it.each<[string, unknown]>([
    ['an array', []],
    ['an array of 20', new Array(20).fill(0)],
    ['an object', { a: 1 }],
    ['an object of 20', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i]))],
    ['a byte array', new Uint8Array(2)],
    ['a large byte array', new Uint8Array(70_000)],
    ['a date', new Date(0)],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['an object without prototype', Object.create(null)],
  ])('answers NOT_PRIMITIVE for %s', (_, value) => {
    const bytes = bytesOf(value)
    expect(decodePrimitive(bytes, 0, bytes.length)).toBe(NOT_PRIMITIVE)
  })

  it('reads long strings, strings with lone surrogates and wide integers', () => {
    for (const value of ['x'.repeat(70_000), '\udc00', 2n ** 64n, -(2n ** 90_000n), 2n ** 800_000n]) {
      const bytes = bytesOf(value)
      expect(decodePrimitive(bytes, 0, bytes.length)).toBe(value)
    }
  })

  it('refuses a primitive that is followed by more', () => {
    for (const value of [1, 300, 'a', null, undefined, 1n]) {
      const bytes = Buffer.concat([bytesOf(value), Buffer.of(1)])
      expect(() => decodePrimitive(bytes, 0, bytes.length)).toThrow(corrupt)
    }
  })
})
