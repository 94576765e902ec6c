import { constants, open } from 'node:fs'
import { mkdir, open as openHandle, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises'
import { systemCode } from '../base/index.ts'
import { type LockTiming, lockDirectory } from './directory-lock.ts'
import type { FileHandle, FileLock, FileStat, FileSystem, OpenMode } from './file-system.ts'
import { NodeFileHandle } from './node-file-handle.ts'

export interface NodeFileSystemOptions {
  /** Times of the directory lock, milliseconds; for tests. */
  readonly lockTiming?: Partial<LockTiming>
}

const flags: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
}

/** The file system of the operating system. Errors are those of Node, unwrapped, but for `lock`. */
export function nodeFileSystem(options: NodeFileSystemOptions = {}): FileSystem {
  return {
    open: openFile,
    mkdir: async (path) => {
      await mkdir(path, { recursive: true })
    },
    readdir: async (path) => (await readdir(path)).sort(),
    stat: statFile,
    rename,
    unlink,
    removeTree: (path) => rm(path, { recursive: true, force: true }),
    syncDirectory,
    realpath: (path) => realpath(path),
    lock: (directory, onLost): Promise<FileLock> => lockDirectory(directory, onLost, options.lockTiming),
  }
}

function openFile(path: string, mode: OpenMode): Promise<FileHandle> {
  return new Promise((resolve, reject) => {
    open(path, flags[mode], (error, descriptor) =>
      error === null ? resolve(new NodeFileHandle(path, descriptor)) : reject(error),
    )
  })
}

async function statFile(path: string): Promise<FileStat | undefined> {
  try {
    const found = await stat(path)
    return {
      kind: found.isDirectory() ? 'directory' : 'file',
      size: found.size,
      device: found.dev,
      inode: found.ino,
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await openHandle(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
