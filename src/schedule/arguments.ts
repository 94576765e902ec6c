/** Process ids, slots and options as callers give them. Pure. */
import { HoldfastError } from '../base/index.ts'
import type { ProcessId, RangeOptions } from './types.ts'

const processPattern = /^[A-Za-z0-9_-]{42,43}$/
const slotPattern = /^(0|[1-9][0-9]{0,15})$/

/** Processes that were found well-formed lately: looking one up is quicker than looking at its characters again. */
const accepted = new Set<string>()
const acceptedMax = 4096

function remembered(process: string): string {
  if (accepted.size >= acceptedMax) accepted.clear()
  accepted.add(process)
  return process
}

/** 32 bytes become 43 base64url characters; 42 or 43 of them stay as they are. HOLDFAST_INVALID_PROCESS otherwise. */
export function normalizeProcess(process: ProcessId): string {
  if (typeof process === 'string') {
    if (accepted.has(process)) return process
    if (processPattern.test(process)) return remembered(process)
    throw invalidProcess(JSON.stringify(process.length > 100 ? `${process.slice(0, 100)}…` : process))
  }
  if (process instanceof Uint8Array) {
    if (process.length === 32) return Buffer.from(process.buffer, process.byteOffset, 32).toString('base64url')
    throw invalidProcess(`${process.length} bytes`)
  }
  throw new TypeError('a process is a string of 43 base64url characters or 32 bytes')
}

/** A non-negative safe integer or its canonical decimal string. HOLDFAST_INVALID_SLOT otherwise. */
export function normalizeSlot(slot: number | string): number {
  if (typeof slot === 'number') {
    if (Number.isSafeInteger(slot) && slot >= 0) return slot === 0 ? 0 : slot
    throw invalidSlot(String(slot))
  }
  if (typeof slot === 'string') {
    const value = slotPattern.test(slot) ? Number(slot) : Number.NaN
    if (Number.isSafeInteger(value)) return value
    throw invalidSlot(JSON.stringify(slot))
  }
  throw new TypeError('a slot is a number or a decimal string')
}

export interface Bounds {
  readonly from: number
  readonly to: number
  readonly limit: number
}

export function boundsOf(options: RangeOptions): Bounds {
  if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
  return {
    from: options.from === undefined ? 0 : normalizeSlot(options.from),
    to: options.to === undefined ? Number.MAX_SAFE_INTEGER : normalizeSlot(options.to),
    limit: options.limit === undefined ? Number.MAX_SAFE_INTEGER : positiveLimit(options.limit),
  }
}

export function positiveLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit
  throw new TypeError(`limit must be a non-negative whole number, not ${String(limit)}`)
}

function invalidProcess(found: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_INVALID_PROCESS',
    `${found} is no process id: it takes 43 base64url characters (or 42) or 32 bytes`,
    {
      detail: { process: found },
    },
  )
}

function invalidSlot(found: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_INVALID_SLOT',
    `${found} is no slot: it takes a whole number from 0 to 2^53-1, or its decimal form without leading zeros`,
    {
      detail: { slot: found },
    },
  )
}
