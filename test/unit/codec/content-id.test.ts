import { describe, expect, it } from 'vitest'
import { contentIdOf, digestToId, idToDigest, isContentId } from '../../../src/codec/index.ts'

const emptyId = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'

describe('content ids', () => {
  it('are the base64url SHA-256', () => {
    expect(contentIdOf(new Uint8Array(0))).toBe(emptyId)
  })

  it('convert to 32 raw bytes and back, also inside a larger buffer', () => {
    const digest = idToDigest(emptyId)
    expect(digest.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(digestToId(digest)).toBe(emptyId)
    expect(digestToId(new Uint8Array(Buffer.concat([Buffer.alloc(5), digest, Buffer.alloc(5)])), 5)).toBe(emptyId)
  })

  it.each([
    '',
    emptyId.slice(1),
    `${emptyId}A`,
    `${emptyId.slice(0, 42)}V`,
    emptyId.replace('-', '+'),
    emptyId.replace('_', '/'),
    `${emptyId}\n`,
  ])('refuse %j', (id) => {
    expect(isContentId(id)).toBe(false)
    expect(() => idToDigest(id)).toThrow(expect.objectContaining({ code: 'HOLDFAST_INVALID_ID' }))
  })

  it('refuse a digest that is cut short', () => {
    expect(() => digestToId(new Uint8Array(31))).toThrow(RangeError)
    expect(() => digestToId(new Uint8Array(40), 9)).toThrow(RangeError)
  })
})
