import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { decodeValue, ValueEncoder } from '../../../src/codec/index.ts'
import { untag } from './tagged-value.ts'

interface Vector {
  readonly name: string
  readonly value: unknown
  readonly bytes: string
}

const file = new URL('../../../fixtures/value-vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]
const encoder = new ValueEncoder()

describe('value vectors', () => {
  it('are all there', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(21)
  })

  it.each(vectors)('$name is written as the vector says', ({ value, bytes }) => {
    const end = encoder.encode(untag(value), 0)
    expect(encoder.buffer.toString('hex', 0, end)).toBe(bytes)
  })

  it.each(vectors)('$name is read from the bytes of the vector', ({ value, bytes }) => {
    const decoded = decodeValue(Buffer.from(bytes, 'hex'), 0, bytes.length / 2).value
    // Shows the order of keys, -0, bare objects and invalid dates, which equality does not all tell apart.
    expect(inspect(decoded, { depth: 9 })).toBe(inspect(untag(value), { depth: 9 }))
    expect(decoded).toStrictEqual(untag(value))
  })
})
