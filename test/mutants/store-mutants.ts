import type { Mutant } from './mutant.ts'

const checkpointer = 'engine/checkpointer.ts'

/** Defects of the engine and the memory tier: checkpoints, recovery, deletions. */
export const storeMutants: readonly Mutant[] = [
  {
    name: 'acknowledged-when-written',
    defect: 'acknowledged before fsync',
    breaks: 'every write is acknowledged as one that asked for `os`',
    edits: [
      {
        file: 'engine/engine.ts',
        find: 'if (gate === undefined) return this.wal.settled(sequence, wanted, value)',
        replace:
          'if (gate === undefined) return this.wal.settled(sequence, Math.min(wanted, 1) as typeof wanted, value)',
      },
    ],
  },
  {
    name: 'backend-before-log',
    defect: 'no fsync',
    breaks: 'a checkpoint hands the backend what the log could still lose',
    edits: [{ file: checkpointer, find: 'await wal.sync()', replace: '' }],
  },
  {
    name: 'checkpoint-not-synced',
    defect: 'no fsync',
    breaks: 'the last batch of a checkpoint is not synced before segments go',
    edits: [{ file: checkpointer, find: '{ sync: true }', replace: '{ sync: false }' }],
  },
  {
    name: 'trimmed-before-checkpoint',
    defect: 'trimmed before the checkpoint is durable',
    breaks: 'segments go before the backend has what they hold',
    edits: [
      { file: checkpointer, find: 'await wal.sync()', replace: 'await wal.sync()\n    await wal.trim(sequence)' },
    ],
  },
  {
    name: 'trimmed-before-publishing',
    defect: 'trimmed before the checkpoint is durable',
    breaks: 'segments go when the backend has a checkpoint that the superblock does not name yet',
    edits: [
      {
        file: checkpointer,
        find: 'await this.#publish(record, sequence)',
        replace: 'await wal.trim(sequence)\n    await this.#publish(record, sequence)',
      },
    ],
  },
  {
    name: 'trimmed-to-the-newest-checkpoint',
    hunter: 'test/crash/backend-crash.test.ts',
    defect: 'trimmed before the checkpoint is durable',
    breaks: 'the log no longer reaches back to the checkpoint before, which a backend may fall back to',
    edits: [
      {
        file: checkpointer,
        find: 'await wal.trim(this.#superblock.previousCheckpoint?.sequence ?? 0)',
        replace: 'await wal.trim(this.#superblock.checkpoint.sequence)',
      },
    ],
  },
  {
    name: 'published-unread',
    defect: 'trimmed before the checkpoint is durable',
    breaks: 'a checkpoint is published, and segments go, without reading it back',
    edits: [
      {
        file: checkpointer,
        find: 'if (read === undefined || Buffer.compare(read, bytes) !== 0) {',
        replace: 'if (read !== undefined && read.length < 0) {',
      },
    ],
  },
  {
    name: 'value-checksum-skipped',
    hunter: 'test/crash/damage.test.ts',
    defect: 'skips a checksum',
    breaks: 'a value of the backend is taken as it is read',
    edits: [{ file: 'codec/envelope.ts', find: 'if (stored !== computed) {', replace: 'if (stored < 0) {' }],
  },
  {
    name: 'superblock-checksum-skipped',
    hunter: 'test/crash/damage.test.ts',
    defect: 'skips a checksum',
    breaks: 'the superblock is taken as it is read',
    edits: [
      {
        file: 'engine/superblock.ts',
        find: "lines[3] === '' && lines[2] === checksum(`${lines[0]}\\n${lines[1]}\\n`)",
        replace: "lines[3] === '' && checksum(lines[2] ?? '') !== ''",
      },
    ],
  },
  {
    name: 'checkpoint-chain-skipped',
    hunter: 'test/crash/backend-crash.test.ts',
    defect: 'skips the chain',
    breaks: 'whatever checkpoint has the right number is taken for the published one',
    edits: [
      {
        file: 'engine/open-engine.ts',
        find: 'if (bytes !== undefined && hashOf(bytes) === pointer.hash) return pointer',
        replace: 'if (bytes !== undefined) return pointer',
      },
      {
        file: 'engine/standing.ts',
        find: 'if (bytes === undefined || hashOf(bytes) !== published.hash) {',
        replace: "if (bytes === undefined || hashOf(bytes) === '') {",
      },
    ],
  },
  {
    name: 'epoch-used-again',
    defect: 'uses a sequence again',
    breaks: 'an opening takes the epoch of the one before it, under which sequences were given out already',
    edits: [
      { file: 'engine/open-engine.ts', find: 'epoch: found.epoch + 1', replace: 'epoch: Math.max(1, found.epoch)' },
      {
        file: 'wal/start.ts',
        find: 'if (options.epoch > recovery.highestEpoch) return',
        replace: 'if (options.epoch > 0) return',
      },
    ],
  },
  {
    name: 'deletion-not-logged',
    defect: 'drops a tombstone',
    breaks: 'a deletion is applied in memory and missing from its record',
    edits: [
      {
        file: 'engine/engine.ts',
        find: 'this.#recordBuilder().delete(key, note ?? noNote)',
        replace: 'this.#recordBuilder()',
      },
    ],
  },
  {
    name: 'deletion-not-replayed',
    defect: 'drops a tombstone',
    breaks: 'recovery applies what was written and not what was deleted',
    edits: [
      {
        file: 'engine/replay.ts',
        find: 'tier.put(entry, domainOf(key))',
        replace: 'if (entry.kind !== TOMBSTONE) tier.put(entry, domainOf(key))',
      },
    ],
  },
  {
    name: 'deletion-not-checkpointed',
    defect: 'drops a tombstone',
    breaks: 'a checkpoint hands the backend what was written and not what was deleted',
    edits: [{ file: checkpointer, find: 'operations.push({ key: entry.key, value: undefined })', replace: '' }],
  },
  {
    name: 'deletion-not-scanned',
    defect: 'drops a tombstone',
    breaks: 'a scan shows what the backend still has of a key that was deleted',
    edits: [
      {
        file: 'engine/scan.ts',
        find: 'const dirty = source.tier.dirtyInRange(range.domain, range.gte, range.lt, range.limit, range.reverse)',
        replace:
          'const dirty = source.tier\n    .dirtyInRange(range.domain, range.gte, range.lt, range.limit, range.reverse)\n    .filter((entry) => entry.kind !== TOMBSTONE)',
      },
    ],
  },
]
