import { nodeFileSystem } from '../fs/index.ts'
import { type InspectedSegment, inspectSegments } from '../wal/index.ts'
import { readStoreFacts } from './store-facts.ts'

/** The segments of a store's log as they lie on disk, oldest first. The store is not opened. */
export async function* readSegments(location: string): AsyncGenerator<InspectedSegment> {
  const { layout, superblock } = await readStoreFacts(location)
  yield* inspectSegments({
    fileSystem: nodeFileSystem(),
    directory: layout.wal,
    storeId: Buffer.from(superblock.storeId, 'hex'),
  })
}

export interface SequenceRange {
  readonly first: number
  readonly last: number
}

/** Sequences of the records in the intact frames; undefined without records. */
export function sequencesOf({ frames }: InspectedSegment): SequenceRange | undefined {
  let range: SequenceRange | undefined
  for (const { ok, firstSequence, recordCount } of frames) {
    if (!ok || firstSequence === undefined || recordCount === 0) continue
    range = { first: range?.first ?? firstSequence, last: firstSequence + recordCount - 1 }
  }
  return range
}

export function recordsOf({ frames }: InspectedSegment): number {
  return frames.reduce((sum, frame) => sum + frame.recordCount, 0)
}
