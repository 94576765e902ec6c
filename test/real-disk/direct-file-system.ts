/**
 * The machine's file system without threads and without the lock between processes. Opening a store is mostly waiting
 * for other threads, and some thousand stores are to be opened; what the tests look for is in the files.
 */
import fs from 'node:fs'
import type { FileHandle, FileStat, FileSystem, OpenMode } from '../../src/fs/index.ts'

const flags: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
}

export function directFileSystem(): FileSystem {
  return {
    open: async (path, mode) => new DirectHandle(path, fs.openSync(path, flags[mode])),
    mkdir: async (path) => void fs.mkdirSync(path, { recursive: true }),
    readdir: async (path) => fs.readdirSync(path).sort(),
    stat: async (path) => statOf(path),
    rename: async (from, to) => fs.renameSync(from, to),
    unlink: async (path) => fs.unlinkSync(path),
    removeTree: async (path) => fs.rmSync(path, { recursive: true, force: true }),
    syncDirectory: async (path) => void fs.statSync(path),
    realpath: async (path) => fs.realpathSync(path),
    lock: () => Promise.resolve({ release: () => Promise.resolve() }),
  }
}

function statOf(path: string): FileStat | undefined {
  const found = fs.statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  return { kind: found.isDirectory() ? 'directory' : 'file', size: found.size, device: found.dev, inode: found.ino }
}

class DirectHandle implements FileHandle {
  readonly path: string
  readonly #descriptor: number

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  write(data: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.writeSync(data, position))
  }

  writeSync(data: Uint8Array, position: number): number {
    return fs.writeSync(this.#descriptor, data, 0, data.length, position)
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return Promise.resolve(this.readSync(target, position))
  }

  readSync(target: Uint8Array, position: number): number {
    return fs.readSync(this.#descriptor, target, 0, target.length, position)
  }

  // Nothing here outlives the test.
  datasync(): Promise<void> {
    return Promise.resolve()
  }

  datasyncSync(): void {}

  sync(): Promise<void> {
    return Promise.resolve()
  }

  truncate(length: number): Promise<void> {
    fs.ftruncateSync(this.#descriptor, length)
    return Promise.resolve()
  }

  size(): Promise<number> {
    return Promise.resolve(fs.fstatSync(this.#descriptor).size)
  }

  close(): Promise<void> {
    fs.closeSync(this.#descriptor)
    return Promise.resolve()
  }
}
