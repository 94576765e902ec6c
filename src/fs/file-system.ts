/**
 * The only way holdfast touches the disk. The Node implementation, the simulated disk and the fault injector
 * implement it; the engine knows nothing else. Every method may reject with a system error (`code: 'EIO'`, …);
 * callers wrap it with `ioError`.
 *
 * What survives a power cut: file bytes and size after `datasync` or `sync` of that file; names (create, rename,
 * unlink) after `syncDirectory` of the directory that holds them. Nothing else.
 */
export interface FileSystem {
  /**
   * `read`: existing file, reading only. `write`: existing file, reading and writing. `create`: a new file, reading
   * and writing; fails with EEXIST if the name is taken (O_EXCL).
   */
  open(path: string, mode: OpenMode): Promise<FileHandle>
  /** Creates the directory and its missing parents; no error if it is there. */
  mkdir(path: string): Promise<void>
  /** Names in a directory, sorted. Fails with ENOENT or ENOTDIR. */
  readdir(path: string): Promise<string[]>
  /** Undefined when nothing has that name; every other failure rejects. */
  stat(path: string): Promise<FileStat | undefined>
  /** Atomically gives `from` the name `to`, replacing a file that had it. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Removes a file or a whole directory tree; no error if it is not there. */
  removeTree(path: string): Promise<void>
  /** Makes creates, renames and unlinks in this directory durable. */
  syncDirectory(path: string): Promise<void>
  /** The canonical absolute path of something that exists. */
  realpath(path: string): Promise<string>
  /**
   * A courtesy lock between processes on `directory` (never proof of ownership: see the epoch). Rejects with
   * HOLDFAST_LOCKED when another living owner holds it. `onLost` fires at most once, when the lock is found to be
   * no longer ours; the lock must not be released after that.
   */
  lock(directory: string, onLost: (reason: Error) => void): Promise<FileLock>
}

export type OpenMode = 'read' | 'write' | 'create'

export interface FileStat {
  readonly kind: 'file' | 'directory'
  readonly size: number
  /** Device and inode identify a file or directory whatever its path is spelt like. */
  readonly device: number
  readonly inode: number
}

export interface FileHandle {
  readonly path: string
  /** Writes at `position`; resolves to the bytes written, which may be fewer than asked (use `writeFully`). */
  write(data: Uint8Array, position: number): Promise<number>
  writeSync(data: Uint8Array, position: number): number
  /** Reads at `position`; resolves to the bytes read; 0 only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  readSync(target: Uint8Array, position: number): number
  /** fdatasync: bytes and size are durable when it resolves. */
  datasync(): Promise<void>
  datasyncSync(): void
  /** fsync: bytes, size and metadata are durable when it resolves. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export interface FileLock {
  /** Throws HOLDFAST_LOCKED-coded error if the lock is already known to be lost. */
  release(): Promise<void>
}
