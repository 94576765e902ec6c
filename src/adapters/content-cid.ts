/** Content ids as CIDs: both hold the SHA-256 of the bytes; a CID also says what the bytes are. */
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { digestBytes, digestToId, idToDigest } from '../codec/index.ts'
import type { ContentId, ContentItem } from '../content/index.ts'

/** Code of SHA-256 in multihashes. */
const sha256 = 0x12

/** Codes of MessagePack and of plain bytes in CIDs. */
const codecs = { message: 0x0201, bytes: 0x55 } as const

/** CIDv1 of content: codec `messagepack` for a message, `raw` for bytes. HOLDFAST_INVALID_ID when `id` is no content id. */
export function cidOfContent(id: ContentId, type: ContentItem['type']): CID {
  return CID.createV1(codecs[type], createDigest(sha256, idToDigest(id)))
}

/** Whatever its version and codec; undefined when its hash is not SHA-256, as no content can have that. */
export function contentIdOfCid(cid: CID): ContentId | undefined {
  const { code, digest } = cid.multihash
  return code === sha256 && digest.length === digestBytes ? digestToId(digest) : undefined
}
