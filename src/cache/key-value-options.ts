/** What callers of a namespace give, checked. TypeErrors say what was wrong and what would do. Pure. */
import type { Durability, WriteOptions } from '../engine/index.ts'
import type { KeyValueOptions, LoadOptions } from './types.ts'

export type KeyValueType = NonNullable<KeyValueOptions['type']>

const types: ReadonlySet<unknown> = new Set(['set', 'bag', 'duplicate-bag'])
const durabilities: ReadonlySet<unknown> = new Set(['sync', 'os', 'buffered', 'volatile'])
const known: ReadonlySet<string> = new Set(['durability', 'ttlMs', 'maxEntries', 'maxBytes', 'type'])

export function checkKeyValueOptions(options: KeyValueOptions): void {
  for (const name of Object.keys(options)) {
    if (!known.has(name))
      throw new TypeError(`kv() has no option ${JSON.stringify(name)}; it knows ${[...known].join(', ')}`)
  }
  const { durability, ttlMs, maxEntries, maxBytes, type } = options
  if (durability !== undefined && !durabilities.has(durability))
    throw new TypeError(`the option durability must be one of ${[...durabilities].join(', ')}, not ${show(durability)}`)
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

/** How durable each write of a structure is to be: as the call says, else as the structure was opened. */
export class WriteLevels {
  readonly isVolatile: boolean
  readonly #own: WriteOptions | undefined

  constructor(durability: Durability | undefined) {
    this.isVolatile = durability === 'volatile'
    this.#own = durability === undefined || this.isVolatile ? undefined : { durability }
  }

  /** TypeError where something is to be logged that lives in a volatile namespace. The engine checks the rest. */
  of(options: WriteOptions | undefined): WriteOptions | undefined {
    if (options === undefined) return this.#own
    if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
    const { durability } = options
    if (durability === undefined) return this.#own
    if (!this.isVolatile) return { durability }
    if (durability === 'volatile') return undefined
    throw new TypeError(`durability cannot be ${show(durability)} here: nothing in a volatile namespace is logged`)
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
