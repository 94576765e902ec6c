/** Streams of blocks, whole and in batches. Knows nothing of the store. */
import type { CID } from 'multiformats/cid'

/** A block in one piece or in chunks. */
export type BlockBytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

export type BlockSource<T> = Iterable<T> | AsyncIterable<T>

export interface Block {
  readonly cid: CID
  readonly bytes: BlockBytes
}

interface WholeBlock {
  readonly cid: CID
  readonly bytes: Uint8Array
}

const batchItemsMax = 256
const batchBytesMax = 1024 * 1024

export async function wholeBlock(bytes: BlockBytes, signal: AbortSignal | undefined): Promise<Uint8Array> {
  if (bytes instanceof Uint8Array) return bytes
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) {
    signal?.throwIfAborted()
    if (!(chunk instanceof Uint8Array)) throw new TypeError('the chunks of a block are Uint8Arrays')
    chunks.push(chunk)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

/**
 * Items that are at hand come many at a time, so that one write takes them all. A stream's come one by one: whoever feeds
 * it may wait for the answer to one item before it hands over the next.
 */
export function inBatches<T>(source: BlockSource<T>, signal: AbortSignal | undefined): AsyncGenerator<T[]> {
  return batches(
    source,
    async (item) => item,
    () => 0,
    signal,
  )
}

export function blocksInBatches(
  source: BlockSource<Block>,
  signal: AbortSignal | undefined,
): AsyncGenerator<WholeBlock[]> {
  const whole = async ({ cid, bytes }: Block) => ({ cid, bytes: await wholeBlock(bytes, signal) })
  return batches(source, whole, ({ bytes }) => bytes.length, signal)
}

async function* batches<From, To>(
  source: BlockSource<From>,
  convert: (item: From) => Promise<To>,
  sizeOf: (item: To) => number,
  signal: AbortSignal | undefined,
): AsyncGenerator<To[]> {
  const isStream = Symbol.asyncIterator in source
  let batch: To[] = []
  let bytes = 0
  signal?.throwIfAborted()
  for await (const item of source) {
    signal?.throwIfAborted()
    const converted = await convert(item)
    batch.push(converted)
    bytes += sizeOf(converted)
    if (!isStream && batch.length < batchItemsMax && bytes < batchBytesMax) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}
