import { BASE_UNKNOWN, Entry, type MemoryTier, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { level } from '../wal/index.ts'
import { domainOf } from './domains.ts'
import { decodeRecord } from './record-format.ts'

/** Applies mutations exactly as the write did. The entries refer to the reader's memory, which is never reused. */
export function replayRecord(tier: MemoryTier, sequence: number, record: Buffer): void {
  decodeRecord(record, sequence, ({ key, valueStart, valueLength }) => {
    const entry =
      valueStart < 0
        ? new Entry(key, TOMBSTONE, sequence, level.buffered, undefined, null, 0, 0, BASE_UNKNOWN)
        : new Entry(
            key,
            record[valueStart] as number,
            sequence,
            level.buffered,
            UNDECODED,
            record,
            valueStart,
            valueLength,
            BASE_UNKNOWN,
          )
    tier.put(entry, domainOf(key))
  })
}
