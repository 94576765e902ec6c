/** base: errors, assertions, checksums, clock and limits. Imports nothing of ours. */
export { assert } from './assert.ts'
export { crc32 } from './checksum.ts'
export { type Clock, systemClock } from './clock.ts'
export { type ErrorCode, type ErrorDetail, HoldfastError, hasCode, ioError, systemCode } from './errors.ts'
export { limits } from './limits.ts'
export { Prng } from './prng.ts'
