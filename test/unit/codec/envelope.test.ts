import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/base/index.ts'
import {
  envelopeHeaderBytes,
  fingerprint,
  kind,
  printableKey,
  readEnvelope,
  writeEnvelope,
} from '../../../src/codec/index.ts'

const payload = Buffer.from('payload')

function envelopeOf(key: string, kindByte: number, bytes: Uint8Array = payload): Buffer {
  const target = Buffer.alloc(envelopeHeaderBytes + bytes.length)
  expect(writeEnvelope(target, 0, key, kindByte, bytes)).toBe(target.length)
  return target
}

describe('envelopes', () => {
  it.each(['', 'k', 'a/b', '\x00\x7f\x80\xff', 'k'.repeat(128), 'k'.repeat(129), '\xff'.repeat(5000)])(
    'check the latin1 bytes of key %#',
    (key) => {
      const expected = crc32(Buffer.concat([Buffer.from(key, 'latin1'), Buffer.of(kind.head), payload]))
      const envelope = envelopeOf(key, kind.head)
      expect(envelope[0]).toBe(kind.head)
      expect(envelope.readUInt32LE(1)).toBe(expected)
      expect(readEnvelope(key, envelope)).toEqual({ kind: kind.head, payload })
    },
  )

  it('leave the payload of content to its SHA-256', () => {
    for (const content of [kind.contentMessage, kind.contentBytes]) {
      const envelope = envelopeOf('c/id', content)
      expect(envelope.readUInt32LE(1)).toBe(crc32(Buffer.concat([Buffer.from('c/id'), Buffer.of(content)])))
      envelope[6]! ^= 1
      expect(readEnvelope('c/id', envelope).kind).toBe(content)
    }
  })

  it('are written at a position, from the first bytes of a longer payload', () => {
    const target = Buffer.alloc(40, 0xee)
    const end = writeEnvelope(target, 10, 'key', kind.pin, Buffer.from('payload and more'), payload.length)
    expect(end).toBe(10 + envelopeHeaderBytes + payload.length)
    expect(target.subarray(10, end).equals(envelopeOf('key', kind.pin))).toBe(true)
    expect([target[9], target[end]]).toEqual([0xee, 0xee])
  })

  it('report every flipped bit, a cut and another key as corruption naming the key', () => {
    const key = 'p/\x01x'
    const envelope = envelopeOf(key, kind.pathBytes)
    const corrupt = expect.objectContaining({ code: 'HOLDFAST_CORRUPT', message: expect.stringContaining('p/\\x01x') })
    for (let bit = 0; bit < envelope.length * 8; bit++) {
      const damaged = Buffer.from(envelope)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => readEnvelope(key, damaged)).toThrow(corrupt)
    }
    for (let length = 0; length < envelope.length; length++) {
      expect(() => readEnvelope(key, envelope.subarray(0, length))).toThrow(corrupt)
    }
    expect(() => readEnvelope('p/\x01y', envelope)).toThrow(expect.objectContaining({ code: 'HOLDFAST_CORRUPT' }))
  })

  it('refuse a pointer into the log as a newer format', () => {
    expect(() => readEnvelope('key', envelopeOf('key', 0x80 | kind.head))).toThrow(
      expect.objectContaining({ code: 'HOLDFAST_FORMAT_UNSUPPORTED' }),
    )
  })
})

describe('fingerprints', () => {
  it('are the stored CRC, or for content that of the key alone', () => {
    const envelope = envelopeOf('key', kind.head)
    expect(fingerprint('key', envelope)).toBe(envelope.readUInt32LE(1))
    expect(fingerprint('c/1', envelopeOf('c/1', kind.contentMessage))).toBe(crc32('c/1'))
    expect(fingerprint('c/1', envelopeOf('c/1', kind.contentBytes, Buffer.from('x')))).toBe(crc32('c/1'))
  })

  it('are unsigned', () => {
    for (let i = 0; i < 50; i++) {
      expect(fingerprint(`k${i}`, envelopeOf(`k${i}`, kind.head))).toBeGreaterThanOrEqual(0)
      expect(fingerprint(`k${i}`, envelopeOf(`k${i}`, kind.contentBytes))).toBeGreaterThanOrEqual(0)
    }
  })
})

describe('printable keys', () => {
  it('show every byte that is not plain ASCII, unambiguously', () => {
    expect(printableKey('a b\x00\x1f\x7f\x80\xff\\')).toBe('a b\\x00\\x1f\\x7f\\x80\\xff\\x5c')
  })
})
