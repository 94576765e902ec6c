import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  decodeFrameHeader,
  eachRecord,
  type FrameHeader,
  frameBytes,
  frameIsIntact,
  frameType,
  implausible,
  sealFrame,
  zeroPadding,
} from '../../../src/wal/frame.ts'

const salt = 0x12345678
const header: FrameHeader = {
  payloadBytes: 9,
  type: frameType.records,
  firstSequence: 2 ** 40 + 7,
  recordCount: 1,
  previousCrc: 0xdeadbeef,
  position: 2 ** 33 + 64,
  durableEnd: 2 ** 33,
}

function hex(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join(''), 'hex')
}

/** The frame above, byte by byte as docs/log-format.md says. */
function byHand(): Buffer {
  const bytes = Buffer.concat([
    hex('00000000', '4846524d', '09000000', '01000000'),
    hex('0700000000010000', '01000000', 'efbeadde'),
    hex('4000000002000000', '0000000002000000'),
    hex('05000000', '68656c6c6f'),
    Buffer.alloc(7),
  ])
  bytes.writeUInt32LE(crc32(bytes.subarray(4, 48), (crc32(bytes.subarray(48, 57)) ^ salt) >>> 0), 0)
  return bytes
}

function sealed(): Buffer {
  const buffer = Buffer.alloc(100, 0xaa)
  buffer.writeUInt32LE(5, 10 + 48)
  buffer.write('hello', 10 + 52)
  zeroPadding(buffer, 10, 9)
  const crc = sealFrame(buffer, 10, header, salt, crc32(buffer.subarray(58, 67)))
  expect(crc).toBe(buffer.readUInt32LE(10))
  return buffer
}

describe('a frame', () => {
  it('has the bytes of the format description, and nothing around it is touched', () => {
    const buffer = sealed()
    expect(buffer.subarray(10, 10 + frameBytes(9)).toString('hex')).toBe(byHand().toString('hex'))
    expect(buffer.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xaa))
    expect(buffer.subarray(74)).toEqual(Buffer.alloc(26, 0xaa))
  })

  it('reads back', () => {
    expect(decodeFrameHeader(byHand(), 0)).toEqual(header)
    expect(frameIsIntact(byHand(), 0, 9, salt)).toBe(true)
  })

  it('is not intact with any byte before the padding changed, or with another salt', () => {
    expect(frameIsIntact(byHand(), 0, 9, salt + 1)).toBe(false)
    for (let offset = 0; offset < 57; offset++) {
      const bytes = byHand()
      bytes[offset] = (bytes[offset] ?? 0) ^ 1
      expect(frameIsIntact(bytes, 0, 9, salt), `byte ${offset}`).toBe(false)
    }
  })

  it('is refused before its payload is read when the header cannot be right', () => {
    const size = 2 ** 34
    const position = header.position
    expect(implausible(header, position, size)).toBeUndefined()
    expect(implausible(header, position + 8, size)).toMatch(/another offset/)
    expect(implausible(header, position, position + 56)).toMatch(/beyond the file/)
    expect(implausible({ ...header, payloadBytes: 2 ** 31 }, position, 2 ** 40)).toMatch(/limit/)
    expect(implausible({ ...header, durableEnd: position + 1 }, position, size)).toMatch(/promises/)
    expect(implausible({ ...header, type: 0 }, position, size)).toMatch(/type/)
    expect(implausible({ ...header, type: 4 }, position, size)).toMatch(/type/)
    expect(implausible({ ...header, firstSequence: 2 ** 60 }, position, size)).toMatch(/sequence/)
  })
})

describe('the records of a frame', () => {
  const payload = hex('02000000', '6161', '00000000', '01000000', '62')
  const three = { ...header, payloadBytes: payload.length, firstSequence: 10, recordCount: 3 }

  it('come in order with their sequences, empty ones included', () => {
    const seen: [number, string][] = []
    expect(eachRecord(payload, three, (sequence, bytes) => seen.push([sequence, bytes.toString()]))).toBe(true)
    expect(seen).toEqual([
      [10, 'aa'],
      [11, ''],
      [12, 'b'],
    ])
  })

  it('are refused as a whole when the lengths do not add up', () => {
    const never = (): void => expect.unreachable()
    expect(eachRecord(payload, { ...three, recordCount: 2 }, never)).toBe(false)
    expect(eachRecord(payload.subarray(0, -1), three, never)).toBe(false)
    expect(eachRecord(Buffer.concat([payload, Buffer.alloc(1)]), three, never)).toBe(false)
    expect(eachRecord(payload, { ...three, type: frameType.trailer }, never)).toBe(false)
    expect(eachRecord(Buffer.alloc(0), { ...three, recordCount: 0 }, never)).toBe(false)
    expect(eachRecord(Buffer.alloc(0), { ...three, recordCount: 0, type: frameType.end }, never)).toBe(true)
  })
})
