export type { FileHandle, FileLock, FileStat, FileSystem, OpenMode } from './file-system.ts'
