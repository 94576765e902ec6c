import { join } from 'node:path'
import { ioError, systemCode } from '../base/index.ts'
import { type FileHandle, type FileSystem, writeFully } from '../fs/index.ts'
import { segmentFileName } from './segment-name.ts'

const chunkBytes = 1024 * 1024
const firstSpareBytes = 8 * chunkBytes
const growth = 2

interface PreallocationOptions {
  readonly fileSystem: FileSystem
  readonly directory: string
  readonly epoch: number
  readonly segmentBytes: number
  readonly enabled: boolean
}

interface Spare {
  readonly number: number
  readonly file: string
  readonly handle: FileHandle
  readonly wantedBytes: number
  zeroedBytes: number
}

/** A file for the next segment. Its name is durable; it has no header yet. */
export interface FreshFile {
  readonly file: string
  readonly handle: FileHandle
  readonly zeroedBytes: number
}

/**
 * Keeps the file of the next segment ready, filled with zeros, so that writing the log allocates nothing and a sync
 * has only data to flush. A convenience: when it fails, or is late, the log goes on with files that are not filled.
 *
 * The first spare of an opening is small and each later one larger, so that a store that writes little leaves little
 * behind and one that writes much is soon on prepared files.
 */
export class Preallocation {
  readonly #options: PreallocationOptions
  #spare: Spare | undefined
  /** The one step of the background work that is in flight; never rejects. */
  #step: Promise<void> | undefined
  #stopped = false
  #disabled: boolean
  #wantedBytes: number

  constructor(options: PreallocationOptions) {
    this.#options = options
    this.#disabled = !options.enabled
    this.#wantedBytes = Math.min(options.segmentBytes, firstSpareBytes)
  }

  /** Whether a spare is complete. */
  get ready(): boolean {
    return this.#spare !== undefined && this.#step === undefined && this.#spare.zeroedBytes >= this.#spare.wantedBytes
  }

  /**
   * Takes the file of segment `number` one step further, in the background, when `share` of the current segment is
   * used: the zeros keep ahead of the log, twice as fast, instead of getting in its way all at once.
   */
  advance(number: number, share: number): void {
    if (this.#disabled || this.#stopped || this.#step !== undefined) return
    const spare = this.#spare
    if (spare === undefined) this.#run(this.#create(number))
    else if (spare.zeroedBytes < Math.min(1, share * 2) * spare.wantedBytes) this.#run(this.#fill(spare))
  }

  /**
   * Hands over the file of segment `number`, zero-filled as far as it got, or a new empty one. Resolves when its name
   * is durable.
   */
  async take(number: number): Promise<FreshFile> {
    await this.#step
    const { fileSystem, directory, epoch } = this.#options
    const spare = this.#spare
    this.#spare = undefined
    try {
      if (spare?.number === number) {
        await fileSystem.syncDirectory(directory)
        return spare
      }
      return await createSegmentFile(fileSystem, directory, number, epoch)
    } catch (cause) {
      await spare?.handle.close()
      throw ioError('create a segment in', directory, cause)
    }
  }

  /** Removes the spare, if there is one. Nothing is begun after this. */
  async discard(): Promise<void> {
    this.#stopped = true
    await this.#step
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined) return
    try {
      await this.#remove(spare)
    } catch (cause) {
      throw ioError('remove the unused segment', spare.handle.path, cause)
    }
  }

  /** Closes the file of the spare without touching the disk any more, for a log that has failed. */
  async abandon(): Promise<void> {
    this.#stopped = true
    await this.#step
    const spare = this.#spare
    this.#spare = undefined
    try {
      await spare?.handle.close()
    } catch (cause) {
      throw ioError('close the unused segment in', this.#options.directory, cause)
    }
  }

  #run(work: Promise<void>): void {
    const step = work
      .catch(() => this.#giveUp())
      .then(() => {
        this.#step = undefined
      })
    this.#step = step
  }

  async #create(number: number): Promise<void> {
    const { fileSystem, directory, epoch, segmentBytes } = this.#options
    const file = segmentFileName(number, epoch)
    const handle = await fileSystem.open(join(directory, file), 'create')
    this.#spare = { number, file, handle, wantedBytes: this.#wantedBytes, zeroedBytes: 0 }
    this.#wantedBytes = Math.min(segmentBytes, this.#wantedBytes * growth)
  }

  // Each chunk is synced by itself: one sync of everything would hold up the log's own.
  async #fill(spare: Spare): Promise<void> {
    const bytes = Math.min(chunkBytes, spare.wantedBytes - spare.zeroedBytes)
    await writeFully(spare.handle, zeros(bytes), spare.zeroedBytes)
    await spare.handle.datasync()
    spare.zeroedBytes += bytes
  }

  // Whatever went wrong (a full disk, mostly) is the log's problem only if it happens to the log itself. The space goes
  // back to those who need it, and this opening makes no more spares.
  async #giveUp(): Promise<void> {
    this.#disabled = true
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined) return
    try {
      await this.#remove(spare)
    } catch {
      // The file stays behind without a header, which the next opening takes for what it is. If the log comes to need
      // its name before, creating it fails and that is reported.
    }
  }

  async #remove(spare: Spare): Promise<void> {
    const { fileSystem, directory } = this.#options
    await spare.handle.close()
    await fileSystem.unlink(join(directory, spare.file))
  }
}

/** Creates the file of a segment and makes its name durable. */
export async function createSegmentFile(
  fileSystem: FileSystem,
  directory: string,
  number: number,
  epoch: number,
): Promise<FreshFile> {
  const file = segmentFileName(number, epoch)
  const handle = await fileSystem.open(join(directory, file), 'create')
  try {
    await fileSystem.syncDirectory(directory)
  } catch (cause) {
    await handle.close()
    throw cause
  }
  return { file, handle, zeroedBytes: 0 }
}

/** Fills a new file with zeros, unsynced. Answers how many: a disk too full for them may have room for the log. */
export async function fillWithZeros(handle: FileHandle, bytes: number): Promise<number> {
  let filled = 0
  try {
    while (filled < bytes) {
      const chunk = Math.min(chunkBytes, bytes - filled)
      await writeFully(handle, zeros(chunk), filled)
      filled += chunk
    }
  } catch (cause) {
    if (!isFull(cause)) throw cause
    await handle.truncate(0)
    return 0
  }
  return filled
}

function isFull(cause: unknown): boolean {
  const code = systemCode(cause)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

let sharedZeros: Buffer | undefined

function zeros(length: number): Buffer {
  sharedZeros ??= Buffer.alloc(chunkBytes)
  return sharedZeros.subarray(0, length)
}
