/**
 * Removing what fits, in one record: exactly what fits at the moment it is applied. With everything in memory that is
 * the call itself; else the keys have to be read first, and what was written meanwhile counts too.
 */
import type { Key } from '../codec/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { LeveledWrites } from './leveled-writes.ts'
import type { SpaceViews } from './space-views.ts'
import type { Space } from './space.ts'

const prefetched = 1024

export interface RemovalTarget {
  readonly space: Space
  readonly views: SpaceViews
  readonly writes: LeveledWrites
}

export interface Removal<R> {
  /** The call, for messages. */
  readonly what: string
  /** What may fit of what is in memory. */
  inMemory(): Iterable<Entry>
  /** What may fit, as of this call. */
  stored(): AsyncIterable<Entry>
  /** Only inside `write`: removes what fits of the key's entry, if it is there and of those meant. Answers how many. */
  remove(key: Key): number
  /** Only inside `write`, at its end. Answers what the call is to answer. */
  removed(count: number): R
}

/** Inside a transaction a TypeError unless everything is in memory. */
export function removeFitting<R>(
  target: RemovalTarget,
  options: WriteOptions | undefined,
  removal: Removal<R>,
): Promise<R> {
  const { space, writes } = target
  if (space.complete) {
    return writes.run(options, () =>
      removeKeys(
        Array.from(removal.inMemory(), (entry) => space.keyOf(entry)),
        removal,
      ),
    )
  }
  if (!space.engine.inTransaction) return removeInSteps(target, options, removal)
  return writes.run(options, () => {
    throw new TypeError(
      `${removal.what} cannot be called inside a transaction while parts of what it reads are only on disk: it takes more than one synchronous step`,
    )
  })
}

async function removeInSteps<R>(
  { space, views, writes }: RemovalTarget,
  options: WriteOptions | undefined,
  removal: Removal<R>,
): Promise<R> {
  const view = views.open()
  try {
    const keys: Key[] = []
    for await (const entry of removal.stored()) keys.push(space.keyOf(entry))
    for (let i = 0; i < keys.length; i += prefetched) await space.prefetch(keys.slice(i, i + prefetched))
    return await writes.run(options, () => removeKeys([...keys, ...view.changedKeys()], removal))
  } finally {
    view.close()
  }
}

function removeKeys<R>(keys: readonly Key[], removal: Removal<R>): R {
  let removed = 0
  for (const key of keys) removed += removal.remove(key)
  return removal.removed(removed)
}
