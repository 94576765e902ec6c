import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import { decodeSuperblock, formatVersion, type Layout, layoutOf, type Superblock } from '../engine/index.ts'
import { lockHolder, nodeFileSystem, readFileWhole } from '../fs/index.ts'

/** What can be told about a store without opening it, even while another process has it open. */
export interface StoreFacts {
  readonly layout: Layout
  readonly superblock: Superblock
  readonly format: number
  /** The process that has the store open, 0 if one does that cannot be told, undefined if nobody does. */
  readonly holder: number | undefined
}

/** HOLDFAST_NOT_FOUND when there is no store; HOLDFAST_CORRUPT or HOLDFAST_FORMAT_UNSUPPORTED when it cannot be read. */
export async function readStoreFacts(location: string): Promise<StoreFacts> {
  const fileSystem = nodeFileSystem()
  if ((await fileSystem.stat(location))?.kind !== 'directory') throw noStore(location)
  const layout = layoutOf(await fileSystem.realpath(location))
  const bytes = await readFileWhole(fileSystem, layout.superblock)
  if (bytes === undefined) throw noStore(location)
  const superblock = decodeSuperblock(bytes, layout.superblock)
  const holder = await lockHolder(layout.location)
  return { layout, superblock, format: formatVersion, holder: holder?.alive === false ? undefined : holder?.pid }
}

/** Bytes of the files in a directory; a file that goes away meanwhile counts as nothing. */
export async function directoryBytes(directory: string): Promise<number> {
  const fileSystem = nodeFileSystem()
  if ((await fileSystem.stat(directory)) === undefined) return 0
  let bytes = 0
  for (const name of await fileSystem.readdir(directory)) {
    const stat = await fileSystem.stat(join(directory, name))
    if (stat?.kind === 'file') bytes += stat.size
  }
  return bytes
}

function noStore(location: string): HoldfastError {
  return new HoldfastError('HOLDFAST_NOT_FOUND', `there is no store at ${location}`, { detail: { location } })
}
