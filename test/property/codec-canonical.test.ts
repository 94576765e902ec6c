import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/base/index.ts'
import { contentIdOf, decodeCanonical, encodeCanonical, linksOf } from '../../src/codec/index.ts'

const packr = new Packr({ useRecords: false, variableMapSize: true, useBigIntExtension: true })

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    -33,
    -32,
    127,
    128,
    255,
    256,
    65535,
    65536,
    -128,
    -129,
    -32768,
    -32769,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    -(2 ** 31),
    -(2 ** 31) - 1,
  ),
)
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.bigInt({ min: -(2n ** 700n), max: 2n ** 700n }),
)
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 20, maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('é', 'a', '€', '😀'), maxLength: 100 }),
)
const byteArray = fc.uint8Array({ maxLength: 300 })
const name = fc.oneof(
  text,
  fc.constantFrom('a', 'b', 'Type', 'data-protocol', '1', '10', '2', 'toString', 'constructor'),
)
const small: fc.Arbitrary<unknown> = fc.oneof(fc.constant(null), fc.boolean(), number, bigint, text, byteArray)
const { message: tree } = fc.letrec<{ message: unknown }>((tie) => ({
  message: fc.oneof(
    { maxDepth: 4 },
    small,
    fc.array(tie('message'), { maxLength: 20 }),
    fc.dictionary(name, tie('message'), { maxKeys: 20, noNullPrototype: false }),
  ),
}))
// Sizes around the link threshold, in every type that can reach it.
const size = fc.oneof(
  fc.integer({ min: limits.linkThresholdBytes - 6, max: limits.linkThresholdBytes + 6 }),
  fc.integer({ min: 0, max: 9000 }),
)
const large: fc.Arbitrary<unknown> = size.chain((length) =>
  fc.constantFrom<unknown>(
    't'.repeat(length),
    new Uint8Array(length).fill(length),
    new Array(length).fill(7),
    'é'.repeat(length >> 1),
    {
      body: 'd'.repeat(length),
    },
  ),
)
const { linked } = fc.letrec<{ linked: unknown }>((tie) => ({
  linked: fc.oneof(
    { maxDepth: 3 },
    large,
    small,
    fc.array(tie('linked'), { maxLength: 4 }),
    fc.dictionary(name, tie('linked'), { maxKeys: 4 }),
  ),
}))

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

/** What msgpackr must be given to write the same bytes: a Map, whose order it keeps, with the keys sorted as UTF-8. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isContainer(value)) return value
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return new Map(keys.map((key) => [key, sorted(value[key])]))
}

function hasNegativeZero(value: unknown): boolean {
  return isContainer(value) ? Object.values(value).some(hasNegativeZero) : Object.is(value, -0)
}

/** The rule of links by definition: children first, from the bytes of a value without them. */
function reference(value: unknown, children: Map<string, Buffer>, nested = false): Buffer {
  let encoded: Buffer
  if (isContainer(value)) {
    const items = Array.isArray(value)
      ? value.map((item) => reference(item, children, true))
      : [...(sorted(value) as Map<string, unknown>).keys()].flatMap((key) => [
          packr.pack(key),
          reference(value[key], children, true),
        ])
    const count = Array.isArray(value) ? items.length : items.length / 2
    const empty = packr.pack(
      Array.isArray(value) ? new Array(count).fill(null) : new Map(Array.from({ length: count }, (_, i) => [i, null])),
    )
    const header = empty.subarray(0, count < 16 ? 1 : count < 65536 ? 3 : 5)
    encoded = Buffer.concat([Buffer.from(header), ...items])
  } else {
    encoded = Object.is(value, -0) ? Buffer.from('cb8000000000000000', 'hex') : Buffer.from(packr.pack(value))
  }
  if (!nested || encoded.length < limits.linkThresholdBytes) return encoded
  const id = contentIdOf(encoded)
  children.set(id, encoded)
  return Buffer.concat([Buffer.from('c72001', 'hex'), Buffer.from(id, 'base64url')])
}

/** With plain objects and arrays of its own, and Uint8Arrays: to compare regardless of how byte arrays are held. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (!isContainer(value)) return value
  return Object.fromEntries(Object.keys(value).map((key) => [key, plain(value[key])]))
}

function shuffledKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffledKeys)
  if (!isContainer(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .reverse()
      .map((key) => [key, shuffledKeys(value[key])]),
  )
}

function isDeeplyFrozen(value: unknown): boolean {
  return !isContainer(value) || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen))
}

describe('canonical bytes', () => {
  it('are what msgpackr writes for sorted keys', () => {
    fc.assert(
      fc.property(tree, (value) => {
        fc.pre(!hasNegativeZero(value))
        const { bytes, children } = encodeCanonical(value)
        fc.pre(children.length === 0)
        expect(bytes.toString('hex')).toBe(packr.pack(sorted(value)).toString('hex'))
      }),
      { numRuns: 600 },
    )
  })

  it('have links and children exactly where the rule says', () => {
    fc.assert(
      fc.property(linked, (value) => {
        const expectedChildren = new Map<string, Buffer>()
        const expected = reference(value, expectedChildren)
        const { bytes, id, children } = encodeCanonical(value)
        expect(bytes.equals(expected)).toBe(true)
        expect(id).toBe(contentIdOf(expected))
        expect(children.map((child) => child.id)).toEqual([...expectedChildren.keys()])
        for (const child of children) expect(child.bytes.equals(expectedChildren.get(child.id)!)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('do not depend on the order of properties', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const { id } = encodeCanonical(value)
        expect(encodeCanonical(shuffledKeys(value)).id).toBe(id)
      }),
      { numRuns: 200 },
    )
  })

  it('come back as the value, frozen, and encode to the same bytes again', () => {
    fc.assert(
      fc.property(fc.oneof(tree, linked), (value) => {
        const encoded = encodeCanonical(value)
        const bytes = Buffer.from(encoded.bytes)
        const stored = new Map(encoded.children.map((child) => [child.id, child.bytes]))
        const resolve = (id: string): unknown => decodeCanonical(stored.get(id)!, resolve)
        const decoded = decodeCanonical(bytes, resolve)
        expect(isDeepStrictEqual(plain(decoded), plain(value))).toBe(true)
        expect(isDeeplyFrozen(decoded)).toBe(true)
        expect(encodeCanonical(decoded).bytes.equals(bytes)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('reach every child through links, and no other', () => {
    fc.assert(
      fc.property(linked, (value) => {
        const encoded = encodeCanonical(value)
        const stored = new Map(encoded.children.map((child) => [child.id, child.bytes]))
        const reached = new Set<string>()
        const visit = (bytes: Uint8Array): void => {
          for (const id of linksOf(bytes)) {
            if (reached.has(id)) continue
            reached.add(id)
            visit(stored.get(id)!)
          }
        }
        visit(Buffer.from(encoded.bytes))
        expect([...reached].sort()).toEqual([...stored.keys()].sort())
      }),
      { numRuns: 150 },
    )
  })

  it('are the only bytes that decode: damage is refused or is another canonical value', () => {
    fc.assert(
      fc.property(tree, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (value, damage) => {
        const bytes = Buffer.from(encodeCanonical(value).bytes)
        for (const [at, byte] of damage) bytes[at % bytes.length] = byte
        let decoded: unknown
        try {
          decoded = decodeCanonical(bytes, () => fc.pre(false))
        } catch (error) {
          if (fc.PreconditionFailure.isFailure(error)) throw error
          expect(String(error)).toMatch(/^Error: not a canonical message/)
          return
        }
        const again = encodeCanonical(decoded)
        fc.pre(again.children.length === 0)
        expect(again.bytes.toString('hex')).toBe(bytes.toString('hex'))
        expect(linksOf(bytes)).toEqual([])
      }),
      { numRuns: 600 },
    )
  })
})
