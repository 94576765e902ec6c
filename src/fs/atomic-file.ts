import { dirname } from 'node:path'
import { ioError, systemCode } from '../base/index.ts'
import type { FileHandle, FileSystem } from './file-system.ts'
import { readFully, writeFully } from './write-fully.ts'

/** What `writeFileAtomic` appends to a name while it works; a file left with it is the remains of a crash. */
export const temporarySuffix = '.tmp'

/**
 * Gives `path` the content `bytes` so that a crash leaves either the old file or the new one, whole. Durable when it
 * resolves. Rejects with HOLDFAST_IO or HOLDFAST_NO_SPACE; the old content may or may not be replaced by then.
 */
export async function writeFileAtomic(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = path + temporarySuffix
  try {
    // Never reuse what an earlier crash left here: it may be longer than the new content.
    await fileSystem.removeTree(temporary)
    await writeNewFile(fileSystem, temporary, bytes)
    await fileSystem.rename(temporary, path)
    await fileSystem.syncDirectory(dirname(path))
  } catch (cause) {
    // A full disk should get its space back. The first failure is the one to report, and a leftover is harmless.
    await fileSystem.removeTree(temporary).catch(() => undefined)
    throw ioError('write', path, cause)
  }
}

/** The bytes of a file, or undefined when nothing has that name. Rejects with HOLDFAST_IO. */
export async function readFileWhole(fileSystem: FileSystem, path: string): Promise<Buffer | undefined> {
  let handle: FileHandle
  try {
    handle = await fileSystem.open(path, 'read')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw ioError('open', path, cause)
  }
  try {
    return await readAndClose(handle)
  } catch (cause) {
    throw ioError('read', path, cause)
  }
}

async function readAndClose(handle: FileHandle): Promise<Buffer> {
  try {
    const target = Buffer.alloc(await handle.size())
    const read = await readFully(handle, target, 0)
    return target.subarray(0, read)
  } finally {
    await handle.close()
  }
}

async function writeNewFile(fileSystem: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const handle = await fileSystem.open(path, 'create')
  try {
    await writeFully(handle, bytes, 0)
    // Before the rename: a name must never become durable ahead of the bytes it stands for.
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
