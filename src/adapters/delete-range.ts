import type { Key } from '../codec/index.ts'
import type { KeyRange, KeyValue } from '../cache/index.ts'

const batchKeysMax = 4096

/** Deletes what is in the range as of this call, in records of some thousand keys. */
export async function deleteRange(entries: KeyValue, range: KeyRange): Promise<void> {
  let keys: Key[] = []
  for await (const key of entries.keys(range)) {
    keys.push(key)
    if (keys.length < batchKeysMax) continue
    await entries.deleteMany(keys)
    keys = []
  }
  if (keys.length > 0) await entries.deleteMany(keys)
}
