/** What reads and `verify` say when entries of the backend are missing or changed behind the store's back. */
import { describe, expect, test } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { processA, utf8, world } from '../engine/worlds.ts'

const nested = { small: 1, big: 'b'.repeat(5000), bytes: new Uint8Array(5000).fill(3) }

/** Runs `fill`, closes, deletes the keys it answers from the backend, opens again. */
async function damaged(fill: (store: Store) => Promise<string[]>): Promise<Store> {
  const w = world()
  const store = await w.open()
  const keys = await fill(store)
  await store.close()
  await w.backend.open({ create: false })
  await w.backend.batch(
    keys.map((key) => ({ key, value: undefined })),
    { sync: true },
  )
  await w.backend.close()
  return w.open()
}

const missing = { code: 'HOLDFAST_MISSING_CONTENT' }

test('a missing child of a message is an error that names it, for every read of the message', async () => {
  let id = ''
  let childId = ''
  const store = await damaged(async (fresh) => {
    childId = await fresh.content.put({ only: 'here' })
    id = await fresh.content.put(nested)
    childId = (await fresh.paths.list('data')).find((each) => each !== id && each !== childId) as string
    return [`c${childId}`]
  })
  await expect(store.content.get(id)).rejects.toMatchObject({ ...missing, detail: { id: childId } })
  expect(() => store.content.getSync(id)).toThrow(expect.objectContaining(missing))
  expect(await store.content.bytes(id)).toBeDefined()
  const report = await store.verify()
  expect(report.problems.map(({ code }) => code)).toContain('dangling-link')
  expect(report.problems.map(({ code }) => code)).toContain('entry-count')
  await store.content.put(nested)
  expect(await store.content.get(id)).toMatchObject({ small: 1, big: nested.big })
  await store.close()
})

describe('an assignment whose content is missing', () => {
  async function dangling(): Promise<{ store: Store; id: string }> {
    let id = ''
    const store = await damaged(async (fresh) => {
      await fresh.assignments.write({ process: processA, slot: 0 })
      ;({ id } = await fresh.assignments.write({ process: processA, slot: 1, 'hash-chain': 'C'.repeat(43) }))
      return [`c${id}`]
    })
    return { store, id }
  }

  test('fails where it is read, and latest still answers', async () => {
    const { store, id } = await dangling()
    await expect(store.assignments.read(processA, 1)).rejects.toMatchObject({ ...missing, detail: { id } })
    expect(() => store.assignments.readSync(processA, 1)).toThrow(expect.objectContaining(missing))
    await expect(store.assignments.page(processA)).rejects.toMatchObject(missing)
    expect(await store.assignments.latest(processA)).toEqual({ slot: 1, id, hashChain: 'C'.repeat(43) })
    expect(await store.assignments.list(processA)).toEqual([0, 1])
    expect(await store.assignments.read(processA, 0)).toBeDefined()
    await store.close()
  })

  test('is reported by both verifies, and written again it is whole', async () => {
    const { store, id } = await dangling()
    const chain = await store.assignments.verify(processA)
    expect(chain).toMatchObject({ ok: false, slots: 2 })
    expect(chain.problems).toMatchObject([{ code: 'unreadable-slot', where: `${processA}/1` }])
    const report = await store.verify()
    expect(report.problems).toContainEqual(
      expect.objectContaining({ code: 'dangling-link', where: `assignments/${processA}/1` }),
    )
    await store.content.put({ process: processA, slot: 1, 'hash-chain': 'C'.repeat(43) })
    expect(await store.assignments.read(processA, 1)).toMatchObject({ slot: 1 })
    expect(store.content.id({ process: processA, slot: 1, 'hash-chain': 'C'.repeat(43) })).toBe(id)
    await store.close()
  })

  test('is mended by writing the same assignment again', async () => {
    const { store } = await dangling()
    await store.assignments.write({ process: processA, slot: 1, 'hash-chain': 'C'.repeat(43) })
    expect(await store.assignments.read(processA, 1)).toMatchObject({ slot: 1 })
    await store.close()
  })
})

test('a lost index entry, a lost head and a lost pin target are reported', async () => {
  const store = await damaged(async (fresh) => {
    for (const slot of [0, 1, 2]) await fresh.assignments.write({ process: processA, slot })
    await fresh.assignments.write({ process: 'B'.repeat(43), slot: 0 })
    const pinned = await fresh.content.put({ pinned: 1 })
    await fresh.content.pin(pinned)
    await fresh.assignments.writeLocation(processA, { location: 1 })
    await fresh.paths.write('g/x', utf8('x'))
    const located = fresh.content.id({ location: 1 })
    return [`a${processA}/0000000000000001`, `h${'B'.repeat(43)}`, `c${pinned}`, `c${located}`, 'p/\u0000\u0002g']
  })
  const codes = (await store.verify()).problems.map(({ code }) => code).sort()
  expect(codes).toEqual(['dangling-link', 'dangling-pin', 'entry-count', 'head-missing', 'orphan-path', 'slot-count'])
  await expect(store.assignments.readLocation(processA)).rejects.toMatchObject(missing)
  const chain = await store.assignments.verify(processA)
  expect(chain.problems.map(({ code }) => code)).toEqual(['slot-count'])
  await store.close()
})

test('verify goes on counting beyond the problems it lists', async () => {
  const store = await damaged(async (fresh) => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_unused, slot) => fresh.assignments.write({ process: processA, slot })),
    )
    return ids.map(({ id }) => `c${id}`)
  })
  const report = await store.verify({ problemsMax: 3 })
  expect(report.problems).toHaveLength(3)
  expect(report.problemCount).toBe(21)
  expect(report.ok).toBe(false)
  await store.close()
})
