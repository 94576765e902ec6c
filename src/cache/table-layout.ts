/**
 * Where the tuples of a table are in its space. Format: docs/format.md, "Tables". Pure.
 *
 * Key and partition in one place: under the key. Else under [partition, key], so that a partition is one range, or, in an
 * ordered set, under [key, partition], so that everything is in order of keys. An index has them the other way round.
 */
import { encodeKey, type Key } from '../codec/index.ts'
import type { TableOptions, Tuple } from './types.ts'

/** No particular key, or partition. */
export const FREE: unique symbol = Symbol('free')
type Fixed = Key | typeof FREE

/** Where tuples that fit can be: nowhere, under one key, under keys that begin or end with one value, anywhere. */
export type Place =
  | { readonly at: 'none' }
  | { readonly at: 'key'; readonly key: Key }
  | { readonly at: 'first'; readonly first: Key }
  | { readonly at: 'second'; readonly second: Key }
  | { readonly at: 'all' }

const nowhere: Place = { at: 'none' }
const anywhere: Place = { at: 'all' }

export type TableType = NonNullable<TableOptions['type']>

export class TableLayout {
  readonly type: TableType
  readonly keyPos: number
  readonly partitionPos: number
  /** The key is the partition. */
  readonly single: boolean
  /** Scanned in order of keys. */
  readonly isOrdered: boolean
  readonly #lengthMin: number

  /** TypeError for options that make no table. */
  constructor({ type = 'set', keyPos = 0, partitionPos = 0 }: TableOptions) {
    if (!tableTypes.has(type)) {
      throw new TypeError(`the option type must be one of ${[...tableTypes].join(', ')}, not ${JSON.stringify(type)}`)
    }
    checkPosition(keyPos, 'keyPos')
    checkPosition(partitionPos, 'partitionPos')
    this.type = type
    this.keyPos = keyPos
    this.partitionPos = partitionPos
    this.single = keyPos === partitionPos
    this.isOrdered = type === 'ordered-set'
    this.#lengthMin = Math.max(keyPos, partitionPos) + 1
  }

  /** Key of the entry the tuple belongs to. TypeError for a tuple that has none. */
  keyOf(tuple: Tuple): Key {
    if (!Array.isArray(tuple)) throw new TypeError('a tuple must be an array')
    if (tuple.length < this.#lengthMin) throw this.#tooShort(tuple.length)
    const key = tuple[this.keyPos] as Key
    return this.single ? checked(key, 'key', this.keyPos) : this.#pair(key, tuple[this.partitionPos] as Key)
  }

  /** Key of the entry of that key and partition; undefined when there can be none. */
  keyAt(key: Key, partition: Key): Key | undefined {
    if (!this.single) return this.#pair(key, partition)
    return encodeKey(key) === encodeKey(partition) ? key : undefined
  }

  /** The two parts of an entry's key, in their order. Only where they are not one. */
  partsOf(key: Key): readonly [first: Key, second: Key] {
    return key as readonly [Key, Key]
  }

  /** Where tuples with this key and this partition are. TypeError for what is neither FREE nor a key. */
  place(key: Fixed, partition: Fixed): Place {
    if (this.single) return placeOfOne(key, partition)
    if (key !== FREE && partition !== FREE) return { at: 'key', key: this.#pair(key, partition) }
    if (key === FREE && partition === FREE) return anywhere
    const fixed = (key === FREE ? partition : key) as Key
    encodeKey(fixed)
    return (key === FREE) === this.isOrdered ? { at: 'second', second: fixed } : { at: 'first', first: fixed }
  }

  /** `place` with the partition given twice: by the pattern and apart from it. */
  placeWithin(key: Fixed, partition: Fixed, other: Fixed): Place {
    if (partition === FREE || other === FREE) return this.place(key, partition === FREE ? other : partition)
    return encodeKey(partition) === encodeKey(other) ? this.place(key, partition) : nowhere
  }

  #pair(key: Key, partition: Key): Key {
    checked(key, 'key', this.keyPos)
    checked(partition, 'partition', this.partitionPos)
    return this.isOrdered ? [key, partition] : [partition, key]
  }

  #tooShort(length: number): TypeError {
    const { keyPos, partitionPos } = this
    const positions = this.single
      ? `its key is item ${keyPos}`
      : `its key is item ${keyPos}, its partition item ${partitionPos}`
    return new TypeError(`a tuple of this table has at least ${this.#lengthMin} items (${positions}), not ${length}`)
  }
}

const tableTypes: ReadonlySet<unknown> = new Set(['set', 'ordered-set', 'bag', 'duplicate-bag'])

function checkPosition(position: unknown, name: string): void {
  if (Number.isSafeInteger(position) && (position as number) >= 0) return
  throw new TypeError(`the option ${name} must be a whole number from 0 up, not ${String(position)}`)
}

/** Only what is wrong in every case: the codec checks keys as it encodes them. */
function checked(key: Key, what: string, position: number): Key {
  if (key !== undefined) return key
  throw new TypeError(`the ${what} of a tuple, its item ${position}, cannot be undefined`)
}

function placeOfOne(key: Fixed, partition: Fixed): Place {
  if (key === FREE && partition === FREE) return anywhere
  if (key === FREE || partition === FREE) return { at: 'key', key: (key === FREE ? partition : key) as Key }
  return key === partition || encodeKey(key) === encodeKey(partition) ? { at: 'key', key } : nowhere
}
