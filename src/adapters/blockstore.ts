/** The content store as a blockstore of the IPFS family: blocks by CID. */
import type { CID } from 'multiformats/cid'
import { HoldfastError } from '../base/index.ts'
import type { ContentId } from '../content/index.ts'
import type { WriteOptions } from '../engine/index.ts'
import type { Store } from '../store.ts'
import { type Block, blocksInBatches, type BlockBytes, type BlockSource, inBatches, wholeBlock } from './blocks.ts'
import { cidOfContent, contentIdOfCid } from './content-cid.ts'

export { cidOfContent, contentIdOfCid } from './content-cid.ts'
export type { BlockBytes, BlockSource } from './blocks.ts'

export interface HoldfastBlockstoreOptions extends WriteOptions {
  /**
   * What reads see. `'pinned'` (default): what is pinned, so a block is there from `put` to `delete`. `'all'`: all content
   * of the store, messages of assignments and nested values included; deleted blocks too, until `gc` removes them.
   */
  readonly contents?: 'pinned' | 'all'
}

export interface AbortOptions {
  readonly signal?: AbortSignal
}

export interface BlockPair {
  readonly cid: CID
  /** The block as one chunk. Read when it is iterated. */
  readonly bytes: AsyncGenerator<Uint8Array, void, undefined>
}

/** `get` of a block that is not there; blockstores are told apart by this name. */
class BlockNotFoundError extends HoldfastError {
  constructor(cid: CID) {
    super('HOLDFAST_MISSING_CONTENT', `block ${cid.toString()} is not in the blockstore`, {
      detail: { cid: cid.toString() },
    })
    this.name = 'NotFoundError'
  }
}

/**
 * Blocks are content put as bytes: found by their multihash, whatever the codec of the CID, and stored once. Putting a
 * block pins it; deleting unpins it, and `store.gc()` takes its bytes back unless something else in the store refers to
 * them. Only SHA-256 can be stored. Methods reject with the signal's reason when it is aborted.
 */
export class HoldfastBlockstore {
  readonly #store: Store
  readonly #pinnedOnly: boolean
  readonly #write: WriteOptions

  constructor(store: Store, options: HoldfastBlockstoreOptions = {}) {
    const { contents = 'pinned', durability } = options
    if (contents !== 'pinned' && contents !== 'all') throw new TypeError("the option contents is 'pinned' or 'all'")
    this.#store = store
    this.#pinnedOnly = contents === 'pinned'
    this.#write = durability === undefined ? {} : { durability }
  }

  /** Resolves when the block is stored and pinned, in one record. HOLDFAST_INVALID_ID unless its bytes have the CID's hash. */
  async put(cid: CID, bytes: BlockBytes, options?: AbortOptions): Promise<CID> {
    options?.signal?.throwIfAborted()
    await this.#putAll([{ cid, bytes: await wholeBlock(bytes, options?.signal) }])
    return cid
  }

  /** Yields each CID once its block is stored. Blocks of an array are stored many at a time, of a stream one by one. */
  async *putMany(source: BlockSource<Block>, options?: AbortOptions): AsyncGenerator<CID, void, undefined> {
    for await (const blocks of blocksInBatches(source, options?.signal)) {
      await this.#putAll(blocks)
      for (const { cid } of blocks) yield cid
    }
  }

  /** The block as one chunk, hash verified. NotFoundError when it is not there. */
  async *get(cid: CID, options?: AbortOptions): AsyncGenerator<Uint8Array, void, undefined> {
    options?.signal?.throwIfAborted()
    const id = contentIdOfCid(cid)
    const bytes = id !== undefined && (await this.#isVisible(id)) ? await this.#store.content.bytes(id) : undefined
    if (bytes === undefined) throw new BlockNotFoundError(cid)
    yield bytes
  }

  async *getMany(source: BlockSource<CID>, options?: AbortOptions): AsyncGenerator<BlockPair, void, undefined> {
    for await (const cid of source) {
      options?.signal?.throwIfAborted()
      yield { cid, bytes: this.get(cid, options) }
    }
  }

  /** Codec `messagepack` for messages, `raw` for everything else: the store keeps no other codec. */
  async *getAll(options?: AbortOptions): AsyncGenerator<BlockPair, void, undefined> {
    options?.signal?.throwIfAborted()
    for await (const { id, type } of this.#store.content.list({ pinned: this.#pinnedOnly })) {
      options?.signal?.throwIfAborted()
      const cid = cidOfContent(id, type)
      yield { cid, bytes: this.get(cid, options) }
    }
  }

  async has(cid: CID, options?: AbortOptions): Promise<boolean> {
    options?.signal?.throwIfAborted()
    const id = contentIdOfCid(cid)
    return id !== undefined && (this.#pinnedOnly ? this.#store.content.isPinned(id) : this.#store.content.has(id))
  }

  /** Resolves when the block is unpinned; no error when it was not there. */
  async delete(cid: CID, options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    await this.#unpinAll([cid])
  }

  /** Yields each CID once its block is unpinned. */
  async *deleteMany(source: BlockSource<CID>, options?: AbortOptions): AsyncGenerator<CID, void, undefined> {
    for await (const cids of inBatches(source, options?.signal)) {
      await this.#unpinAll(cids)
      yield* cids
    }
  }

  async #isVisible(id: ContentId): Promise<boolean> {
    return !this.#pinnedOnly || (await this.#store.content.isPinned(id))
  }

  async #putAll(blocks: readonly { readonly cid: CID; readonly bytes: Uint8Array }[]): Promise<void> {
    const { content } = this.#store
    const ids = blocks.map(({ cid, bytes }) => provenId(cid, content.id(bytes)))
    await this.#store.transact(() => {
      blocks.forEach(({ bytes }, i) => {
        void content.put(bytes)
        void content.pin(ids[i] as ContentId)
      })
    }, this.#write)
  }

  async #unpinAll(cids: readonly CID[]): Promise<void> {
    const ids = cids.map(contentIdOfCid).filter((id) => id !== undefined)
    await this.#store.transact(() => {
      for (const id of ids) void this.#store.content.unpin(id)
    }, this.#write)
  }
}

/** A block under another's name would be handed out as that other one: refused before anything is written. */
function provenId(cid: CID, id: ContentId): ContentId {
  const named = contentIdOfCid(cid)
  if (named === id) return id
  const problem =
    named === undefined
      ? 'its hash is not SHA-256, and content is found by SHA-256 only'
      : 'its bytes do not have the hash in its CID'
  throw new HoldfastError('HOLDFAST_INVALID_ID', `block ${cid.toString()} is not stored: ${problem}`, {
    detail: { cid: cid.toString() },
  })
}
