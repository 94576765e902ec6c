/** `open()`'s options: validated before anything is touched, with defaults filled in. */
import { type Clock, limits, systemClock } from '../base/index.ts'
import { type FileSystem, nodeFileSystem } from '../fs/index.ts'
import type { Backend } from '../kv/index.ts'
import { level } from '../wal/index.ts'
import type { Durability, OpenOptions, WriteOptions } from './types.ts'

export interface ResolvedOptions {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
  readonly readOnly: boolean
  readonly defaultLevel: number
  readonly bufferedIntervalMs: number
  readonly partitions: number
  readonly memoryBytes: number
  readonly segmentBytes: number
  readonly checkpointBytes: number
  readonly dirtyBytesMax: number
  readonly backend: Backend | undefined
  readonly fileSystem: FileSystem
  /** The machine's own file system is used, where other processes are. */
  readonly onMachine: boolean
  readonly clock: Clock
}

const known = new Set([
  'createIfMissing',
  'errorIfExists',
  'readOnly',
  'durability',
  'bufferedIntervalMs',
  'partitions',
  'memoryBytes',
  'segmentBytes',
  'checkpointBytes',
  'backend',
  'fileSystem',
  'clock',
])

export function resolveOptions(options: OpenOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('open() takes an object of options')
  for (const name of Object.keys(options)) {
    if (!known.has(name))
      throw new TypeError(`open() has no option ${JSON.stringify(name)}; it knows ${[...known].join(', ')}`)
  }
  const memoryBytes = integer(
    options,
    'memoryBytes',
    limits.memoryBytesDefault,
    limits.memoryBytesMin,
    Number.MAX_SAFE_INTEGER,
  )
  const wanted = integer(options, 'checkpointBytes', limits.checkpointBytesDefault, 1, Number.MAX_SAFE_INTEGER)
  // Dirty entries must fit in memory twice: one generation filling while the sealed one drains.
  const checkpointBytes = Math.min(wanted, Math.floor(memoryBytes / 4))
  return {
    createIfMissing: flag(options, 'createIfMissing', true),
    errorIfExists: flag(options, 'errorIfExists', false),
    readOnly: flag(options, 'readOnly', false),
    defaultLevel: levelOf(options.durability ?? 'sync', 'the option durability'),
    bufferedIntervalMs: integer(options, 'bufferedIntervalMs', limits.bufferedIntervalMsDefault, 1, 2 ** 31 - 1),
    partitions: integer(options, 'partitions', limits.partitionsDefault, 1, limits.partitionsMax),
    memoryBytes,
    segmentBytes: integer(options, 'segmentBytes', limits.segmentBytesDefault, limits.segmentBytesMin, 2 ** 40),
    checkpointBytes,
    dirtyBytesMax: Math.max(checkpointBytes * 2, 1),
    backend: options.backend === undefined ? undefined : implementing(options.backend, 'backend', 'batch'),
    fileSystem: implementing(options.fileSystem ?? nodeFileSystem(), 'fileSystem', 'syncDirectory'),
    onMachine: options.fileSystem === undefined,
    clock: implementing(options.clock ?? systemClock, 'clock', 'monotonic'),
  }
}

/** The log's level for a durability. TypeError for anything else; `volatile` needs a namespace that is never logged. */
export function levelOf(durability: Durability, what: string): number {
  switch (durability) {
    case 'sync':
      return level.sync
    case 'os':
      return level.os
    case 'buffered':
      return level.buffered
    case 'volatile':
      throw new TypeError(`${what} cannot be 'volatile' here: everything in this structure is logged`)
    default:
      throw new TypeError(`${what} must be 'sync', 'os' or 'buffered', not ${JSON.stringify(durability)}`)
  }
}

/** The level that a call's options ask for. */
export function levelIn(options: WriteOptions, fallback: number): number {
  if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
  return options.durability === undefined ? fallback : levelOf(options.durability, 'the option durability')
}

type NumberOption = 'bufferedIntervalMs' | 'partitions' | 'memoryBytes' | 'segmentBytes' | 'checkpointBytes'
type FlagOption = 'createIfMissing' | 'errorIfExists' | 'readOnly'

function integer(options: OpenOptions, name: NumberOption, fallback: number, min: number, max: number): number {
  const value = options[name] ?? fallback
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new TypeError(`the option ${name} must be a whole number from ${min} to ${max}, not ${String(value)}`)
  }
  return value
}

function flag(options: OpenOptions, name: FlagOption, fallback: boolean): boolean {
  const value = options[name] ?? fallback
  if (typeof value !== 'boolean') throw new TypeError(`the option ${name} must be true or false, not ${String(value)}`)
  return value
}

/** `method` stands for the whole interface: enough to tell an implementation from a path or a class. */
function implementing<T extends object>(value: T, name: string, method: keyof T & string): T {
  if (typeof value === 'object' && value !== null && typeof value[method] === 'function') return value
  throw new TypeError(`the option ${name} must be an object with a method ${method}, among others`)
}
