import type { Durability, WriteOptions } from '../engine/index.ts'
import type { Space } from './space.ts'

const durabilities: ReadonlySet<unknown> = new Set(['sync', 'os', 'buffered', 'volatile'])

/** TypeError for options that a structure does not know. `what` is the call that takes them. */
export function checkOptions(options: WriteOptions, what: string, known: readonly string[] = []): void {
  for (const name of Object.keys(options)) {
    if (name === 'durability' || known.includes(name)) continue
    throw new TypeError(
      `${what}() has no option ${JSON.stringify(name)}; it knows ${['durability', ...known].join(', ')}`,
    )
  }
  const { durability } = options
  if (durability === undefined || durabilities.has(durability)) return
  throw new TypeError(`the option durability must be one of ${[...durabilities].join(', ')}, not ${show(durability)}`)
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

/** Writes to the spaces of one structure, as durable as the call says, else as the structure was opened. */
export class LeveledWrites {
  readonly #space: Space
  readonly #levels: WriteLevels

  constructor(space: Space, levels: WriteLevels) {
    this.#space = space
    this.#levels = levels
  }

  /** As `Space.write`: wrong options reject too, or are thrown inside a transaction. */
  run<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    let level: WriteOptions | undefined
    try {
      level = this.#levels.of(options)
    } catch (error) {
      return this.#space.write(undefined, () => {
        throw error
      })
    }
    return this.#space.write(level, fn)
  }
}

/** A wrong option, for messages. */
export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
