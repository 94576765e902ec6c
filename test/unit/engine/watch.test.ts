import { expect, test } from 'vitest'
import { processA, tick, utf8, world } from './worlds.ts'

test('a watcher that falls too far behind is told where to go on, and slows no writer', async () => {
  const w = world()
  const store = await w.open()
  const changes = store.watch()[Symbol.asyncIterator]()
  const brisk = store.watch()[Symbol.asyncIterator]()
  const first = brisk.next()
  const count = 10_050
  for (let n = 0; n < count; n++) void store.paths.write('p', utf8('x'), { durability: 'buffered' })
  await store.sync()
  let last = 0
  const lost = async () => {
    for (;;) last = (await changes.next()).value?.sequence as number
  }
  await expect(lost()).rejects.toMatchObject({ code: 'HOLDFAST_WATCH_LOST', detail: { from: 10_001 } })
  expect(last).toBe(10_000)
  expect((await first).value?.sequence).toBe(1)
  const again = store.watch({ from: last + 1 })[Symbol.asyncIterator]()
  expect((await again.next()).value?.sequence).toBe(10_001)
  await again.return?.()
  await brisk.return?.()
  await store.close()
})

test('a watcher cannot start where the log has been trimmed away, but can at its oldest record', async () => {
  const w = world()
  const store = await w.open({ segmentBytes: 4096 })
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 20; n++) await store.paths.write(`p${n}`, Buffer.alloc(500))
    await store.checkpoint()
  }
  const trimmed = store.watch({ from: 1 })[Symbol.asyncIterator]()
  const error = await trimmed.next().then(
    () => undefined,
    (reason: unknown) => reason as { code: string; detail: { oldestSequence: number } },
  )
  expect(error).toMatchObject({ code: 'HOLDFAST_WATCH_LOST' })
  const oldest = error?.detail.oldestSequence as number
  expect(oldest).toBeGreaterThan(1)
  expect((await store.watch({ from: oldest })[Symbol.asyncIterator]().next()).value?.sequence).toBe(oldest)
  await store.close()
})

test('from 0 and from 1 are the beginning; what is no sequence is refused', async () => {
  const w = world()
  const store = await w.open()
  await store.paths.write('p', utf8('x'))
  for (const from of [0, 1])
    expect((await store.watch({ from })[Symbol.asyncIterator]().next()).value?.sequence).toBe(1)
  for (const from of [-1, 1.5, '1', null]) expect(() => store.watch({ from } as never)).toThrow(TypeError)
  await store.close()
})

test('a watcher that starts in the future skips what comes before', async () => {
  const w = world()
  const store = await w.open()
  const changes = store.watch({ from: 3 })[Symbol.asyncIterator]()
  for (let n = 0; n < 4; n++) await store.paths.write(`p${n}`, utf8('x'))
  expect((await changes.next()).value?.sequence).toBe(3)
  await changes.return?.()
  await store.close()
})

test('aborting ends a watcher that still reads the past', async () => {
  const w = world()
  const store = await w.open()
  for (let n = 0; n < 50; n++) await store.paths.write(`p${n}`, utf8('x'))
  const stop = new AbortController()
  const seen: number[] = []
  for await (const { sequence } of store.watch({ from: 1, signal: stop.signal })) {
    seen.push(sequence)
    if (sequence === 3) stop.abort()
  }
  expect(seen).toEqual([1, 2, 3])
  await store.close()
})

test('watchers that end, however early, leave nothing behind', async () => {
  const w = world()
  const store = await w.open()
  await store.assignments.write({ process: processA, slot: 0 })
  await store.watch()[Symbol.asyncIterator]().return?.()
  for await (const _ of store.assignments.tail(processA)) break
  const tail = store.assignments.tail(processA)[Symbol.asyncIterator]()
  await tail.return?.()
  const idle = store.watch()[Symbol.asyncIterator]()
  const waiting = idle.next()
  await tick()
  await store.paths.write('p', utf8('x'))
  expect((await waiting).value?.sequence).toBe(2)
  await idle.return?.()
  expect(w.backend.openIterators).toBe(0)
  await store.close()
})

test('a range or list that is left early closes what it opened', async () => {
  const w = world()
  const store = await w.open({ memoryBytes: 65_536, checkpointBytes: 1 })
  for (let slot = 0; slot < 300; slot++)
    void store.assignments.write({ process: processA, slot, body: 'x'.repeat(300) })
  await store.sync()
  await store.checkpoint()
  for (let slot = 0; slot < 3; slot++) await store.assignments.read(processA, slot)
  for await (const _ of store.assignments.range(processA)) break
  for await (const _ of store.assignments.range(processA, { limit: 2 }));
  for await (const _ of store.assignments.range(processA, { reverse: true })) break
  await store.assignments.range(processA)[Symbol.asyncIterator]().return?.()
  for await (const _ of store.assignments.processes()) break
  await store.assignments.page(processA, { limit: 1 })
  await store.paths.list('assignments')
  expect(w.backend.openIterators).toBe(0)
  await store.close()
})
