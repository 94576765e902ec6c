import type { Durability } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Caches } from './caches.ts'
import { LeveledWrites, WriteLevels } from './leveled-writes.ts'
import { letter } from './names.ts'
import { SpaceViews } from './space-views.ts'
import type { Space } from './space.ts'
import { TableIndex } from './table-index.ts'
import type { TableLayout } from './table-layout.ts'
import type { Tuple } from './types.ts'

/** The entries of one table: one for each key and partition, holding the tuple or, in bags, the array of tuples. */
export class TableEntries {
  readonly layout: TableLayout
  readonly space: Space
  readonly views: SpaceViews
  readonly writes: LeveledWrites
  /** Only where key and partition are not one. */
  readonly index: TableIndex | undefined
  readonly isBag: boolean
  /** Removals under way: what memory has no more is there for those who wait for acknowledgement. */
  removing = 0

  constructor(caches: Caches, name: string, layout: TableLayout, durability: Durability | undefined) {
    const levels = new WriteLevels(durability)
    this.layout = layout
    this.space = caches.space(letter.table, name, levels.isVolatile)
    this.space.declare({ type: layout.type, keyPos: layout.keyPos, partitionPos: layout.partitionPos })
    this.views = new SpaceViews(this.space)
    this.writes = new LeveledWrites(this.space, levels)
    this.index = layout.single ? undefined : new TableIndex(this.space.engine, name)
    this.isBag = layout.type === 'bag' || layout.type === 'duplicate-bag'
  }

  /** Frozen, or a copy nobody else has; the array around them is the caller's. */
  tuplesOf(entry: Entry): Tuple[] {
    const value = this.space.valueOf(entry)
    return this.isBag ? [...(value as readonly Tuple[])] : [value as Tuple]
  }

  /** Not of bags. */
  tupleOf(entry: Entry): Tuple {
    return this.space.valueOf(entry) as Tuple
  }

  visit(entry: Entry, visitor: (tuple: Tuple) => void): void {
    const value = this.space.valueOf(entry)
    if (this.isBag) for (const tuple of value as readonly Tuple[]) visitor(tuple)
    else visitor(value as Tuple)
  }
}
