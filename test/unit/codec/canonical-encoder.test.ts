import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/index.ts'
import { contentIdOf, encodeCanonical, linksOf } from '../../../src/codec/index.ts'

const hex = (value: unknown): string => encodeCanonical(value).bytes.toString('hex')

describe('canonical forms', () => {
  it.each<[unknown, string]>([
    [null, 'c0'],
    [false, 'c2'],
    [true, 'c3'],
    [0, '00'],
    [127, '7f'],
    [128, 'cc80'],
    [255, 'ccff'],
    [256, 'cd0100'],
    [65535, 'cdffff'],
    [65536, 'ce00010000'],
    [4294967295, 'ceffffffff'],
    [4294967296, 'cb41f0000000000000'],
    [-1, 'ff'],
    [-32, 'e0'],
    [-33, 'd0df'],
    [-128, 'd080'],
    [-129, 'd1ff7f'],
    [-32768, 'd18000'],
    [-32769, 'd2ffff7fff'],
    [-2147483648, 'd280000000'],
    [-2147483649, 'cbc1e0000000200000'],
    [-0, 'cb8000000000000000'],
    [1.5, 'cb3ff8000000000000'],
    [Number.POSITIVE_INFINITY, 'cb7ff0000000000000'],
    [Number.MAX_SAFE_INTEGER, 'cb433fffffffffffff'],
    [0n, 'd30000000000000000'],
    [-1n, 'd3ffffffffffffffff'],
    [2n ** 63n - 1n, 'd37fffffffffffffff'],
    [-(2n ** 63n), 'd38000000000000000'],
    [2n ** 63n, 'cf8000000000000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [2n ** 64n, 'd84200000000000000010000000000000000'],
    [-(2n ** 63n) - 1n, 'd842ffffffffffffffff7fffffffffffffff'],
    ['', 'a0'],
    ['é', 'a2c3a9'],
    ['😀', 'a4f09f9880'],
    [new Uint8Array(0), 'c400'],
    [Buffer.from([1, 2]), 'c4020102'],
    [[], '90'],
    [{}, '80'],
    [{ b: 1, a: [true] }, '82a16191c3a16201'],
    [Object.assign(Object.create(null), { a: 1 }), '81a16101'],
  ])('writes %o as %s', (value, expected) => {
    expect(hex(value)).toBe(expected)
  })

  it.each<[string, string]>([
    ['a'.repeat(31), 'bf'],
    ['a'.repeat(32), 'd920'],
    ['a'.repeat(255), 'd9ff'],
    ['a'.repeat(256), 'da0100'],
    ['a'.repeat(65535), 'daffff'],
    ['a'.repeat(65536), 'db00010000'],
    // More bytes than units: the header is longer than the units would need.
    ['é'.repeat(16), 'd920'],
    ['é'.repeat(128), 'da0100'],
    ['€'.repeat(30000), 'db00015f90'],
  ])('gives a string of its byte length the shortest header (case %#)', (text, header) => {
    const bytes = encodeCanonical(text).bytes
    expect(bytes.subarray(0, header.length / 2).toString('hex')).toBe(header)
    expect(bytes.subarray(header.length / 2).toString('utf8')).toBe(text)
  })

  it.each<[number, string]>([
    [15, '9f'],
    [16, 'dc0010'],
    [65535, 'dcffff'],
    [65536, 'dd00010000'],
  ])('gives an array of %i items the shortest header', (length, header) => {
    expect(hex(new Array(length).fill(1)).slice(0, header.length)).toBe(header)
  })

  it('sorts keys by their UTF-8 bytes, where UTF-16 and integer-like keys would say otherwise', () => {
    const shuffled = { '\u{1f600}': 1, '\uffff': 2, b: 3, '10': 4, '9': 5, B: 6, '': 7 }
    const keys = ['', '10', '9', 'B', 'b', '\uffff', '\u{1f600}']
    const expected = keys.map((key) => hex(key) + hex(shuffled[key as keyof typeof shuffled])).join('')
    expect(hex(shuffled)).toBe(`87${expected}`)
  })

  it('answers the same bytes for the same properties in any order, before and after their shape is known', () => {
    const one = (): unknown => ({ path: 1, 'data-protocol': 'ao', body: { z: 1, a: 2 } })
    const other = (): unknown => ({ body: { a: 2, z: 1 }, 'data-protocol': 'ao', path: 1 })
    const results = Array.from({ length: 8 }, (_, i) => hex(i % 2 === 0 ? one() : other()))
    expect(new Set(results).size).toBe(1)
  })

  it('tells shapes apart that begin with the same key', () => {
    for (let round = 0; round < 4; round++) {
      for (let extra = 0; extra < 20; extra++) {
        expect(hex({ first: 0, [`key${extra}`]: 1 })).toBe(`82a5666972737400${hex(`key${extra}`)}01`)
        expect(hex({ first: 0 })).toBe('81a5666972737400')
      }
    }
  })

  it('keeps a __proto__ key as a property', () => {
    expect(hex(JSON.parse('{"__proto__":1}'))).toBe('81a95f5f70726f746f5f5f01')
  })

  it('answers the SHA-256 of the bytes as id', () => {
    const { bytes, id } = encodeCanonical({ a: 1 })
    expect(id).toBe(createHash('sha256').update(bytes).digest('base64url'))
  })
})

describe('links', () => {
  const nestedOf = (bytes: number): string => 'x'.repeat(bytes - 3)

  it('keeps a nested value inline one byte below the threshold and links it at the threshold', () => {
    const below = encodeCanonical({ a: nestedOf(limits.linkThresholdBytes - 1) })
    expect(below.children).toEqual([])
    const at = encodeCanonical({ a: nestedOf(limits.linkThresholdBytes) })
    expect(at.children).toHaveLength(1)
    const child = at.children[0]!
    expect(child.bytes.equals(encodeCanonical(nestedOf(limits.linkThresholdBytes)).bytes)).toBe(true)
    expect(child.id).toBe(contentIdOf(child.bytes))
    const link = `c72001${Buffer.from(child.id, 'base64url').toString('hex')}`
    expect(hex({ a: nestedOf(limits.linkThresholdBytes) })).toBe(`81a161${link}`)
  })

  it('never links the value itself', () => {
    expect(encodeCanonical(nestedOf(10000)).children).toEqual([])
    expect(encodeCanonical(new Uint8Array(10000)).children).toEqual([])
    expect(encodeCanonical(Array.from({ length: 10000 }, () => 1)).children).toEqual([])
  })

  it('splits bottom-up: a parent that its links made small stays inline', () => {
    const { bytes, children } = encodeCanonical({ outer: { inner: new Uint8Array(5000), n: 1 } })
    expect(children).toHaveLength(1)
    expect(bytes.length).toBeLessThan(100)
    expect(linksOf(bytes)).toEqual([children[0]!.id])
  })

  it('puts a child before the child that links to it, and equal children once', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ body: new Uint8Array(4096).fill(i % 2) }))
    const { children } = encodeCanonical({ many, again: many })
    expect(children).toHaveLength(3)
    expect(linksOf(children[2]!.bytes)).toEqual([children[0]!.id, children[1]!.id])
  })

  it('answers children that later encodings do not change', () => {
    const { children } = encodeCanonical([new Uint8Array(5000).fill(1)])
    encodeCanonical([new Uint8Array(5000).fill(2)])
    expect(contentIdOf(children[0]!.bytes)).toBe(children[0]!.id)
  })
})

describe('scratch memory', () => {
  it('grows for values beyond its size without losing what was written', () => {
    const value = ['start', 'y'.repeat(3_000_000), new Uint8Array(7_000_000).fill(7), 'end']
    const { bytes, children } = encodeCanonical(value)
    expect(children).toHaveLength(2)
    expect(bytes.toString('latin1')).toMatch(/^\x94\xa5start.*\xa3end$/s)
    expect(hex(1)).toBe('01')
  })

  it.each([65525, 65531, 65533, 65534, 65535, 65536])('grows at a value that starts near its end (%i)', (size) => {
    const items = new Array(size - 3).fill(1)
    const encoded = encodeCanonical([...items, 1e300, 'tail', { key: 5 }, 2n ** 70n]).bytes.toString('hex')
    expect(encoded.endsWith(`${hex(1e300)}${hex('tail')}${hex({ key: 5 })}${hex(2n ** 70n)}`)).toBe(true)
    expect(encoded.length / 2).toBe((size + 1 < 65536 ? 3 : 5) + size - 3 + 9 + 5 + 6 + 18)
  })

  it('survives an accessor that encodes while it is encoded', () => {
    const value = {
      a: 'x'.repeat(3000),
      get b() {
        return encodeCanonical({ big: new Uint8Array(100_000), c: [new Uint8Array(5000)] }).id
      },
      c: new Uint8Array(5000),
    }
    const plain = { ...value }
    const expected = encodeCanonical(plain)
    const [expectedHex, expectedId, expectedChildren] = [expected.bytes.toString('hex'), expected.id, expected.children]
    const actual = encodeCanonical(value)
    expect(actual.bytes.toString('hex')).toBe(expectedHex)
    expect(actual.id).toBe(expectedId)
    expect(actual.children).toEqual(expectedChildren)
  })

  it('works on after a refusal', () => {
    expect(() => encodeCanonical({ a: [new Uint8Array(5000), undefined] })).toThrow(TypeError)
    expect(encodeCanonical({ a: 1 }).children).toEqual([])
    expect(hex({ a: 1 })).toBe('81a16101')
  })
})

describe('refusals', () => {
  const cyclic: Record<string, unknown> = { a: {} }
  cyclic['b'] = [cyclic]
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'the value has no canonical form: it is undefined'],
    ['a deep undefined', { body: { tags: [{}, {}, {}, { value: undefined }] } }, 'body.tags[3].value has'],
    ['a hole', { a: Object.assign([1], { 2: 3 }) }, 'a[1] has no canonical form: it is a hole in an array'],
    ['NaN', [Number.NaN], '[0] has no canonical form: it is NaN'],
    ['a function', { f() {} }, 'f has no canonical form: it is a function'],
    ['a symbol', [Symbol('s')], '[0] has no canonical form: it is a symbol'],
    ['a Date', { 'when-made': new Date(0) }, 'when-made has no canonical form: it is an instance of Date'],
    ['a Map', { 'a b': new Map() }, '["a b"] has no canonical form: it is an instance of Map'],
    ['another typed array', [new Uint16Array(1)], 'an instance of Uint16Array'],
    ['an ArrayBuffer', [new ArrayBuffer(1)], 'an instance of ArrayBuffer'],
    ['an array subclass', [new (class List extends Array {})()], 'an instance of List'],
    [
      'an object with a prototype of its own',
      [Object.create({})],
      '[0] has no canonical form: it is not a plain object',
    ],
    ['a lone high surrogate', ['a\ud800'], '[0] has no canonical form: it has a lone surrogate'],
    ['a lone low surrogate in a long string', [`${'a'.repeat(100)}\udc00`], 'lone surrogate'],
    ['a lone surrogate in a key', { '\ud800a': 1 }, 'its key has a lone surrogate'],
    ['a cycle', cyclic, 'b[0] has no canonical form: it contains itself'],
    ['too deep nesting', deep(limits.messageDepthMax + 1), `deeper than ${limits.messageDepthMax} levels`],
    ['a huge bigint', [2n ** 65535n], 'it needs more than 8192 bytes'],
    ['a huge negative bigint', [-(2n ** 65535n) - 1n], 'it needs more than 8192 bytes'],
  ])('refuses %s, naming the path', (_, value, message) => {
    expect(() => encodeCanonical(value)).toThrow(TypeError)
    expect(() => encodeCanonical(value)).toThrow(message)
  })

  it('accepts the deepest nesting and the widest bigints', () => {
    expect(hex(deep(limits.messageDepthMax))).toBe(`${'91'.repeat(limits.messageDepthMax)}01`)
    expect(encodeCanonical(2n ** 65535n - 1n).bytes.length).toBe(8196)
    expect(encodeCanonical(-(2n ** 65535n)).bytes.length).toBe(8196)
  })

  it('passes on the error of an accessor', () => {
    const broken = {
      get a(): never {
        throw new RangeError('mine')
      },
    }
    expect(() => encodeCanonical(broken)).toThrow(new RangeError('mine'))
    expect(hex(1)).toBe('01')
  })

  it('refuses a value that only the first look finds wrong', () => {
    let reads = 0
    const fickle = {
      get a() {
        return reads++ === 0 ? undefined : 1
      },
    }
    expect(() => encodeCanonical(fickle)).toThrow('changes while it is read')
  })
})
