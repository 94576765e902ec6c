import { describe, expect, test } from 'vitest'
import type { ContentItem } from '../../../src/index.ts'
import { world } from '../engine/worlds.ts'

async function collect(items: AsyncIterable<ContentItem>): Promise<string[]> {
  const found: string[] = []
  for await (const { id, type } of items) found.push(`${type} ${id}`)
  return found
}

describe('content.list', () => {
  test('names messages and bytes once each, from memory and from the backend', async () => {
    const store = await world().open()
    const message = await store.content.put({ a: 1 })
    await store.checkpoint()
    const bytes = await store.content.put(Buffer.from('x'))
    const ids = [`message ${message}`, `bytes ${bytes}`]
    expect((await collect(store.content.list())).toSorted()).toEqual(ids.toSorted())
    await store.checkpoint()
    expect((await collect(store.content.list())).toSorted()).toEqual(ids.toSorted())
    await store.close()
  })

  test('is a snapshot as of the call', async () => {
    const store = await world().open()
    const id = await store.content.put({ a: 1 })
    const listed = store.content.list()
    await store.content.put({ a: 2 })
    expect(await collect(listed)).toEqual([`message ${id}`])
    await store.close()
  })

  test('pinned leaves out what is not pinned any more, and isPinned agrees', async () => {
    const store = await world().open()
    const pinned = await store.content.put({ a: 1 })
    const unpinned = await store.content.put(Buffer.from('x'))
    await store.content.put({ a: 2 })
    for (const id of [pinned, unpinned]) await store.content.pin(id)
    await store.checkpoint()
    await store.content.unpin(unpinned)
    expect(await collect(store.content.list({ pinned: true }))).toEqual([`message ${pinned}`])
    expect(await Promise.all([pinned, unpinned].map((id) => store.content.isPinned(id)))).toEqual([true, false])
    await store.close()
  })

  test('lets go of the backend when it is left early or never begun', async () => {
    const store = await world().open()
    for (let i = 0; i < 3; i++) await store.content.put({ i })
    await store.checkpoint()
    for await (const _ of store.content.list()) break
    const iterator = store.content.list()[Symbol.asyncIterator]()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await store.close()
  })
})
