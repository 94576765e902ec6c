import { describe, expect, test } from 'vitest'
import { parseCount, parseProcess, parseSlotRange } from '../../../src/cli/arguments.ts'

describe('arguments', () => {
  test('a slot range may be open at either end', () => {
    expect(parseSlotRange('5..10')).toEqual({ from: 5, to: 10 })
    expect(parseSlotRange('5..')).toEqual({ from: 5 })
    expect(parseSlotRange('..10')).toEqual({ to: 10 })
    expect(parseSlotRange('..')).toEqual({})
    expect(parseSlotRange('0')).toEqual({ from: 0, to: 0 })
  })

  test.each(['', '-1', '1...2', '1.5', 'a..b', '10..5', '99999999999999999999'])('%j is no slot range', (text) => {
    expect(() => parseSlotRange(text)).toThrow()
  })

  test.each(['0', '-1', '1.5', '', 'ten', '1e3'])('%j is no count', (text) => {
    expect(() => parseCount(text)).toThrow()
    expect(parseCount('12')).toBe(12)
  })

  test('a process is 42 or 43 base64url characters', () => {
    expect(parseProcess('_'.repeat(43))).toBe('_'.repeat(43))
    expect(() => parseProcess('_'.repeat(44))).toThrow()
    expect(() => parseProcess(`${'a'.repeat(42)}+`)).toThrow()
  })
})
