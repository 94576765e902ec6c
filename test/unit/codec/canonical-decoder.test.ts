import { describe, expect, it } from 'vitest'
import { decodeCanonical, encodeCanonical, linksOf } from '../../../src/codec/index.ts'

const noLink = (): never => {
  throw new Error('no link expected')
}
const decodeHex = (hex: string): unknown => decodeCanonical(Buffer.from(hex, 'hex'), noLink)
const roundTrip = (value: unknown): unknown => decodeCanonical(Buffer.from(encodeCanonical(value).bytes), noLink)

describe('decoded values', () => {
  it('are deeply frozen', () => {
    const value = roundTrip({ a: { b: [1, { c: 2 }] }, empty: {}, none: [] }) as {
      a: { b: [1, object] }
      empty: object
      none: object
    }
    for (const part of [value, value.a, value.a.b, value.a.b[1], value.empty, value.none]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  it('are independent of the bytes they were read from', () => {
    const bytes = Buffer.from(
      encodeCanonical({ text: 'x'.repeat(100), bytes: Uint8Array.of(1, 2, 3), short: 'abc' }).bytes,
    )
    const value = decodeCanonical(bytes, noLink)
    bytes.fill(0xff)
    expect(value).toEqual({ text: 'x'.repeat(100), bytes: Uint8Array.of(1, 2, 3), short: 'abc' })
  })

  it('keep a __proto__ key as an own property, also with a byte array, a link or in a recurring shape', () => {
    const child = encodeCanonical({ x: 1 })
    const digest = Buffer.from(child.id, 'base64url').toString('hex')
    const key = 'a95f5f70726f746f5f5f'
    for (const hex of [`81${key}01`, `81${key}c40101`, `81${key}c72001${digest}`]) {
      for (let i = 0; i < 4; i++) {
        const value = decodeCanonical(Buffer.from(hex, 'hex'), () => ({ x: 1 })) as object
        expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
        expect(Object.keys(value)).toEqual(['__proto__'])
      }
    }
  })

  it('have their keys right when maps share a first key but not the others', () => {
    for (let round = 0; round < 5; round++) {
      for (const value of [{ a: 1, b: 2 }, { a: 1, c: 2 }, { a: 1, bb: 2 }, { a: 1, b: 2, c: 3 }, { a: 1 }]) {
        expect(roundTrip(value)).toEqual(value)
      }
    }
  })

  it('are bytes of their own when the content is a byte array', () => {
    const bytes = Buffer.from(encodeCanonical(Uint8Array.of(1, 2)).bytes)
    const value = decodeCanonical(bytes, noLink) as Uint8Array
    bytes.fill(0)
    expect(value).toStrictEqual(Uint8Array.of(1, 2))
  })
})

describe('byte arrays of decoded values', () => {
  const original = {
    one: Uint8Array.of(0, 127, 128, 255),
    two: Uint8Array.of(9),
    list: [1, Uint8Array.of(5), Uint8Array.of(6)],
  }

  it('are a fresh Uint8Array at every access', () => {
    const value = roundTrip(original) as typeof original
    value.one[0] = 99
    ;(value.list[1] as Uint8Array)[0] = 99
    expect(value.list[1]).toStrictEqual(Uint8Array.of(5))
    expect(value.one).toStrictEqual(Uint8Array.of(0, 127, 128, 255))
    expect(value.one).not.toBe(value.one)
    expect(value.one.buffer.byteLength).toBe(4)
  })

  it('show in keys, JSON, spread, comparison and iteration', () => {
    const value = roundTrip(original) as typeof original
    expect(Object.keys(value)).toEqual(['list', 'one', 'two'])
    expect({ ...value }).toEqual(original)
    expect([...value.list]).toEqual(original.list)
    expect(JSON.stringify(value.two)).toBe('{"0":9}')
    expect(structuredClone(value)).toEqual(original)
  })

  it('encode to the same bytes again', () => {
    const bytes = Buffer.from(encodeCanonical(original).bytes)
    const again = encodeCanonical(decodeCanonical(bytes, noLink)).bytes
    expect(again.equals(bytes)).toBe(true)
  })

  it('belong to their own object although objects of one shape share the accessor', () => {
    const values = Array.from(
      { length: 10 },
      (_, i) => roundTrip({ sig: Uint8Array.of(i), x: i }) as { sig: Uint8Array },
    )
    expect(values.map((value) => value.sig[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const getters = values.map((value) => (Object.getOwnPropertyDescriptor(value, 'sig') as { get: unknown }).get)
    expect(new Set(getters).size).toBe(1)
  })

  it('can be read through an heir, and not from a stranger', () => {
    const value = roundTrip(original) as typeof original
    expect((Object.create(value) as typeof original).two).toEqual(Uint8Array.of(9))
    const stranger = Object.defineProperty({}, 'two', Object.getOwnPropertyDescriptor(value, 'two')!)
    expect(() => Reflect.get(stranger, 'two')).toThrow(TypeError)
  })

  it('copy byte arrays that links answer', () => {
    const shared = Uint8Array.of(1, 2, 3)
    const digest = '00'.repeat(32)
    const value = decodeCanonical(Buffer.from(`82a16192c72001${digest}01a162c72001${digest}`, 'hex'), () => shared) as {
      a: [Uint8Array, 1]
      b: Uint8Array
    }
    value.b[0] = 9
    value.a[0][0] = 9
    expect(shared).toEqual(Uint8Array.of(1, 2, 3))
    expect(value).toEqual({ a: [shared, 1], b: shared })
  })
})

describe('links', () => {
  it('are resolved by id, also by decoding within decoding', () => {
    const message = {
      a: { big: new Uint8Array(5000).fill(1), list: Array.from({ length: 5000 }, () => ({ n: 1 })) },
      z: 'after',
    }
    const { bytes, children } = encodeCanonical(message)
    const stored = new Map(children.map((child) => [child.id, child.bytes]))
    const resolve = (id: string): unknown => decodeCanonical(stored.get(id)!, resolve)
    expect(decodeCanonical(Buffer.from(bytes), resolve)).toEqual(message)
  })

  it('leave decoding usable after a resolver threw', () => {
    const digest = '00'.repeat(32)
    const bytes = Buffer.from(`91c72001${digest}`, 'hex')
    expect(() => decodeCanonical(bytes, noLink)).toThrow('no link expected')
    expect(roundTrip({ a: 1 })).toEqual({ a: 1 })
  })

  it('are listed once each, in order, without their own links', () => {
    const big = (n: number): Uint8Array => new Uint8Array(4096).fill(n)
    const { bytes, children } = encodeCanonical({
      a: big(1),
      b: [big(2), big(1)],
      c: { d: 2n ** 70n, e: 'c7'.repeat(9) },
    })
    expect(linksOf(bytes)).toEqual([children[0]!.id, children[1]!.id])
  })
})

// Type byte by type byte: each is malformed, or not the shortest form.
const malformed: [string, string][] = [
  ['no bytes', ''],
  ['trailing bytes', '0000'],
  ['an unused type', 'c1'],
  ['float32', 'ca00000000'],
  ['fixext 1', 'd40100'],
  ['fixext 8', 'd7010000000000000000'],
  ['ext32', 'c9000000014200'],
  ['a long form of a small uint8', 'cc7f'],
  ['a long form of a small uint16', 'cd00ff'],
  ['a long form of a small uint32', 'ce0000ffff'],
  ['a long form of a small int8', 'd0e0'],
  ['a positive int8', 'd001'],
  ['a long form of a small int16', 'd1ff80'],
  ['a long form of a small int32', 'd2ffff8000'],
  ['an integer as a float', 'cb3ff0000000000000'],
  ['NaN', 'cb7ff8000000000000'],
  ['a small uint64', 'cf0000000000000001'],
  ['a bigint extension that fits in 64 bits', 'd84200000000000000000000000000000001'],
  ['a bigint extension of odd width', `c70942${'01'.repeat(9)}`],
  ['a bigint extension with a spare word', `c71842${'00'.repeat(8)}01${'00'.repeat(15)}`],
  ['a long header of a bigint extension', `c7104200${'00'.repeat(6)}01${'00'.repeat(8)}`],
  ['an unknown extension', `c70205${'00'.repeat(2)}`],
  ['a short link', 'c7010100'],
  ['a long string form', 'd90161'],
  ['a long string16 form', `da0020${'61'.repeat(32)}`],
  ['a string that is not UTF-8', 'a1ff'],
  ['a truncated character', 'a3f09f98'],
  ['a surrogate in UTF-8', 'a3eda080'],
  ['a long array form', 'dc000101'],
  ['a long map form', 'de0001a16101'],
  ['a long binary form', 'c5000101'],
  ['keys out of order', '82a16201a16101'],
  ['a key twice', '82a16101a16101'],
  ['a key that is no string', '810101'],
  ['a truncated string', 'a261'],
  ['a truncated array', '9201'],
  ['a truncated map', '81a161'],
  ['a truncated number', 'ce000100'],
  ['a truncated float', 'cb00'],
  ['a truncated bigint', 'd300'],
  ['a truncated byte array', 'c40201'],
  ['a truncated link', 'c7200100'],
  ['an array longer than the bytes', 'ddffffffff'],
  ['a map longer than the bytes', 'dfffffffff'],
  ['too deep nesting', `${'91'.repeat(257)}01`],
]

describe('malformed bytes', () => {
  it.each(malformed)('are refused: %s', (_, hex) => {
    expect(() => decodeHex(hex)).toThrow(/^not a canonical message/)
  })

  it('are refused in a map whose shape is known', () => {
    for (let i = 0; i < 4; i++) expect(roundTrip({ aa: 1, bb: 2 })).toEqual({ aa: 1, bb: 2 })
    expect(() => decodeHex('82a2616101a2')).toThrow(/^not a canonical message/)
    expect(() => decodeHex('82a2616101a26262')).toThrow(/^not a canonical message/)
    expect(() => decodeHex('82a2616101a2616102')).toThrow('keys out of order')
  })

  it.each(['', '0000', 'c1', 'ca00', 'a261', '9201', '81a161', 'ddffffffff', 'c72001', 'c40201'])(
    'are refused by linksOf: %s',
    (hex) => {
      expect(() => linksOf(Buffer.from(hex, 'hex'))).toThrow(/^not a canonical message/)
    },
  )

  it('leave the decoder usable', () => {
    expect(() => decodeHex('92')).toThrow()
    expect(roundTrip({ a: 1 })).toEqual({ a: 1 })
  })
})
