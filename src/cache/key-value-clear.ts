import type { Key } from '../codec/index.ts'
import type { KeyValueEntries } from './key-value-entries.ts'

/** Something was written and went to the backend between looking and removing: look again. */
class MissedSome extends Error {}
const prefetched = 1024

/**
 * Removes all entries in one record: what is there at the moment it is applied. When everything is in memory that is one
 * synchronous step and may join a transaction; else the keys have to be read first.
 */
export function clearEntries(entries: KeyValueEntries, write: (fn: () => void) => Promise<void>): Promise<void> {
  const { space } = entries
  if (space.complete) return write(() => removeAll(entries, []))
  if (space.engine.inTransaction) {
    return write(() => {
      throw new TypeError(
        'clear() cannot be called inside a transaction while parts of the namespace are only on disk: it takes more than one synchronous step',
      )
    })
  }
  return clearInSteps(entries, write)
}

async function clearInSteps(entries: KeyValueEntries, write: (fn: () => void) => Promise<void>): Promise<void> {
  for (;;) {
    const keys: Key[] = []
    for await (const entry of entries.space.scan()) keys.push(entries.space.keyOf(entry))
    for (let i = 0; i < keys.length; i += prefetched) await entries.space.prefetch(keys.slice(i, i + prefetched))
    try {
      await write(() => {
        removeAll(entries, keys)
        if (entries.space.ledger.entries > 0) throw new MissedSome()
      })
      return
    } catch (error) {
      if (!(error instanceof MissedSome)) throw error
    }
  }
}

/** These keys and everything in memory. */
function removeAll(entries: KeyValueEntries, keys: readonly Key[]): void {
  const { space } = entries
  for (const entry of [...space.inMemory()]) entries.remove(space.keyOf(entry), entry)
  for (const key of keys) {
    const entry = space.find(key)
    if (entry !== undefined) entries.remove(key, entry)
  }
  entries.cleared()
}
