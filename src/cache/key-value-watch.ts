import { type RawChange, releasing } from '../engine/index.ts'
import { describeEntry } from './entry-changes.ts'
import type { KeyValueEntries } from './key-value-entries.ts'
import type { KeyValueChange, WatchOptions } from './types.ts'

type Changes = AsyncGenerator<KeyValueChange<unknown>, void, undefined>

/** Durable changes of one namespace, in order. Ends when the signal aborts; see `ChangeFeed.watch` for its errors. */
export function watchEntries(entries: KeyValueEntries, isVolatile: boolean, options: WatchOptions = {}): Changes {
  if (typeof options !== 'object' || options === null) throw new TypeError('options are given as an object')
  if (isVolatile && options.from !== undefined)
    throw new TypeError('a volatile namespace has no log: watch it without from')
  const changes = entries.space.engine.changes.watch(options.from, options.signal)
  return releasing(follow(entries, changes), () => changes.return())
}

async function* follow(entries: KeyValueEntries, changes: AsyncIterable<RawChange>): Changes {
  const { domain } = entries.space
  for await (const { sequence, mutations } of changes) {
    for (const mutation of mutations) {
      if (!mutation.key.startsWith(domain)) continue
      const change = describeEntry(mutation, domain)
      // Of a bag the one added last.
      const isBag = entries.isBag && change.type === 'set'
      yield { ...change, ...(isBag ? { value: (change.value as unknown[]).at(-1) } : {}), sequence }
    }
  }
}
