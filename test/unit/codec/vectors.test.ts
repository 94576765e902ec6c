import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeCanonical, encodeCanonical, linksOf } from '../../../src/codec/index.ts'

interface Vector {
  readonly name: string
  readonly value: unknown
  readonly bytes: string
  readonly id: string
  readonly children: readonly { readonly id: string; readonly bytes: string }[]
}

const file = new URL('../../../fixtures/canonical-vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]

function fromJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value !== 'object' || value === null) return value
  const fields = value as Record<string, string>
  if (fields['$base64'] !== undefined) return new Uint8Array(Buffer.from(fields['$base64'], 'base64'))
  if (fields['$bigint'] !== undefined) return BigInt(fields['$bigint'])
  if (fields['$float'] !== undefined) return Number(fields['$float'])
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromJson(item)]))
}

const sha256 = (hex: string): string => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('base64url')

describe('the published vectors', () => {
  it('are all there, under different names', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(73)
    expect(new Set(vectors.map((vector) => vector.name)).size).toBe(vectors.length)
  })

  it.each(vectors)('hold: $name', ({ value, bytes, id, children }) => {
    const encoded = encodeCanonical(fromJson(value))
    expect(encoded.bytes.toString('hex')).toBe(bytes)
    expect(encoded.id).toBe(id)
    expect(encoded.children.map((child) => ({ id: child.id, bytes: child.bytes.toString('hex') }))).toEqual(children)
  })

  it.each(vectors)(
    'have ids that are hashes, and links that lead to their children: $name',
    ({ bytes, id, children }) => {
      expect(sha256(bytes)).toBe(id)
      for (const child of children) expect(sha256(child.bytes)).toBe(child.id)
      const linked = [bytes, ...children.map((child) => child.bytes)].flatMap((hex) => linksOf(Buffer.from(hex, 'hex')))
      expect(new Set(linked)).toEqual(new Set(children.map((child) => child.id)))
    },
  )

  it.each(vectors)('decode to what they were made from: $name', ({ value, bytes, children }) => {
    const stored = new Map(children.map((child) => [child.id, Buffer.from(child.bytes, 'hex')]))
    const resolve = (childId: string): unknown => decodeCanonical(stored.get(childId)!, resolve)
    expect(decodeCanonical(Buffer.from(bytes, 'hex'), resolve)).toEqual(fromJson(value))
  })
})
