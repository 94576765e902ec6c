import { close, fdatasync, fdatasyncSync, fstat, fsync, ftruncate, read, readSync, write, writeSync } from 'node:fs'
import type { FileHandle } from './file-system.ts'

const closed = -1

/**
 * A raw file descriptor. `write`, `writeSync` and `datasync` are on the path of every durable write: they do nothing
 * but the call. A call after `close` fails with EBADF instead of reaching a file that got the same number since.
 */
export class NodeFileHandle implements FileHandle {
  readonly path: string
  #descriptor: number

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  write(data: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#open('write'), data, 0, data.length, position, (error, written) =>
        error === null ? resolve(written) : reject(error),
      )
    })
  }

  writeSync(data: Uint8Array, position: number): number {
    return writeSync(this.#open('write'), data, 0, data.length, position)
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#open('read'), target, 0, target.length, position, (error, got) =>
        error === null ? resolve(got) : reject(error),
      )
    })
  }

  readSync(target: Uint8Array, position: number): number {
    return readSync(this.#open('read'), target, 0, target.length, position)
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#open('fdatasync'), (error) => (error === null ? resolve() : reject(error)))
    })
  }

  datasyncSync(): void {
    fdatasyncSync(this.#open('fdatasync'))
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fsync(this.#open('fsync'), (error) => (error === null ? resolve() : reject(error)))
    })
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      ftruncate(this.#open('ftruncate'), length, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#open('fstat'), (error, stats) => (error === null ? resolve(stats.size) : reject(error)))
    })
  }

  /** Closing twice fails with EBADF. Wait for calls in flight before closing. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      const descriptor = this.#open('close')
      this.#descriptor = closed
      close(descriptor, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  #open(call: string): number {
    if (this.#descriptor !== closed) return this.#descriptor
    throw Object.assign(new Error(`EBADF: file is closed, ${call} '${this.path}'`), {
      code: 'EBADF',
      syscall: call,
      path: this.path,
    })
  }
}
