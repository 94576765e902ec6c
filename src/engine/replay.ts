import { envelopeHeaderBytes } from '../codec/index.ts'
import { BASE_UNKNOWN, Entry, type MemoryTier, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { level } from '../wal/index.ts'
import { domainOf } from './domains.ts'
import { decodeRecord } from './record-format.ts'

/** Hears of every replayed mutation, in order. `payload` is that of the envelope or, with kind 0, a delete's note. */
export type ReplayObserver = (key: string, kind: number, payload: Buffer) => void

/** Applies mutations exactly as the write did. The entries refer to the reader's memory, which is never reused. */
export function replayRecord(tier: MemoryTier, sequence: number, record: Buffer, observer?: ReplayObserver): void {
  decodeRecord(record, sequence, ({ key, deletes, valueStart, valueLength }) => {
    const entry = deletes
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
    if (observer === undefined) return
    const payloadStart = deletes ? valueStart : valueStart + envelopeHeaderBytes
    observer(key, entry.kind, record.subarray(payloadStart, valueStart + valueLength))
  })
}
