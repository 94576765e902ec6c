/** Mutations of committed records as changes of the structures. Pure. */
import { decodeKey, decodeValue, type Key } from '../codec/index.ts'
import type { RawMutation } from '../engine/index.ts'
import { letter, nameOfDomain } from './names.ts'
import { cause, readNote, valueStart } from './payload.ts'

export type EntryChangeType = 'set' | 'delete' | 'expire' | 'evict'

export interface EntryChange {
  readonly type: EntryChangeType
  readonly key: Key
  /** Of a `set`: what was stored; of a bag all values of the key. */
  readonly value?: unknown
}

/** Of a change in a cache structure, as `Store.watch` shows it. */
export type CacheChange =
  | {
      readonly type: 'kv'
      readonly namespace: string
      readonly key: Key
      readonly change: EntryChangeType
      /** Of a `set`; of a bag the array of all values of the key. */
      readonly value?: unknown
    }
  | {
      readonly type: 'table' | 'queue' | 'stack' | 'records'
      readonly name: string
      /** Of the entry; in queues and stacks its position. */
      readonly key: Key
      readonly removed: boolean
    }

const causes: Readonly<Record<number, EntryChangeType>> = {
  [cause.delete]: 'delete',
  [cause.expire]: 'expire',
  [cause.evict]: 'evict',
}

const structures: Readonly<Record<string, 'table' | 'queue' | 'stack' | 'records'>> = {
  [letter.table]: 'table',
  [letter.records]: 'records',
  [letter.stack]: 'stack',
  [letter.queue]: 'queue',
  [letter.returned]: 'queue',
  [letter.leased]: 'queue',
  [letter.dead]: 'queue',
}

/** `mutation` is of a key that begins with `domain`. */
export function describeEntry({ key, kind, payload }: RawMutation, domain: string): EntryChange {
  const own = decodeKey(key.slice(domain.length))
  if (kind === 0) return { type: causes[readNote(payload).cause] ?? 'delete', key: own }
  const { value } = decodeValue(payload, valueStart(kind, payload, 0), payload.length)
  return { type: 'set', key: own, value }
}

/** Undefined for what is no change of its own: indexes, summaries, and other rooms' keys. */
export function describeCacheMutation(mutation: RawMutation): CacheChange | undefined {
  const { key } = mutation
  const spaceLetter = key[0] as string
  const domain = key.slice(0, key.indexOf('/') + 1)
  if (spaceLetter === letter.keyValue) {
    const { type, ...change } = describeEntry(mutation, domain)
    return { type: 'kv', namespace: nameOfDomain(domain), change: type, ...change }
  }
  const type = structures[spaceLetter]
  if (type === undefined) return undefined
  return { type, name: nameOfDomain(domain), key: decodeKey(key.slice(domain.length)), removed: mutation.kind === 0 }
}
