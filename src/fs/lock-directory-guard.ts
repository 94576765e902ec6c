import {
  mkdir as makeDirectory,
  rmdir as removeDirectory,
  rmdirSync as removeDirectorySync,
  type Stats,
  stat as readStat,
  statSync,
  utimes as setTimes,
} from 'node:fs'

type Done = (error: Error | null) => void

/**
 * The few calls proper-lockfile makes, with one change: a lock directory is removed only while it still is the one
 * last looked at, and once the lock is taken, only while it is our own. By itself proper-lockfile would also remove
 * the lock of whoever took over while this process was stalled: at release and when the process exits.
 *
 * A directory is the same while inode and modification time are: every owner keeps setting the time to its own.
 */
export class LockDirectoryGuard {
  #inode: number | undefined
  /** The time last seen or set, and the one being set: a process may end before it hears that the call succeeded. */
  #times: readonly number[] = []
  #adopted = false
  #abandoned = false

  readonly mkdir = makeDirectory

  readonly stat = (path: string, done: (error: Error | null, stats?: Stats) => void): void => {
    readStat(path, (error, stats) => {
      if (error === null && !this.#adopted) this.#remember(stats)
      done(error, stats)
    })
  }

  readonly utimes = (path: string, accessed: Date, modified: Date, done: Done): void => {
    this.#times = [...this.#times, modified.getTime()]
    setTimes(path, accessed, modified, (error) => {
      if (error === null) this.#times = [modified.getTime()]
      done(error)
    })
  }

  readonly rmdir = (path: string, done: Done): void => {
    if (this.#abandoned) return done(null)
    readStat(path, (error, stats) => {
      if (error !== null) return done(error)
      if (!this.#mayRemove(stats)) return done(takenOver(path))
      removeDirectory(path, done)
    })
  }

  readonly rmdirSync = (path: string): void => {
    if (!this.#abandoned && this.#mayRemove(statSync(path))) removeDirectorySync(path)
  }

  /** The lock is taken: from now on the directory seen last, and no other, is ours to remove. */
  adopt(): void {
    this.#adopted = true
  }

  /** The lock is someone else's: from now on nothing is removed. */
  abandon(): void {
    this.#abandoned = true
  }

  #remember(stats: Stats): void {
    this.#inode = stats.ino
    this.#times = [stats.mtime.getTime()]
  }

  #mayRemove(stats: Stats): boolean {
    return stats.ino === this.#inode && this.#times.includes(stats.mtime.getTime())
  }
}

function takenOver(path: string): Error {
  return Object.assign(new Error(`${path} belongs to another owner`), { code: 'ELOCKED' })
}
