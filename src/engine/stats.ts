import type { OpenEngine } from './open-handle.ts'
import type { Stats } from './types.ts'

/** Counters grow for as long as the store is open; gauges are as of this call. */
export function storeStats(open: OpenEngine): Stats {
  const { engine, checkpointer } = open
  const tier = engine.tier.stats()
  const wal = engine.readOnly ? undefined : engine.wal
  const log = wal?.stats()
  const segments = wal?.segments() ?? []
  return {
    status: engine.status,
    epoch: engine.recovery.epoch,
    lastSequence: engine.lastSequence,
    durableSequence: engine.durableSequence,
    checkpointSequence: open.publishedCheckpoint.sequence,
    checkpoints: checkpointer?.completed ?? 0,
    checkpointRunning: checkpointer?.running ?? false,
    dirtyEntries: tier.dirtyEntries,
    dirtyBytes: tier.dirtyBytes,
    cleanEntries: tier.cleanEntries,
    cleanBytes: tier.cleanBytes,
    memoryBytes: open.memoryBytes,
    hits: tier.hits,
    misses: tier.misses,
    evictions: tier.evictions,
    storedEntries: open.account.entries,
    segments: segments.length,
    walBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    recordsWritten: log?.records ?? 0,
    groups: log?.groups ?? 0,
    syncs: log?.syncs ?? 0,
    writersWaiting: checkpointer?.writersWaiting ?? 0,
  }
}
