import { describe, expect, it } from 'vitest'
import { decodeKey, encodeKey, encodeKeyPrefix, type Key } from '../../../src/codec/index.ts'

const hex = (key: Key): string => Buffer.from(encodeKey(key), 'latin1').toString('hex')

// In order, one of every kind and around every boundary.
const ordered: readonly Key[] = [
  null,
  false,
  true,
  Number.NEGATIVE_INFINITY,
  -(10n ** 400n),
  -(10n ** 309n),
  -BigInt(Number.MAX_VALUE) - 1n,
  -Number.MAX_VALUE,
  -BigInt(Number.MAX_VALUE),
  -(2n ** 64n),
  -(2n ** 53n) - 1n,
  -(2 ** 53),
  -(2n ** 53n),
  -1.5,
  -1,
  -1n,
  -5e-324,
  0,
  0n,
  5e-324,
  0.5,
  1,
  1n,
  1.5,
  2n,
  2 ** 53,
  2n ** 53n,
  2n ** 53n + 1n,
  2 ** 53 + 2,
  2n ** 53n + 2n,
  2n ** 64n - 1n,
  2 ** 64,
  2n ** 64n,
  2n ** 64n + 255n,
  2n ** 64n + 256n,
  2n ** 64n + 257n,
  Number.MAX_VALUE,
  BigInt(Number.MAX_VALUE),
  BigInt(Number.MAX_VALUE) + 1n,
  10n ** 400n,
  10n ** 4000n,
  Number.POSITIVE_INFINITY,
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(0, 0),
  Uint8Array.of(0, 1),
  Uint8Array.of(1),
  Uint8Array.of(1, 0),
  Uint8Array.of(2),
  Uint8Array.of(255),
  Uint8Array.of(255, 255),
  '',
  '\0',
  '\0\0',
  '\x01',
  '\x02',
  '10',
  '9',
  'a',
  'a\0',
  'a\0b',
  'a\x01',
  'aa',
  'b',
  'é',
  '\uffff',
  '\u{1f600}',
  [],
  [null],
  [null, null],
  [1],
  [1, 'a'],
  [1, 'a\0'],
  [2],
  ['a'],
  ['a', 1],
  ['a', 'b'],
  ['a\0'],
  ['ab'],
  [[]],
  [[], 1],
  [[1]],
  [[1], 0],
]

describe('encoded keys', () => {
  it('are in the order of the keys', () => {
    for (let i = 0; i < ordered.length; i++) {
      for (let j = i + 1; j < ordered.length; j++) {
        expect(encodeKey(ordered[i]!) < encodeKey(ordered[j]!), `${i} < ${j}`).toBe(true)
      }
    }
  })

  it('decode to the keys', () => {
    for (const key of ordered) expect(decodeKey(encodeKey(key))).toStrictEqual(key)
    expect(decodeKey(encodeKey(Buffer.from('b')))).toStrictEqual(new Uint8Array(Buffer.from('b')))
  })

  it('are byte strings of which none begins another', () => {
    const encoded = ordered.map(encodeKey)
    for (const one of encoded) {
      expect(one).toMatch(/^[\x00-\xff]+$/)
      expect(encoded.filter((other) => other.startsWith(one))).toEqual([one])
    }
  })

  it.each<[Key, string]>([
    [null, '10'],
    [true, '12'],
    [1, '20bff000000000000000'],
    [-1, '20400fffffffffffff00'],
    [1n, '20bff00000000000000100'],
    [2n ** 53n + 1n, '20c340000000000000010101'],
    [Uint8Array.of(0, 1, 2), '30010101020200'],
    ['a', '406100'],
    ['é\0', '40c3a9010100'],
    [['a', []], '50406100500000'],
  ])('have the documented bytes (case %#)', (key, expected) => {
    expect(hex(key)).toBe(expected)
  })

  it('take -0 as 0', () => {
    expect(encodeKey(-0)).toBe(encodeKey(0))
    expect(decodeKey(encodeKey([-0]))).toStrictEqual([0])
  })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['an object', {}],
    ['a Date', new Date(0)],
    ['another typed array', new Uint16Array(1)],
    ['a lone surrogate', 'a\ud800'],
    ['a hole', Object.assign([1], { 2: 3 })],
    ['NaN in an array', [[Number.NaN]]],
  ])('refuse %s', (_, key) => {
    expect(() => encodeKey(key as Key)).toThrow(TypeError)
  })

  it('refuse an array that contains itself', () => {
    const cyclic: Key[] = []
    cyclic.push(cyclic)
    expect(() => encodeKey(cyclic)).toThrow('contain itself')
  })
})

describe('prefix ranges', () => {
  it.each<[string | Uint8Array | readonly Key[], Key[], Key[]]>([
    ['a', ['a', 'a\0', 'ab', 'a\u{10ffff}'], ['', 'b', '\0a', ['a'], Uint8Array.of(0x61)]],
    ['', ['', 'x'], [Uint8Array.of(1), [], true]],
    [
      Uint8Array.of(1, 255),
      [Uint8Array.of(1, 255), Uint8Array.of(1, 255, 255, 255)],
      [Uint8Array.of(1, 254), Uint8Array.of(2)],
    ],
    [
      ['a', 1],
      [
        ['a', 1],
        ['a', 1, null],
        ['a', 1, [2]],
      ],
      [['a'], ['a', 1n], ['a', 2], ['a', 1.5], ['a', [1]]],
    ],
  ])('hold exactly what begins with the prefix (case %#)', (prefix, inside, outside) => {
    const { gte, lt } = encodeKeyPrefix(prefix)
    const holds = (key: Key): boolean => encodeKey(key) >= gte && encodeKey(key) < lt
    expect(lt).toMatch(/^[\x00-\xff]+$/)
    expect(inside.map(holds)).toEqual(inside.map(() => true))
    expect(outside.map(holds)).toEqual(outside.map(() => false))
  })
})

describe('damaged keys', () => {
  it.each([
    '',
    '00',
    '13',
    '1010',
    '20',
    '20bff0000000000000',
    '20bff000000000000002',
    '207fffffffffffffff00',
    '20fff800000000000000',
    '20bff00000000000000101',
    '20bff0000000000000010100',
    '20bff0000000000000010101',
    '20fff00000000000000100',
    `20bff000000000000001ff0000000101`,
    '4061',
    '4061010300',
    '40610100',
    '40ff00',
    '5010',
    '3001',
  ])('are corruption: %s', (encoded) => {
    expect(() => decodeKey(Buffer.from(encoded, 'hex').toString('latin1'))).toThrow(
      expect.objectContaining({ code: 'HOLDFAST_CORRUPT' }),
    )
  })
})
