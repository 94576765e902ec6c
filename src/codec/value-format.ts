/**
 * Extension types of cache values. Beside them values use the type bytes of message-pack.ts and its big integers.
 * Those that hold values of any size are always ext32, so that writing them never moves what they hold.
 */
export const extension = {
  /** fixext1, one zero byte: the form msgpackr has for it. */
  undefined: 0x00,
  /** fixext8: milliseconds since 1970 as float64; NaN is the invalid date. */
  date: 0x02,
  /** ext32: a MessagePack map whose keys are any values. */
  map: 0x03,
  /** ext32: a MessagePack array. */
  set: 0x04,
  /** ext32: the MessagePack map of an object whose prototype is null. */
  bareObject: 0x05,
  /** ext32: UTF-16 code units, little-endian, of a string with a lone surrogate, which UTF-8 cannot hold. */
  utf16: 0x06,
} as const

/** Type bytes that only cache values use. */
export const valueCode = { ext32: 0xc9, fixExt1: 0xd4 } as const

/** ext32: its type byte, four of length, the extension type. */
export const ext32HeaderBytes = 6
