/** The MessagePack type bytes that canonical encoding uses, and the two extensions. Shared by encoder and decoder. */
export const code = {
  fixMap: 0x80,
  fixArray: 0x90,
  fixString: 0xa0,
  nil: 0xc0,
  false: 0xc2,
  true: 0xc3,
  bin8: 0xc4,
  bin16: 0xc5,
  bin32: 0xc6,
  ext8: 0xc7,
  ext16: 0xc8,
  float64: 0xcb,
  uint8: 0xcc,
  uint16: 0xcd,
  uint32: 0xce,
  uint64: 0xcf,
  int8: 0xd0,
  int16: 0xd1,
  int32: 0xd2,
  int64: 0xd3,
  fixExt8: 0xd7,
  fixExt16: 0xd8,
  string8: 0xd9,
  string16: 0xda,
  string32: 0xdb,
  array16: 0xdc,
  array32: 0xdd,
  map16: 0xde,
  map32: 0xdf,
} as const

/** Extension type of a link: 32 bytes, the SHA-256 of the content that stands in its place. */
export const linkExtension = 0x01
/** ext8, length 32, type, digest. */
export const linkBytes = 35

/** Extension type of integers beyond 64 bits, the one msgpackr writes: big-endian two's complement, whole 8-byte words. */
export const bigIntExtension = 0x42
/** Widest integer with a canonical form. */
export const bigIntBytesMax = 8192
