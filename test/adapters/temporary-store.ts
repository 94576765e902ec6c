import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type OpenOptions, type Store } from '../../src/index.ts'

export interface TemporaryStore {
  readonly store: Store
  readonly remove: () => Promise<void>
}

/** A store on the disk, with LevelDB: what users of an adapter have. */
export async function temporaryStore(options?: OpenOptions): Promise<TemporaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-adapter-'))
  const store = await open(join(directory, 'store'), options)
  const remove = async () => {
    await store.close()
    await rm(directory, { recursive: true })
  }
  return { store, remove }
}
