/** Where things are in a store's directory. */
import { join } from 'node:path'

export interface Layout {
  readonly location: string
  readonly superblock: string
  /** The epoch of the current owner, rewritten in place at every opening; read back to notice a lost lock. */
  readonly epochFile: string
  readonly wal: string
  readonly level: string
}

export function layoutOf(location: string): Layout {
  return {
    location,
    superblock: join(location, 'superblock'),
    epochFile: join(location, 'epoch'),
    wal: join(location, 'wal'),
    level: join(location, 'level'),
  }
}

/** Names that an interrupted creation may have left in a directory that never became a store, or that people put in an empty one. */
export const creationLeftovers: ReadonlySet<string> = new Set([
  'lock',
  'owner.json',
  'superblock.tmp',
  'epoch',
  'wal',
  'level',
  'owner.json.tmp',
  'README.md',
  '.gitignore',
  '.gitkeep',
])
