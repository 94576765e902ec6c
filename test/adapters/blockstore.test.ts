/** What the outside suite does not ask of the blockstore: hashes, pins, records, other codecs. */
import type { Blockstore } from 'interface-blockstore'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { sha256, sha512 } from 'multiformats/hashes/sha2'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BlockPair, cidOfContent, contentIdOfCid, HoldfastBlockstore } from '../../src/adapters/blockstore.ts'
import type { Store } from '../../src/index.ts'
import { temporaryStore, type TemporaryStore } from './temporary-store.ts'

const raw = 0x55
const dagCbor = 0x71

let temporary: TemporaryStore
let store: Store

beforeEach(async () => {
  temporary = await temporaryStore({ bufferedIntervalMs: 600_000 })
  store = temporary.store
})

afterEach(() => temporary.remove())

async function cidOf(bytes: Uint8Array, codec = raw): Promise<CID> {
  return CID.createV1(codec, await sha256.digest(bytes))
}

async function blocks(count: number): Promise<{ cid: CID; bytes: Uint8Array }[]> {
  const all = Array.from({ length: count }, (_, i) => Buffer.from(`block ${i}`))
  return Promise.all(all.map(async (bytes) => ({ cid: await cidOf(bytes), bytes })))
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

async function contentsOf(pairs: AsyncIterable<BlockPair>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { cid, bytes } of pairs)
    found.set(cid.toString(), Buffer.concat(await collect(bytes)).toString('latin1'))
  return found
}

describe('putting blocks', () => {
  test('refuses bytes that do not have the hash of the CID, and stores nothing of the batch', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const [good, other] = (await blocks(2)) as [{ cid: CID; bytes: Uint8Array }, { cid: CID; bytes: Uint8Array }]
    const wrong = { cid: other.cid, bytes: Buffer.from('another') }
    await expect(collect(blockstore.putMany([good, wrong]))).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_ID' })
    expect(store.lastSequence).toBe(0)
    expect(await blockstore.has(good.cid)).toBe(false)
  })

  test('refuses hashes other than SHA-256, which are then simply not there', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const bytes = Buffer.from('x')
    const cid = CID.createV1(raw, await sha512.digest(bytes))
    await expect(blockstore.put(cid, bytes)).rejects.toThrow('not SHA-256')
    expect(await blockstore.has(cid)).toBe(false)
    await expect(collect(blockstore.get(cid))).rejects.toMatchObject({ name: 'NotFoundError' })
    await blockstore.delete(cid)
  })

  test('a digest cut short names no content', async () => {
    const { digest } = await sha256.digest(Buffer.from('x'))
    expect(contentIdOfCid(CID.createV1(raw, createDigest(0x12, digest.subarray(0, 20))))).toBeUndefined()
  })

  test('joins the chunks of a block', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const cid = await cidOf(Buffer.from('abc'))
    await blockstore.put(cid, [Buffer.from('a'), Buffer.from('bc')])
    expect(Buffer.concat(await collect(blockstore.get(cid))).toString()).toBe('abc')
  })

  test('an array goes into one record, pins included', async () => {
    const blockstore = new HoldfastBlockstore(store)
    await collect(blockstore.putMany(await blocks(100)))
    expect(store.lastSequence).toBe(1)
  })

  test('a stream gets its answer to one block before it hands over the next', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const all = await blocks(3)
    let answered = 0
    async function* stream() {
      for (const [i, block] of all.entries()) {
        expect(answered).toBe(i)
        yield block
      }
    }
    for await (const _ of blockstore.putMany(stream())) answered++
    expect(answered).toBe(3)
  })

  test('an abort between two blocks ends a stream', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const controller = new AbortController()
    const all = await blocks(2)
    async function* stream() {
      yield* all
    }
    const put = async () => {
      for await (const _ of blockstore.putMany(stream(), { signal: controller.signal })) controller.abort()
    }
    await expect(put()).rejects.toThrow('aborted')
    expect(await Promise.all(all.map(({ cid }) => blockstore.has(cid)))).toEqual([true, false])
  })
})

describe('the blocks there are', () => {
  test('one block whatever the codec of the CID', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const bytes = Buffer.from('x')
    await blockstore.put(await cidOf(bytes, dagCbor), bytes)
    expect(await blockstore.has(await cidOf(bytes))).toBe(true)
    expect([...(await contentsOf(blockstore.getAll())).keys()]).toEqual([(await cidOf(bytes)).toString()])
  })

  test('a pinned message is a block with the codec of MessagePack', async () => {
    const id = await store.content.put({ name: 'holdfast' })
    await store.content.put({ name: 'not pinned' })
    await store.content.pin(id)
    const blockstore = new HoldfastBlockstore(store)
    const found = await contentsOf(blockstore.getAll())
    const cid = cidOfContent(id, 'message')
    expect([...found.keys()]).toEqual([cid.toString()])
    expect(cid.toString()).toMatch(/^bagaqiera/)
    expect(found.get(cid.toString())).toBe(
      Buffer.from((await store.content.bytes(id)) as Uint8Array).toString('latin1'),
    )
    expect(contentIdOfCid(cid)).toBe(id)
  })

  test("contents 'all' shows what nobody pinned, nested values too", async () => {
    const id = await store.content.put({ body: 'b'.repeat(5000) })
    const pinnedOnly = new HoldfastBlockstore(store)
    const all = new HoldfastBlockstore(store, { contents: 'all' })
    expect(await contentsOf(pinnedOnly.getAll())).toEqual(new Map())
    expect(await pinnedOnly.has(cidOfContent(id, 'message'))).toBe(false)
    await expect(collect(pinnedOnly.get(cidOfContent(id, 'message')))).rejects.toMatchObject({ name: 'NotFoundError' })
    expect((await contentsOf(all.getAll())).size).toBe(2)
    expect(await all.has(cidOfContent(id, 'message'))).toBe(true)
  })

  test('other values of the option contents are refused', () => {
    expect(() => new HoldfastBlockstore(store, { contents: 'some' as 'all' })).toThrow(TypeError)
  })

  test('fits the type of a blockstore', () => {
    const blockstore: Blockstore = new HoldfastBlockstore(store)
    expect(blockstore).toBeDefined()
  })
})

describe('deleting blocks', () => {
  test('gc takes back what nothing else refers to, and leaves the rest', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const all = await blocks(3)
    await collect(blockstore.putMany(all))
    const [gone, linked, kept] = all.map(({ cid }) => cid) as [CID, CID, CID]
    await store.paths.link(['data', contentIdOfCid(linked) as string], 'name')
    await collect(blockstore.deleteMany([gone, linked]))
    expect(await Promise.all([gone, linked, kept].map((cid) => blockstore.has(cid)))).toEqual([false, false, true])
    expect((await store.gc()).removed).toBe(1)
    expect(Buffer.from((await store.paths.read('name')) as Uint8Array).toString()).toBe('block 1')
    expect(await contentsOf(blockstore.getAll())).toEqual(new Map([[kept.toString(), 'block 2']]))
  })

  test('of an array is one record', async () => {
    const blockstore = new HoldfastBlockstore(store)
    const all = await blocks(50)
    await collect(blockstore.putMany(all))
    await collect(blockstore.deleteMany(all.map(({ cid }) => cid)))
    expect(store.lastSequence).toBe(2)
  })
})

test('with durability sync a block is durable when put resolves, with buffered it need not be', async () => {
  const { cid, bytes } = (await blocks(1))[0] as { cid: CID; bytes: Uint8Array }
  await new HoldfastBlockstore(store, { durability: 'buffered' }).put(cid, bytes)
  expect(store.durableSequence).toBe(0)
  await new HoldfastBlockstore(store, { durability: 'sync' }).delete(cid)
  expect(store.durableSequence).toBe(2)
})
