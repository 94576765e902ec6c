import { posix } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import type { FileHandle, FileLock, FileStat, FileSystem, OpenMode } from '../fs/index.ts'
import { CrashLuck } from './crash-luck.ts'
import type { FailedSync, SimulatedFile } from './simulated-file.ts'
import { type HandleHost, SimulatedHandle } from './simulated-handle.ts'
import { type SimulatedNode, SimulatedTree } from './simulated-tree.ts'
import { systemError } from './system-error.ts'

/**
 * `strict`: only what was synced survives. `all`: everything does, as after kill -9; what was unsynced still is.
 * `subset`: each unsynced write, size and change of names survives or not on its own, writes torn at sectors.
 * `directory-first`: every change of names survives, of the data a subset.
 */
export type CrashMode = 'strict' | 'all' | 'subset' | 'directory-first'

export interface SimulatedDiskOptions {
  /** Bytes all files together may have; then writes come up short and fail with ENOSPC. Unlimited by default. */
  readonly capacityBytes?: number
  /** Sector size at which writes tear in a crash; 512 by default. */
  readonly tearBytes?: number
}

export interface CrashOptions {
  readonly tearBytes?: number
}

/** Thrown, before it has any effect, by the call given to `crashAt` and by every later one. */
export class SimulatedCrash extends Error {
  readonly code = 'EIO'

  constructor(call: string, path: string, number: number) {
    super(`EIO: the simulated machine stopped at call ${number}, ${call} '${path}'`)
    this.name = 'SimulatedCrash'
  }
}

interface HeldLock {
  readonly onLost: (reason: Error) => void
  lost: boolean
}

/**
 * A disk in memory that knows what a power cut may take. Deterministic: no timers, no clock, every choice by seed.
 * Paths are absolute and POSIX; the root directory exists and is durable, everything else must be created.
 */
export class SimulatedDisk {
  readonly fileSystem: FileSystem
  /** How many calls of the file system and its handles there have been; the first is number 1. */
  callCount = 0
  capacityBytes: number
  /** Runs right before each call takes effect, with its number: the moment to `clone` what a crash there would find. */
  beforeCall: ((call: number, name: string, path: string) => void) | undefined
  readonly #tearBytes: number
  readonly #tree: SimulatedTree
  readonly #locks = new Map<number, HeldLock>()
  #crashAt = Number.POSITIVE_INFINITY
  #gone = false

  constructor(options: SimulatedDiskOptions = {}, tree = new SimulatedTree()) {
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
    this.#tearBytes = options.tearBytes ?? 512
    this.#tree = tree
    this.fileSystem = this.#makeFileSystem()
  }

  /** Makes call `number` (counted as `callCount` does) and every later one throw `SimulatedCrash`. */
  crashAt(number: number): void {
    this.#crashAt = number
  }

  /**
   * The disk as the next start finds it: no handles, no locks, `callCount` 0. This one is gone: every later call on
   * it fails with EIO. Its state stays, so that `crash` can be called again for another mode or seed.
   */
  crash(mode: CrashMode, seed = 0, options: CrashOptions = {}): SimulatedDisk {
    this.#gone = true
    return new SimulatedDisk(this.#options(), this.#treeAfter(mode, seed, options.tearBytes ?? this.#tearBytes))
  }

  /** An independent disk in the same state, what is unsynced included, without handles and locks. */
  clone(): SimulatedDisk {
    return new SimulatedDisk(this.#options(), this.#tree.copy())
  }

  /** The paths of all files, sorted. */
  files(): string[] {
    return [...this.#tree.files().keys()]
  }

  /** What a reader of the file sees now. */
  readBytes(path: string): Buffer {
    return this.#fileAt(path, 'readBytes').toBuffer()
  }

  /** Puts a file there, durably, with its directories; for preparing and damaging disks. */
  writeBytes(path: string, bytes: Uint8Array): void {
    const clean = normal(path)
    this.#tree.addDirectories(posix.dirname(clean), 'writeBytes')
    const found = this.#tree.find(clean, 'writeBytes')
    if (found?.kind === 'directory') throw systemError('EISDIR', 'writeBytes', path)
    const file = found ?? this.#tree.addFile(clean, 'writeBytes')
    file.replace(bytes)
    this.#tree.settleNames()
  }

  /** Flips the bits of `mask` in one byte of a file, in the cache and on the disk. */
  corrupt(path: string, offset: number, mask = 0xff): void {
    const file = this.#fileAt(path, 'corrupt')
    if (offset < 0 || offset >= file.size) throw new RangeError(`${path} has ${file.size} bytes, none at ${offset}`)
    file.corrupt(offset, mask)
  }

  /** Takes a directory's lock away from its owner, as a stale lock's new owner would. */
  loseLock(directory: string, reason = new Error('the lock was taken over')): void {
    const { inode } = this.#tree.directory(normal(directory), 'loseLock')
    const held = this.#locks.get(inode)
    if (held === undefined || held.lost) throw new Error(`${directory} is not locked`)
    held.lost = true
    this.#locks.delete(inode)
    held.onLost(reason)
  }

  #options(): SimulatedDiskOptions {
    return { capacityBytes: this.capacityBytes, tearBytes: this.#tearBytes }
  }

  #treeAfter(mode: CrashMode, seed: number, tearBytes: number): SimulatedTree {
    if (mode === 'all') return this.#tree.copy()
    const luck = new CrashLuck(seed)
    if (mode === 'strict') {
      return this.#tree.afterPowerCut(
        () => false,
        (file) => file.durableCopy(),
      )
    }
    return this.#tree.afterPowerCut(
      () => mode === 'directory-first' || luck.keeps(),
      (file) => file.luckyCopy(luck, tearBytes),
    )
  }

  #fileAt(path: string, call: string): SimulatedFile {
    const node = this.#tree.find(normal(path), call)
    if (node === undefined) throw systemError('ENOENT', call, path)
    if (node.kind === 'directory') throw systemError('EISDIR', call, path)
    return node
  }

  #enter(call: string, path: string): void {
    this.callCount += 1
    if (this.#gone) throw systemError('EIO', call, path, 'disk is gone')
    if (this.callCount >= this.#crashAt) throw new SimulatedCrash(call, path, this.callCount)
    this.beforeCall?.(this.callCount, call, path)
  }

  // One entry for every call: counted, stopped and answered in a microtask. `effect` runs at once.
  async #call<T>(call: string, path: string, effect: (path: string) => T): Promise<T> {
    this.#enter(call, path)
    return effect(normal(path))
  }

  #makeFileSystem(): FileSystem {
    const tree = this.#tree
    return {
      open: (path, mode) => this.#call('open', path, (at) => this.#open(at, mode)),
      mkdir: (path) => this.#call('mkdir', path, (at) => tree.addDirectories(at, 'mkdir')),
      readdir: (path) => this.#call('scandir', path, (at) => [...tree.directory(at, 'scandir').visible.keys()].sort()),
      stat: (path) => this.#call('stat', path, (at) => statOf(tree.find(at, 'stat'))),
      rename: (from, to) => this.#call('rename', from, (at) => this.#rename(at, normal(to))),
      unlink: (path) => this.#call('unlink', path, (at) => this.#unlink(at)),
      removeTree: (path) => this.#call('rm', path, (at) => this.#removeTree(at)),
      syncDirectory: (path) => this.#call('fsync', path, (at) => tree.syncDirectory(tree.directory(at, 'fsync'))),
      realpath: (path) => this.#call('realpath', path, (at) => this.#realpath(at)),
      lock: (directory, onLost) => this.#call('lock', directory, (at) => this.#lock(at, onLost)),
    }
  }

  #open(path: string, mode: OpenMode): FileHandle {
    const found = this.#tree.find(path, 'open')
    if (mode === 'create') {
      if (found !== undefined) throw systemError('EEXIST', 'open', path)
      return new SimulatedHandle(this.#host(), path, this.#tree.addFile(path, 'open'), true)
    }
    if (found === undefined) throw systemError('ENOENT', 'open', path)
    if (found.kind === 'directory') throw systemError('EISDIR', 'open', path)
    return new SimulatedHandle(this.#host(), path, found, mode === 'write')
  }

  #host(): HandleHost {
    return {
      enter: (call, path) => this.#enter(call, path),
      room: (file, position, wanted, path) => this.#room(file, position, wanted, path),
      failSync: (file, outcome: FailedSync) => file.failSync(outcome, new CrashLuck(this.callCount), this.#tearBytes),
    }
  }

  #room(file: SimulatedFile, position: number, wanted: number, path: string): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return wanted
    const free = Math.max(0, this.capacityBytes - this.#tree.usedBytes())
    const room = Math.min(wanted, Math.max(0, file.size + free - position))
    if (room === 0) throw systemError('ENOSPC', 'write', path)
    return room
  }

  #rename(from: string, to: string): void {
    const source = this.#tree.place(from, 'rename')
    const target = this.#tree.place(to, 'rename')
    const moved = this.#tree.find(from, 'rename')
    const replaced = this.#tree.find(to, 'rename')
    if (moved === undefined) throw systemError('ENOENT', 'rename', from)
    if (moved === replaced) return
    if (moved.kind === 'directory' && to.startsWith(`${from}/`)) throw systemError('EINVAL', 'rename', from)
    if (replaced !== undefined && replaced.kind !== moved.kind) {
      throw systemError(replaced.kind === 'directory' ? 'EISDIR' : 'ENOTDIR', 'rename', from)
    }
    if (replaced?.kind === 'directory' && replaced.visible.size > 0) throw systemError('ENOTEMPTY', 'rename', from)
    this.#tree.change([
      { directory: source.directory.inode, name: source.name, inode: undefined },
      { directory: target.directory.inode, name: target.name, inode: moved.inode },
    ])
  }

  #unlink(path: string): void {
    const { directory, name } = this.#tree.place(path, 'unlink')
    const found = this.#tree.find(path, 'unlink')
    if (found === undefined) throw systemError('ENOENT', 'unlink', path)
    if (found.kind === 'directory') throw systemError('EISDIR', 'unlink', path)
    this.#tree.change([{ directory: directory.inode, name, inode: undefined }])
  }

  #removeTree(path: string): void {
    if (this.#tree.find(path, 'rm') === undefined) return
    const { directory, name } = this.#tree.place(path, 'rm')
    this.#tree.removeTree(directory, name)
  }

  #realpath(path: string): string {
    if (this.#tree.find(path, 'realpath') === undefined) throw systemError('ENOENT', 'realpath', path)
    return path
  }

  #lock(path: string, onLost: (reason: Error) => void): FileLock {
    const { inode } = this.#tree.directory(path, 'lock')
    if (this.#locks.has(inode)) {
      throw new HoldfastError('HOLDFAST_LOCKED', `${path} is locked by another store; close it first`, {
        detail: { path },
      })
    }
    const held: HeldLock = { onLost, lost: false }
    this.#locks.set(inode, held)
    return { release: () => this.#call('unlock', path, () => this.#release(path, inode, held)) }
  }

  #release(path: string, inode: number, held: HeldLock): void {
    if (held.lost) {
      throw new HoldfastError('HOLDFAST_LOCKED', `the lock of ${path} was lost to another owner`, { detail: { path } })
    }
    if (this.#locks.get(inode) === held) this.#locks.delete(inode)
  }
}

function statOf(node: SimulatedNode | undefined): FileStat | undefined {
  if (node === undefined) return undefined
  return { kind: node.kind, size: node.kind === 'file' ? node.size : 0, device: 1, inode: node.inode }
}

function normal(path: string): string {
  return posix.resolve('/', path)
}
