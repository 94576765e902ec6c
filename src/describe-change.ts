/** Turns the mutations of a committed record into the terms of the public structures. */
import { kind } from './codec/index.ts'
import { describeCacheMutation } from './cache/index.ts'
import type { Change, ChangedItem } from './change.ts'
import { contentPrefix, parsePathKey, pathDomain, pinPrefix } from './content/index.ts'
import type { RawChange, RawMutation } from './engine/index.ts'
import { decodeTarget, indexPrefix, locationPrefix, parseIndexKey } from './schedule/index.ts'

export function describeChange(change: RawChange): Change {
  return { sequence: change.sequence, writes: change.mutations.map(describe).filter((item) => item !== undefined) }
}

/** Heads follow from assignments: they are no change of their own. */
function describe(mutation: RawMutation): ChangedItem | undefined {
  const { key, payload } = mutation
  const removed = mutation.kind === 0
  switch (key[0]) {
    case contentPrefix:
      return { type: 'content', id: key.slice(1), removed }
    case indexPrefix:
      return {
        type: 'assignment',
        ...parseIndexKey(key),
        id: mutation.kind === kind.link ? decodeTarget(payload) : undefined,
      }
    case locationPrefix:
      return { type: 'location', address: key.slice(1), id: removed ? undefined : decodeTarget(payload) }
    case pinPrefix:
      return { type: 'pin', id: key.slice(1), removed }
    case pathDomain[0]: {
      const { parent, name } = parsePathKey(key)
      return { type: 'path', path: [...parent, name].join('/'), removed }
    }
    default:
      return describeCacheMutation(mutation)
  }
}
