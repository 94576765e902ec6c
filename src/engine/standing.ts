import { HoldfastError } from '../base/index.ts'
import type { BackendAccess } from './backend-access.ts'
import {
  type BatchChange,
  batchPrefix,
  type CheckpointRecord,
  checkpointKey,
  decodeMeta,
  hashOf,
  type Standing,
  standingOf,
} from './checkpoint-record.ts'
import type { CheckpointPointer } from './superblock.ts'

const readAtOnce = 256

/**
 * The accounting that fits the backend as it is, also in the middle of a checkpoint. HOLDFAST_CORRUPT when the backend
 * does not have the published checkpoint.
 */
export async function readStanding({ backend }: BackendAccess, published: CheckpointPointer): Promise<Standing> {
  const key = checkpointKey(published.number)
  const bytes = await backend.get(key)
  if (bytes === undefined || hashOf(bytes) !== published.hash) {
    throw new HoldfastError('HOLDFAST_CORRUPT', `checkpoint ${published.number} is gone from ${backend.description}`, {
      detail: { checkpoint: published.number, location: backend.location },
    })
  }
  const changes: BatchChange[] = []
  const iterator = backend.iterate({ gte: batchPrefix, lt: '!batch0' })
  try {
    for (;;) {
      const rows = await iterator.next(readAtOnce)
      for (const row of rows) changes.push(decodeMeta<BatchChange>(row.key, row.value))
      if (rows.length < readAtOnce) break
    }
  } finally {
    await iterator.close()
  }
  return standingOf(decodeMeta<CheckpointRecord>(key, bytes), changes)
}
