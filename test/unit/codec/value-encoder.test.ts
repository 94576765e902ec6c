import { beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/index.ts'
import { decodeCanonical, decodeValue, encodeCanonical, ValueEncoder } from '../../../src/codec/index.ts'

let encoder = new ValueEncoder()
beforeEach(() => {
  encoder = new ValueEncoder()
})

function roundTrip(value: unknown): unknown {
  const end = encoder.encode(value, 0)
  return decodeValue(encoder.buffer, 0, end).value
}

function nested(levels: number, bottom: unknown): unknown {
  let value = bottom
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value }
  return value
}

class Point {
  readonly x = 1
}

describe('what ValueEncoder refuses', () => {
  const cyclic: Record<string, unknown> = { list: [1] }
  cyclic['list'] = [1, { self: cyclic }]
  const cyclicMap = new Map<unknown, unknown>([['a', 1]])
  cyclicMap.set('self', new Set([cyclicMap]))

  it.each<[string, unknown, string]>([
    ['a function', () => 1, 'value cannot be stored: it is a function'],
    ['a symbol', { a: [0, 1, 2, { b: Symbol('s') }] }, 'value.a[3].b cannot be stored: it is a symbol'],
    ['a method', { 'not a name': { run() {} } }, 'value["not a name"].run cannot be stored: it is a function'],
    ['a class instance', [new Point()], 'value[0] cannot be stored: it is an instance of Point'],
    ['a regular expression', [/x/], 'value[0] cannot be stored: it is an instance of RegExp'],
    ['an Error', { e: new Error('no') }, 'value.e cannot be stored: it is an instance of Error'],
    ['a WeakMap', [new WeakMap()], 'value[0] cannot be stored: it is an instance of WeakMap'],
    ['a promise', [Promise.resolve()], 'value[0] cannot be stored: it is an instance of Promise'],
    ['a boxed number', [Object(1)], 'value[0] cannot be stored: it is an instance of Number'],
    [
      'a typed array of another width',
      [new Uint16Array(1)],
      'value[0] cannot be stored: it is an instance of Uint16Array',
    ],
    ['a DataView', [new DataView(new ArrayBuffer(1))], 'value[0] cannot be stored: it is an instance of DataView'],
    ['an ArrayBuffer', [new ArrayBuffer(1)], 'value[0] cannot be stored: it is an instance of ArrayBuffer'],
    [
      'a subclass of Map',
      [new (class Index extends Map {})()],
      'value[0] cannot be stored: it is an instance of Index',
    ],
    ['a subclass of Set', [new (class Bag extends Set {})()], 'value[0] cannot be stored: it is an instance of Bag'],
    ['a subclass of Date', [new (class Day extends Date {})()], 'value[0] cannot be stored: it is an instance of Day'],
    [
      'a subclass of Array',
      [new (class List extends Array {})()],
      'value[0] cannot be stored: it is an instance of List',
    ],
    [
      'an object made of another',
      [Object.create({ a: 1 })],
      'value[0] cannot be stored: its prototype is another object',
    ],
    [
      'an object that poses as a Date',
      [Object.create(Date.prototype)],
      'value[0] cannot be stored: it is an instance of Date',
    ],
    [
      'an array without prototype',
      [Object.setPrototypeOf([], null)],
      'value[0] cannot be stored: its prototype is another object',
    ],
    ['a symbol key', { a: { [Symbol('k')]: 1 } }, 'value.a cannot be stored: it has the key Symbol(k)'],
    ['a hole', { a: Object.assign([1], { 2: 3 }) }, 'value.a[1] cannot be stored: it is a hole in an array'],
    ['a huge array of holes', new Array(2 ** 32 - 1), 'value[0] cannot be stored: it is a hole in an array'],
    [
      'a key of a Map',
      new Map([
        [1, 1],
        [() => 1, 2],
      ] as [unknown, number][]),
      'value<key of entry 1> cannot be stored',
    ],
    ['a value of a Map', new Map([[1, { f() {} }]]), 'value<value of entry 0>.f cannot be stored'],
    ['an item of a Set', [new Set([1, [Symbol('s')]])], 'value[0]<item 1>[0] cannot be stored'],
    ['a cycle', cyclic, 'value.list[1].self cannot be stored: it contains itself'],
    ['a cycle through Map and Set', cyclicMap, 'value<value of entry 1><item 0> cannot be stored: it contains itself'],
    ['too deep nesting', nested(limits.messageDepthMax + 1, 1), 'it is nested deeper than 256 levels'],
  ])('%s', (_, value, message) => {
    expect(() => encoder.encode(value, 0)).toThrow(TypeError)
    expect(() => encoder.encode(value, 0)).toThrow(message)
    // Nothing of the refusal stays behind.
    expect(roundTrip({ ok: [1] })).toEqual({ ok: [1] })
  })

  it('a value over the largest record, and keeps no memory for it', () => {
    const most = limits.recordBytesMax - 5
    const tooLarge = expect.objectContaining({ code: 'HOLDFAST_VALUE_TOO_LARGE' })
    expect(() => encoder.encode(new Uint8Array(most + 2 ** 20), 7)).toThrow(tooLarge)
    expect(() => encoder.encode(new Uint8Array(most + 1), 7)).toThrow(tooLarge)
    expect(encoder.encode(new Uint8Array(most), 7)).toBe(7 + limits.recordBytesMax)
    encoder.encode(1, 0)
    expect(encoder.buffer.length).toBe(64 * 1024)
  })
})

describe('what ValueEncoder stores', () => {
  it('nesting as deep as allowed, with byte arrays and dates at the bottom', () => {
    for (const bottom of [1, new Date(5), Uint8Array.of(1)]) {
      const value = nested(limits.messageDepthMax, bottom)
      expect(roundTrip(value)).toEqual(value)
    }
  })

  it('the same object twice, as two', () => {
    const shared = { a: 1 }
    const [first, second] = roundTrip([shared, shared]) as object[]
    expect(first).toEqual(shared)
    expect(second).toEqual(shared)
    expect(first).not.toBe(second)
  })

  it('a __proto__ key as a property of its own, in both kinds of object', () => {
    const value = roundTrip(JSON.parse('{"a":{"__proto__":{"polluted":true}}}')) as { a: object }
    expect(Object.getPrototypeOf(value.a)).toBe(Object.prototype)
    expect(Object.keys(value.a)).toEqual(['__proto__'])
    expect((value.a as { polluted?: unknown }).polluted).toBeUndefined()
    const bare: object = Object.defineProperty(Object.create(null), '__proto__', { value: 1, enumerable: true })
    const bareBack = roundTrip(bare) as object
    expect(Object.getPrototypeOf(bareBack)).toBeNull()
    expect(Object.entries(bareBack)).toEqual([['__proto__', 1]])
  })

  it('a Buffer as a plain Uint8Array of its own memory', () => {
    const value = roundTrip([Buffer.from('abc')]) as [Uint8Array]
    expect(value[0].constructor).toBe(Uint8Array)
    expect([...value[0]]).toEqual([97, 98, 99])
    expect(value[0].buffer.byteLength).toBe(3)
  })

  it('the byte arrays of messages, which are accessors', () => {
    const none = (): never => {
      throw new Error('no link')
    }
    const message = decodeCanonical(encodeCanonical({ a: Uint8Array.of(1, 2), l: [Uint8Array.of(3)] }).bytes, none)
    expect(roundTrip(message)).toEqual({ a: Uint8Array.of(1, 2), l: [Uint8Array.of(3)] })
  })

  it('an accessor by reading it once', () => {
    let reads = 0
    const value = {
      get n() {
        return ++reads
      },
    }
    expect(roundTrip(value)).toEqual({ n: 1 })
    expect(reads).toBe(1)
  })

  it('what an invalid date, a NaN and a -0 are', () => {
    const [date, nan, zero] = roundTrip([new Date(Number.NaN), Number.NaN, -0]) as [Date, number, number]
    expect(date.getTime()).toBeNaN()
    expect(nan).toBeNaN()
    expect(Object.is(zero, -0)).toBe(true)
  })

  it('only own enumerable properties', () => {
    const value: object = Object.defineProperty({ a: 1 }, 'hidden', { value: 2 })
    Object.defineProperty(value, Symbol('hidden'), { value: 3 })
    expect(Object.getOwnPropertyNames(roundTrip(value))).toEqual(['a'])
  })

  it('integers of a hundred thousand bytes', () => {
    for (const value of [2n ** 800_000n, -(2n ** 800_000n), 2n ** 800_000n - 1n, -(2n ** 799_999n) - 1n]) {
      expect(roundTrip([value])).toEqual([value])
    }
  })
})

describe('the buffer of ValueEncoder', () => {
  const large = {
    text: 'é'.repeat(70_000),
    bytes: new Uint8Array(300).fill(7),
    big: 2n ** 90_000n,
    s: `\ud800${'x'.repeat(9000)}`,
  }

  it('keeps what precedes the value when it grows and when it shrinks again', () => {
    encoder.buffer.fill(0xab, 0, 60_000)
    for (const value of [large, 'x'.repeat(5_000_000), 1]) {
      const end = encoder.encode(value, 60_000)
      expect(encoder.buffer.subarray(0, 60_000).equals(Buffer.alloc(60_000, 0xab))).toBe(true)
      expect(decodeValue(encoder.buffer, 60_000, end).value).toEqual(value)
    }
    expect(encoder.buffer.length).toBeLessThan(100_000)
  })

  it.each<[string, unknown]>([
    ['small integer', 5],
    ['float', 0.5],
    ['short string', 'abc'],
    ['longest string of the loop', 'x'.repeat(24)],
    ['string', 'y'.repeat(100)],
    ['string beyond ASCII', 'é'.repeat(20)],
    ['string with a lone surrogate', `${'a'.repeat(20)}\ud800`],
    ['byte array', new Uint8Array(40)],
    ['big integer', 2n ** 500n],
    ['word', 10n],
    ['date', new Date(1)],
    ['object', { abcdefghijklmnop: 1, b: { c: 'd' } }],
    ['array of 20', Array.from({ length: 20 }, (_, i) => i)],
    ['Map', new Map([[1, new Set([2])]])],
    ['bare object', Object.assign(Object.create(null), { a: 1 })],
  ])('has room for a %s at whatever place', (_, value) => {
    for (let start = 65_536 - 140; start <= 65_536; start++) {
      const fresh = new ValueEncoder()
      fresh.buffer.fill(0xcd)
      const end = fresh.encode(value, start)
      expect(end).toBeLessThanOrEqual(fresh.buffer.length)
      expect(decodeValue(fresh.buffer, start, end).value).toEqual(value)
      expect(fresh.buffer[start - 1]).toBe(0xcd)
    }
  })
})

describe('an accessor that writes to the store while it is read', () => {
  it('fails, and so does the value it belongs to, even when it hides the error', () => {
    const errors: unknown[] = []
    const value = {
      get a() {
        for (const inner of [1, { b: 1 }]) {
          try {
            encoder.encode(inner, 0)
          } catch (error) {
            errors.push(error)
          }
        }
        return 1
      },
    }
    expect(() => encoder.encode(value, 0)).toThrow(/must not write to the store/)
    expect(errors).toHaveLength(2)
    expect(errors.every((error) => error instanceof TypeError)).toBe(true)
    expect(roundTrip({ ok: 1 })).toEqual({ ok: 1 })
  })

  it('may throw: the error arrives and nothing is left behind', () => {
    const value = {
      get a(): never {
        throw new RangeError('mine')
      },
    }
    expect(() => encoder.encode([[value]], 0)).toThrow(new RangeError('mine'))
    expect(roundTrip([1])).toEqual([1])
  })

  it.each<[string, (change: () => void) => unknown]>([
    [
      'Map',
      (change) => {
        const map = new Map<number, unknown>([
          [
            0,
            {
              get a() {
                change()
                map.set(map.size, 1)
                return 1
              },
            },
          ],
        ])
        return map
      },
    ],
    [
      'Set',
      (change) => {
        const set = new Set<unknown>([
          {
            get a() {
              change()
              set.add(set.size)
              return 1
            },
          },
        ])
        return set
      },
    ],
  ])('may not change a %s that holds it', (_, make) => {
    expect(() =>
      encoder.encode(
        make(() => {}),
        0,
      ),
    ).toThrow('it changes while it is read')
  })
})
