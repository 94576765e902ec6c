/** fs: the one way to the disk, its Node implementation and the directory lock. Uses base only. */
export { readFileWhole, temporarySuffix, writeFileAtomic } from './atomic-file.ts'
export { lockHolder } from './directory-lock.ts'
export type { FileHandle, FileLock, FileStat, FileSystem, OpenMode } from './file-system.ts'
export { makeDirectoryDurable } from './make-directory.ts'
export { nodeFileSystem, type NodeFileSystemOptions } from './node-file-system.ts'
export { readFully, writeFully, writeFullySync } from './write-fully.ts'
export { type LinkedView, linkedView, type ViewEntry } from './level-view.ts'
