import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseValue, stringifyValue } from '../../../src/cli/json-value.ts'
import type { Value } from '../../../src/content/index.ts'

describe('values as JSON', () => {
  test('bytes, big integers and numbers JSON has no words for are escaped', () => {
    const text = stringifyValue({ a: new Uint8Array([1, 255]), b: 12345678901234567890n, c: -0, d: Infinity })
    expect(text).toBe(
      '{"a":{"$base64":"Af8="},"b":{"$bigint":"12345678901234567890"},"c":{"$number":"-0"},"d":{"$number":"Infinity"}}',
    )
    expect(parseValue(text)).toEqual({ a: new Uint8Array([1, 255]), b: 12345678901234567890n, c: -0, d: Infinity })
  })

  test('data that look like an escape come back as data', () => {
    for (const value of [
      { $base64: 'AA==' },
      { $bigint: '1' },
      { $object: { $base64: 1 } },
      { $object: 3 },
      { $number: 'x' },
    ]) {
      expect(parseValue(stringifyValue(value))).toEqual(value)
    }
    expect(stringifyValue({ $base64: '', other: 1 })).toBe('{"$base64":"","other":1}')
  })

  test('an escape that does not hold what it should is refused', () => {
    for (const text of ['{"$base64":"A"}', '{"$base64":1}', '{"$bigint":"1.5"}', '{"$object":[]}', '{"$number":"1"}']) {
      expect(() => parseValue(text)).toThrow(SyntaxError)
    }
  })

  test('a key that names a prototype is a key', () => {
    const value = JSON.parse('{"__proto__":{"a":1}}') as Value
    const back = parseValue(stringifyValue(value))
    expect(Object.keys(back as object)).toEqual(['__proto__'])
  })

  test('nothing a terminal acts upon is written as it is', () => {
    expect(stringifyValue('a\u009b31m\u2028\u001b')).toBe('"a\\u009b31m\\u2028\\u001b"')
  })

  test('every value reads back as it was', () => {
    const leaf = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.bigInt(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
    )
    const keys = fc.oneof(fc.string(), fc.constantFrom('$base64', '$bigint', '$object', '$number', '__proto__'))
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(value, (input) => {
        expect(parseValue(stringifyValue(input))).toEqual(input)
      }),
      { numRuns: 200 },
    )
  })
})
