import type { Mutant } from './mutant.ts'

const segmentWriter = 'wal/segment-writer.ts'
const start = 'wal/start.ts'
const wal = 'wal/wal.ts'
const writeFully = 'fs/write-fully.ts'

/** Defects of the log and of the files under it. */
export const logMutants: readonly Mutant[] = [
  {
    name: 'no-log-fsync',
    defect: 'no fsync',
    breaks: 'the log takes its bytes for durable without syncing them',
    edits: [
      { file: segmentWriter, find: 'this.#handle.datasyncSync()', replace: 'void this.#handle' },
      { file: segmentWriter, find: 'await this.#handle.datasync()', replace: 'await Promise.resolve()' },
    ],
  },
  {
    name: 'no-group-fsync',
    defect: 'no fsync',
    breaks: 'the sync of a group, on another thread, is left out; that of a lone record is not',
    edits: [{ file: segmentWriter, find: 'await this.#handle.datasync()', replace: 'await Promise.resolve()' }],
  },
  {
    name: 'no-header-fsync',
    defect: 'no fsync',
    breaks: 'the header of the segment that an opening begins is taken for durable without a sync',
    edits: [
      {
        file: start,
        find: 'writer.writeHeader()\n    await writer.datasync()',
        replace: 'writer.writeHeader()\n    writer.durableEnd = writer.end',
      },
    ],
  },
  {
    name: 'no-copy-fsync',
    defect: 'no fsync',
    breaks: 'the header that replaces recovered frames is written before their copies are durable',
    edits: [{ file: start, find: 'if (writer.frames > 0) await writer.datasync()', replace: '' }],
  },
  {
    name: 'no-superblock-fsync',
    defect: 'no fsync',
    breaks: 'a file replaced as a whole gets its name before its bytes are durable',
    edits: [{ file: 'fs/atomic-file.ts', find: 'await handle.datasync()', replace: '' }],
  },
  {
    name: 'no-segment-directory-fsync',
    defect: 'no directory fsync',
    breaks: 'the name of a new segment is not made durable',
    edits: [
      {
        file: 'wal/preallocation.ts',
        find: 'await fileSystem.syncDirectory(directory)\n  } catch (cause) {',
        replace: '} catch (cause) {',
      },
    ],
  },
  {
    name: 'no-spare-directory-fsync',
    defect: 'no directory fsync',
    breaks: 'the name of a segment whose file was prepared is not made durable',
    edits: [
      {
        file: 'wal/preallocation.ts',
        find: 'await fileSystem.syncDirectory(directory)\n        return spare',
        replace: 'return spare',
      },
    ],
  },
  {
    name: 'no-rename-directory-fsync',
    hunter: 'test/crash/store.test.ts',
    defect: 'no directory fsync',
    breaks: 'a file replaced as a whole may be the old one again after a power cut',
    edits: [{ file: 'fs/atomic-file.ts', find: 'await fileSystem.syncDirectory(dirname(path))', replace: '' }],
  },
  {
    name: 'no-parent-directory-fsync',
    defect: 'no directory fsync',
    breaks: 'the name of a new directory is not made durable',
    edits: [
      {
        file: 'fs/make-directory.ts',
        find: 'await fileSystem.syncDirectory(dirname(directory))',
        replace: '',
      },
    ],
  },
  {
    name: 'group-acknowledged-early',
    defect: 'acknowledged before fsync',
    breaks: 'a group is acknowledged when it is written, and synced afterwards',
    edits: [
      {
        file: wal,
        find: 'if (this.#log.unsynced) await this.#log.datasync()\n    this.#synced()',
        replace: 'const { unsynced } = this.#log\n    this.#synced()\n    if (unsynced) await this.#log.datasync()',
      },
    ],
  },
  {
    name: 'lone-acknowledged-early',
    defect: 'acknowledged before fsync',
    breaks: 'a lone record is acknowledged when it is written, and synced afterwards',
    edits: [
      {
        file: wal,
        find: 'this.#log.datasyncSync()\n      this.#synced()',
        replace: 'this.#synced()\n      this.#log.datasyncSync()',
      },
    ],
  },
  {
    name: 'short-write-ignored',
    defect: 'ignores a short write',
    breaks: 'a write that took a part of the bytes counts as one that took all',
    edits: [
      {
        file: writeFully,
        find: 'const written = handle.writeSync(rest, position + done)\n    if (written <= 0) throw stalled(handle, position + done, rest.length)\n    done += written',
        replace: 'handle.writeSync(rest, position + done)\n    done = data.length',
      },
    ],
  },
  {
    name: 'short-async-write-ignored',
    hunter: 'test/fault/io-faults.test.ts',
    defect: 'ignores a short write',
    breaks: 'the same for writes on another thread: the superblock, copies, large groups',
    edits: [
      {
        file: writeFully,
        find: 'const written = await handle.write(rest, position + done)\n    if (written <= 0) throw stalled(handle, position + done, rest.length)\n    done += written',
        replace: 'await handle.write(rest, position + done)\n    done = data.length',
      },
    ],
  },
  {
    name: 'fsync-retried',
    defect: 'retries fsync',
    breaks: 'a sync that failed is tried again, and the second one succeeds without the bytes',
    edits: [
      {
        file: segmentWriter,
        find: 'await this.#handle.datasync()',
        replace: 'await this.#handle.datasync().catch(() => this.#handle.datasync())',
      },
    ],
  },
  {
    name: 'lone-fsync-retried',
    defect: 'retries fsync',
    breaks: 'the same for the sync of a lone record on the calling thread',
    edits: [
      {
        file: segmentWriter,
        find: 'this.#handle.datasyncSync()',
        replace:
          'try {\n        this.#handle.datasyncSync()\n      } catch {\n        this.#handle.datasyncSync()\n      }',
      },
    ],
  },
  {
    name: 'writes-on-after-failure',
    defect: 'appends after a torn tail',
    breaks: 'after a write that failed half way the log goes on behind the bytes it left',
    edits: [
      {
        file: wal,
        find: 'this.#failure = failure\n    this.#stopTimers()',
        replace: 'this.#stopTimers()',
      },
      { file: wal, find: 'this.#options.onFailure?.(failure)', replace: '' },
    ],
  },
  {
    name: 'continues-behind-torn-bytes',
    defect: 'appends after a torn tail',
    breaks: 'the next segment says that the torn bytes before it are part of the log',
    edits: [{ file: start, find: 'predecessorEnd: tail.promisedEnd,', replace: 'predecessorEnd: tail.tornEnd,' }],
  },
  {
    name: 'builds-on-unpromised-frames',
    defect: 'appends after a torn tail',
    breaks: 'frames that may be in the page cache alone are taken for durable and not written again',
    edits: [
      {
        file: 'wal/segment-scan.ts',
        find: 'this.#marks.push({ end: frame.end, crc: frame.crc, nextSequence: this.nextSequence })',
        replace:
          'this.#marks.push({ end: frame.end, crc: frame.crc, nextSequence: this.nextSequence })\n    this.#promise(frame.end)',
      },
    ],
  },
  {
    name: 'frame-checksum-skipped',
    defect: 'skips a checksum',
    breaks: 'a frame is taken as it is read',
    edits: [
      {
        file: 'wal/frame.ts',
        find: 'return headerCrc(buffer, start, salt, crc32(payload)) === frameCrc(buffer, start)',
        replace: 'return headerCrc(buffer, start, salt, crc32(payload)) >= 0',
      },
    ],
  },
  {
    name: 'segment-header-checksum-skipped',
    defect: 'skips a checksum',
    breaks: 'the header of a segment is taken as it is read',
    edits: [
      {
        file: 'wal/segment-header.ts',
        find: 'if (crc32(bytes.subarray(0, at.crc)) !== crc)',
        replace: 'if (crc32(bytes.subarray(0, at.crc)) < 0)',
      },
    ],
  },
  {
    name: 'frame-chain-skipped',
    defect: 'skips the chain',
    breaks: 'a frame need not continue the one before it',
    edits: [
      {
        file: 'wal/segment-scan.ts',
        find: 'if (header.previousCrc !== previous?.crc)',
        replace: 'if (previous === undefined)',
      },
    ],
  },
  {
    name: 'segment-chain-skipped',
    defect: 'skips the chain',
    breaks: 'a segment need not continue the one before it',
    edits: [
      {
        file: 'wal/segment-scan.ts',
        find: 'if (this.position !== predecessorEnd || last?.crc !== predecessorCrc) {',
        replace: 'if (last === undefined || predecessorCrc + predecessorEnd < 0) {',
      },
    ],
  },
  {
    name: 'sequence-used-again',
    defect: 'uses a sequence again',
    breaks: 'the first record of an opening gets the number of the last one that was recovered',
    edits: [
      {
        file: wal,
        find: 'this.#filling = new FillingBuffer(options.segmentBytes, nextSequence)',
        replace: 'this.#filling = new FillingBuffer(options.segmentBytes, Math.max(1, nextSequence - 1))',
      },
    ],
  },
  {
    name: 'copied-frames-replayed-twice',
    defect: 'replays twice',
    breaks: 'frames that the next segment has copies of are read from both',
    edits: [
      {
        file: 'wal/segment-scan.ts',
        find: 'if (this.#next !== undefined && this.position >= this.#next.header.predecessorEnd) {\n      this.#checkSuccessor(this.#next)\n      return undefined\n    }',
        replace: '',
      },
      {
        file: 'wal/segment-scan.ts',
        find: 'if (this.#next !== undefined) throw this.#damage(reading.reason)',
        replace: '',
      },
      {
        file: 'wal/segment-scan.ts',
        find: "if (this.#next !== undefined) throw this.#damage('it ends before the place where the next segment continues')",
        replace: '',
      },
    ],
  },
  {
    name: 'checkpointed-records-replayed',
    defect: 'replays twice',
    breaks: 'records that the checkpoint already has are replayed on top of it',
    edits: [{ file: 'wal/recovery.ts', find: 'if (sequence <= options.afterSequence) return', replace: '' }],
  },
]
