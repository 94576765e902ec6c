/** codec: canonical encoding, content ids, envelopes, key order. Pure: no I/O. Imports base only. */
export { decodeCanonical, type LinkResolver } from './canonical-decoder.ts'
export { type EncodedChild, type EncodedMessage, encodeCanonical } from './canonical-encoder.ts'
export { linksOf } from './canonical-links.ts'
export { contentIdOf, digestBytes, digestToId, idLength, idToDigest, isContentId } from './content-id.ts'
export { isWellFormed } from './key-shapes.ts'
export {
  type Envelope,
  envelopeHeaderBytes,
  fingerprint,
  kind,
  printableKey,
  readEnvelope,
  writeEnvelope,
} from './envelope.ts'
export { KeyPrefix, textFrameBytes, writeKeyAndEnvelope } from './keyed-envelope.ts'
export { decodeKey, encodeKey, encodeKeyPrefix, type Key } from './key-order.ts'
export { type DecodedValue, decodePrimitive, decodeValue, NOT_PRIMITIVE } from './value-decoder.ts'
export { ValueEncoder } from './value-encoder.ts'
