import { dirname, resolve } from 'node:path'
import { ioError, systemCode } from '../base/index.ts'
import type { FileSystem } from './file-system.ts'

/**
 * Creates `path` and its missing parents; their names are durable when it resolves. Rejects with HOLDFAST_IO.
 *
 * Works from the top down and makes each name durable before the next is created. So after any crash at most the
 * deepest existing directory has a name that is not durable, and the next call starts by syncing just that one.
 */
export async function makeDirectoryDurable(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    const missing: string[] = []
    let existing = resolve(path)
    while ((await fileSystem.stat(existing)) === undefined && dirname(existing) !== existing) {
      missing.push(existing)
      existing = dirname(existing)
    }
    await syncReadableDirectory(fileSystem, dirname(existing))
    for (const directory of missing.reverse()) {
      await fileSystem.mkdir(directory)
      await fileSystem.syncDirectory(dirname(directory))
    }
    if (missing.length === 0) await fileSystem.mkdir(path)
  } catch (cause) {
    throw ioError('create directory', path, cause)
  }
}

// Someone else's directory above ours may forbid listing. We cannot have created names in such a place before.
async function syncReadableDirectory(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.syncDirectory(path)
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EACCES' && code !== 'EPERM') throw error
  }
}
