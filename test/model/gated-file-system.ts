/** A file system whose slow calls begin when a scheduler of the test says so, in any order that it likes. */
import type { FileHandle, FileSystem } from '../../src/fs/index.ts'

/** Resolves when the call named `label` may begin. */
export type Gate = (label: string) => Promise<void>

export function gatedFileSystem(inner: FileSystem, gate: Gate): FileSystem {
  const after = async <T>(label: string, path: string, call: () => Promise<T>): Promise<T> => {
    await gate(`${label} ${path.slice(path.lastIndexOf('/') + 1)}`)
    return call()
  }
  return {
    open: async (path, mode) => gatedHandle(await inner.open(path, mode), after),
    mkdir: (path) => inner.mkdir(path),
    readdir: (path) => inner.readdir(path),
    stat: (path) => inner.stat(path),
    rename: (from, to) => after('rename', to, () => inner.rename(from, to)),
    unlink: (path) => after('unlink', path, () => inner.unlink(path)),
    removeTree: (path) => inner.removeTree(path),
    syncDirectory: (path) => after('sync directory', path, () => inner.syncDirectory(path)),
    realpath: (path) => inner.realpath(path),
    lock: (path, onLost) => inner.lock(path, onLost),
  }
}

function gatedHandle(
  inner: FileHandle,
  after: <T>(label: string, path: string, call: () => Promise<T>) => Promise<T>,
): FileHandle {
  const { path } = inner
  return {
    path,
    write: (data, position) => after('write', path, () => inner.write(data, position)),
    writeSync: (data, position) => inner.writeSync(data, position),
    read: (target, position) => inner.read(target, position),
    readSync: (target, position) => inner.readSync(target, position),
    datasync: () => after('datasync', path, () => inner.datasync()),
    datasyncSync: () => inner.datasyncSync(),
    sync: () => after('sync', path, () => inner.sync()),
    truncate: (length) => inner.truncate(length),
    size: () => inner.size(),
    close: () => inner.close(),
  }
}
