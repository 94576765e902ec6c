import { copyFile, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a file of the source gets into the view, and under which name. */
export interface ViewEntry {
  readonly how: 'link' | 'copy'
  readonly name: string
}

export interface LinkedView {
  /** Absolute path of the view directory. */
  readonly location: string
  /** Removes the view; the files it links to stay. Safe to call again. */
  remove(): Promise<void>
}

/**
 * A throwaway directory among the system's temporary files that stands for `source` and can be written to: files that
 * never change are symbolic links, the others copies. `entry` decides by file name; undefined leaves a file out, without
 * even opening it. A link keeps the source safe only if nobody creates a file under its name: creating writes through.
 * When this rejects, nothing is left behind.
 */
export async function linkedView(source: string, entry: (name: string) => ViewEntry | undefined): Promise<LinkedView> {
  const from = await realpath(source)
  const location = await mkdtemp(join(tmpdir(), 'holdfast-view-'))
  const remove = () => rm(location, { recursive: true, force: true })
  try {
    for (const name of await readdir(from)) {
      const target = entry(name)
      if (target === undefined) continue
      if (target.how === 'link') await symlink(join(from, name), join(location, target.name))
      else await copyFile(join(from, name), join(location, target.name))
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { location, remove }
}
