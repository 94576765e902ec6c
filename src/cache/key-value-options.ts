/** What callers of a namespace give, checked. TypeErrors say what was wrong and what would do. Pure. */
import { checkOptions, show } from './leveled-writes.ts'
import type { KeyValueOptions, LoadOptions } from './types.ts'

export type KeyValueType = NonNullable<KeyValueOptions['type']>

const types: ReadonlySet<unknown> = new Set(['set', 'bag', 'duplicate-bag'])

export function checkKeyValueOptions(options: KeyValueOptions): void {
  checkOptions(options, 'kv', ['ttlMs', 'maxEntries', 'maxBytes', 'type'])
  const { ttlMs, maxEntries, maxBytes, type } = options
  if (type !== undefined && !types.has(type))
    throw new TypeError(`the option type must be one of ${[...types].join(', ')}, not ${show(type)}`)
  checkDuration(ttlMs, 'ttlMs')
  checkBound(maxEntries, 'maxEntries')
  checkBound(maxBytes, 'maxBytes')
}

/** Milliseconds above 0, or Infinity; undefined where it was not given. */
export function checkDuration(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'number' && value > 0)) return
  throw new TypeError(`the option ${name} must be a number of milliseconds above 0, not ${show(value)}`)
}

export function checkLoadOptions(options: LoadOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
  const { ttlMs, staleMs, timeoutMs, signal } = options
  checkDuration(ttlMs, 'ttlMs')
  checkDuration(staleMs, 'staleMs')
  checkDuration(timeoutMs, 'timeoutMs')
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError('the option signal must be an AbortSignal')
}

function checkBound(value: unknown, name: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) return
  throw new TypeError(`the option ${name} must be a whole number above 0, not ${show(value)}`)
}
