import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodeSegmentHeader, encodeSegmentHeader, segmentSalt } from '../../../src/wal/segment-header.ts'
import {
  brokenFileName,
  isBrokenFileName,
  parseSegmentFileName,
  segmentFileName,
} from '../../../src/wal/segment-name.ts'

const storeId = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const header = { number: 7, epoch: 3, firstSequence: 2 ** 35 + 1, predecessorEnd: 4096, predecessorCrc: 0xcafebabe }

function hex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join(''), 'hex')
}

function byHand(): Buffer {
  const bytes = Buffer.concat([
    Buffer.from('HFSEGM01', 'latin1'),
    hex('01000000', '00000000'),
    hex('0700000000000000', '0300000000000000', '0100000008000000', '0010000000000000'),
    hex('bebafeca'),
    Buffer.alloc(12),
  ])
  bytes.writeUInt32LE(crc32(storeId), 52)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
  return bytes
}

describe('a segment header', () => {
  it('has the bytes of the format description and reads back', () => {
    const { bytes, crc } = encodeSegmentHeader(header, storeId)
    expect(bytes.toString('hex')).toBe(byHand().toString('hex'))
    expect(decodeSegmentHeader(byHand(), storeId, header)).toEqual({ kind: 'valid', header, crc })
  })

  it('is invalid when short, zero, or with any byte changed', () => {
    expect(decodeSegmentHeader(byHand().subarray(0, 63), storeId, header).kind).toBe('invalid')
    expect(decodeSegmentHeader(Buffer.alloc(64), storeId, header).kind).toBe('invalid')
    for (let offset = 0; offset < 64; offset++) {
      const bytes = byHand()
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x10
      expect(decodeSegmentHeader(bytes, storeId, header).kind, `byte ${offset}`).toBe('invalid')
    }
  })

  it('tells another format version, another store and another file name from damage', () => {
    const newer = byHand()
    newer.writeUInt32LE(2, 8)
    newer.writeUInt32LE(crc32(newer.subarray(0, 60)), 60)
    expect(decodeSegmentHeader(newer, storeId, header)).toEqual({ kind: 'unsupported', version: 2 })
    expect(decodeSegmentHeader(byHand(), Buffer.alloc(16), header).kind).toBe('foreign')
    expect(decodeSegmentHeader(byHand(), storeId, { number: 8, epoch: 3 }).kind).toBe('foreign')
    expect(decodeSegmentHeader(byHand(), storeId, { number: 7, epoch: 4 }).kind).toBe('foreign')
  })

  it('salts the frames with store, number and epoch', () => {
    const bytes = Buffer.concat([storeId, hex('0700000000000000', '0300000000000000')])
    expect(segmentSalt(storeId, header)).toBe(crc32(bytes))
    const salts = [header, { number: 8, epoch: 3 }, { number: 7, epoch: 4 }].map((name) => segmentSalt(storeId, name))
    expect(new Set([...salts, segmentSalt(Buffer.alloc(16), header)]).size).toBe(4)
  })
})

describe('a segment name', () => {
  it('sorts as text in the order of number and epoch, and reads back', () => {
    expect(segmentFileName(12, 3)).toBe('0000000000000012-00000003.seg')
    expect(parseSegmentFileName('0000000000000012-00000003.seg')).toEqual({ number: 12, epoch: 3 })
    expect(parseSegmentFileName(segmentFileName(1, 123_456_789))).toEqual({ number: 1, epoch: 123_456_789 })
  })

  it('is only what would be written so', () => {
    const others = [
      '12-3.seg',
      '0000000000000012-00000003.seg.broken',
      '0000000000000012-0000000000000003.seg',
      'LOCK',
      '.seg',
    ]
    for (const file of others) expect(parseSegmentFileName(file), file).toBeUndefined()
    expect(isBrokenFileName(brokenFileName(segmentFileName(1, 1)))).toBe(true)
    expect(isBrokenFileName('notes.broken')).toBe(false)
  })
})
