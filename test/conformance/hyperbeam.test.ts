/**
 * The cases that the reference scheduler cache and its stores are known to pass or fail, by the numbers under which
 * they are collected. Where the reference gets one wrong, the case here says what is right.
 */
import { describe, expect, test } from 'vitest'
import type { Assignment, Path, Store } from '../../src/index.ts'
import { processA, utf8, world } from '../unit/engine/worlds.ts'

async function withStore(fn: (store: Store, again: () => Promise<Store>) => Promise<void>): Promise<void> {
  const w = world()
  let store = await w.open()
  await fn(store, async () => {
    await store.close()
    store = await w.open()
    return store
  })
  expect((await store.verify()).problems).toEqual([])
  await store.close()
}

const text = async (bytes: Promise<Uint8Array | undefined>) => {
  const found = await bytes
  return found === undefined ? undefined : Buffer.from(found).toString()
}
const at = (slot: number, fields: object = {}): Assignment => ({ process: processA, slot, ...fields })

describe('vectors', () => {
  test.each([
    [1, '', '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'],
    [2, 'Simple unsigned data item', 'IcyY7UXyw8cwFDz7ZAD83fAoNWc6biz3i_f8apOYR78'],
    [3, 'b', 'PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0'],
  ])('%i: %j lies at data/%s, once', (_case, data, id) =>
    withStore(async (store) => {
      expect(await store.content.put(utf8(data))).toBe(id)
      expect(await store.content.put(utf8(data))).toBe(id)
      expect(await store.paths.list('data')).toEqual([id])
      expect(await text(store.paths.read(`data/${id}`))).toBe(data)
    }),
  )

  test('10: the chain over message ids, from nothing before the first', () =>
    withStore(async (store, again) => {
      const ids = [
        'Qo4lHLPZTk298kqOMelPN8RFfoEn56ILHgLHcgjBkng',
        '-yzszhb6F8IVqAFudX3g3KnN-vVDYBn-ijpsaJvMPYE',
        '1kpDeeJJG1PoyJN7tzdOHVi-kkY-9GZt39e7c0fX8dI',
      ]
      const chains = [
        'YHIReM9oUr9v3Yiy1um_kAsIxMGDWN2zc_GLaaIPxhM',
        'cNP4q2CMMJBTKztTd7Yd6wRSrVZ1PWohRaMeGOXtMtg',
        'dwdYqrBkJ9Gg2tpkwr4cG3guYKG3uWKWSbnOKd8IIZE',
      ]
      for (const [slot, id] of ids.entries()) {
        // Half of them name their message by its commitment, as signed messages do.
        const body = slot % 2 === 0 ? { id } : { commitments: { [id]: { type: 'rsa' } } }
        await store.assignments.write(at(slot, { body, 'hash-chain': chains[slot] }))
      }
      const report = await (await again()).assignments.verify(processA, { chain: 'hyperbeam' })
      expect(report).toMatchObject({ ok: true, slots: 3, linksChecked: 3, linksGood: 3 })
    }))

  test('12: the chain of a scheduler unit', () =>
    withStore(async (store) => {
      const id = 'HwBBCwKVEumyudprZbElzEKEnmnbDEvYiq-e5XFk6uM'
      await store.assignments.write(at(8, { id, 'hash-chain': 'CCxb1EYcRPp9lmv_MSrV3YaekOthAZRLwR3J4PLssCA' }))
      await store.assignments.write(at(9, { id: 'x', 'hash-chain': 'aebS-Zt6zqgnLPZJka7eQfeeF7UgA6fmL-EFtSQD6d8' }))
      const report = await store.assignments.verify(processA, { chain: 'scheduler-unit' })
      expect(report).toMatchObject({ ok: true, linksChecked: 1, linksGood: 1 })
    }))

  test('14: a 32-byte id is its 43 characters, 42 and 43 stay, 5 are an error', () =>
    withStore(async (store) => {
      const raw = new Uint8Array(32).fill(0xab)
      const { process } = await store.assignments.write({ process: raw, slot: 0 })
      expect(Buffer.from(process, 'base64url')).toEqual(Buffer.from(raw))
      for (const name of ['n'.repeat(42), 'n'.repeat(43)]) {
        expect((await store.assignments.write({ process: name, slot: 0 })).process).toBe(name)
      }
      await expect(store.assignments.write({ process: '12345', slot: 0 })).rejects.toMatchObject({
        code: 'HOLDFAST_INVALID_PROCESS',
      })
    }))
})

describe('paths', () => {
  const same: [number, Path, string][] = [
    [17, ['a', 'b', 'c'], 'a/b/c'],
    [17, 'a/b/c', 'a/b/c'],
    [17, '/a//b/', 'a/b'],
    [18, ['a', ['b', '//b'], 'c'], 'a/b/b/c'],
    [18, ['a', 7, 'C'], 'a/7/C'],
  ]
  test.each(same)('%i: %j is %s', (_case, path, normal) =>
    withStore(async ({ paths }) => {
      await paths.write(path, utf8('x'))
      expect(await paths.resolve(path)).toBe(normal)
      expect(await text(paths.read(normal))).toBe('x')
    }),
  )

  test('20: what is missing is absent to every read', () =>
    withStore(async ({ paths }) => {
      expect([await paths.read('m'), await paths.type('m'), await paths.list('m')]).toEqual([undefined, undefined, []])
    }))

  test('26: a new link replaces the old one, and chains through it follow', () =>
    withStore(async ({ paths }) => {
      for (const name of ['one', 'two']) await paths.write(name, utf8(name))
      await paths.link('one', 'mid')
      await paths.link('mid', 'top')
      await paths.link('two', 'mid')
      expect([await text(paths.read('top')), await text(paths.read('one'))]).toEqual(['two', 'one'])
    }))

  test('27: a link to itself is no entry', () =>
    withStore(async ({ paths }) => {
      await paths.link('self', 'self')
      expect([await paths.read('self'), await paths.list('')]).toEqual([undefined, []])
    }))

  test('34, 35: a reset empties, and what was is absent after a restart too', () =>
    withStore(async (store, again) => {
      await store.paths.write('a/b', utf8('x'))
      await store.paths.link('a/b', 'c')
      await store.checkpoint()
      await store.paths.reset()
      const { paths } = await again()
      expect([await paths.read('a/b'), await paths.type('c'), await paths.list('')]).toEqual([undefined, undefined, []])
    }))
})

describe('what stores under the reference disagree on', () => {
  test('a chain of links, in the middle of a path and at its end', () =>
    withStore(async ({ paths }) => {
      await paths.write('deep/real/leaf', utf8('x'))
      await paths.link('deep/real', 'hop1')
      await paths.link('hop1', 'hop2')
      await paths.link('hop2/leaf', 'end')
      expect(await text(paths.read('hop2/leaf'))).toBe('x')
      expect(await text(paths.read('end'))).toBe('x')
      expect(await paths.list('hop2')).toEqual(['leaf'])
    }))

  test('a loop is an error, read, type and list, at the end and in the middle', () =>
    withStore(async ({ paths }) => {
      await paths.link('b', 'a')
      await paths.link('a', 'b')
      for (const path of ['a', 'b', 'a/x']) {
        for (const call of [() => paths.read(path), () => paths.type(path), () => paths.list(path)]) {
          await expect(call()).rejects.toMatchObject({ code: 'HOLDFAST_LINK_LOOP' })
        }
      }
    }))

  test('a write onto a link leaves the target', () =>
    withStore(async ({ paths }) => {
      await paths.write('target', utf8('kept'))
      await paths.link('target', 'link')
      await paths.write('link', utf8('own'))
      expect([await text(paths.read('target')), await text(paths.read('link'))]).toEqual(['kept', 'own'])
    }))

  test('a link over a group with children is refused', () =>
    withStore(async ({ paths }) => {
      await paths.write('group/child', utf8('x'))
      await expect(paths.link('other', 'group')).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_PATH' })
      expect(await paths.list('group')).toEqual(['child'])
    }))

  test('an empty group is there, and lists nothing', () =>
    withStore(async ({ paths }) => {
      await paths.group('empty')
      expect([await paths.type('empty'), await paths.list('empty')]).toEqual(['composite', []])
    }))

  test('no path leads out of the store', () =>
    withStore(async ({ paths }) => {
      for (const path of ['../x', 'a/../../x', ['..', 'x']] as Path[]) {
        await expect(paths.read(path)).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_PATH' })
        await expect(paths.write(path, utf8('x'))).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_PATH' })
      }
    }))

  test('32: data that look like marks are data', () =>
    withStore(async ({ paths }) => {
      for (const data of ['group', 'link:Hello']) {
        await paths.write('p', utf8(data))
        expect([await text(paths.read('p')), await paths.type('p')]).toEqual([data, 'simple'])
      }
    }))

  test('an overwritten value is never read stale', () =>
    withStore(async ({ paths }) => {
      for (let n = 0; n < 50; n++) {
        await paths.write('p', utf8(String(n)))
        expect(await text(paths.read('p'))).toBe(String(n))
      }
    }))

  test('a list sees its own children only, however much lies behind them', () =>
    withStore(async (store) => {
      for (const process of ['a', 'b', 'c']) {
        const list = Array.from({ length: 100 }, (_unused, slot) => ({ process: process.repeat(43), slot }))
        await store.assignments.writeMany(list)
      }
      expect(await store.assignments.list('b'.repeat(43))).toEqual(Array.from({ length: 100 }, (_unused, slot) => slot))
      expect(await store.paths.list(['assignments', 'a'.repeat(43)])).toHaveLength(100)
    }))
})

describe('messages', () => {
  test('36: empty, nested empty, list, int, bool and empty bytes are equal when read', () =>
    withStore(async (store, again) => {
      const messages = [
        {},
        { a: {} },
        { a: { b: {} } },
        { l: [1, 'two', [3]] },
        { i: 7 },
        { t: true, f: false },
        { s: '' },
      ]
      for (const message of messages) await store.content.put(message)
      const empty = await store.content.put({ bytes: new Uint8Array(0) })
      const { content } = await again()
      for (const message of messages) expect(await content.get(content.id(message))).toEqual(message)
      expect((await content.get(empty)) as { bytes: Uint8Array }).toEqual({ bytes: new Uint8Array(0) })
    }))

  test('what the sender added is not found under the id of what it was', () =>
    withStore(async (store) => {
      const id = await store.content.put({ signed: 'part' })
      const other = await store.content.put({ signed: 'part', added: 'later' })
      expect(other).not.toBe(id)
      expect(await store.content.get(id)).toEqual({ signed: 'part' })
    }))
})

describe('the scheduler cache', () => {
  test('43, 44, 45: nothing, then slots with gaps, ranges over them', () =>
    withStore(async ({ assignments }) => {
      expect(await assignments.latest(processA)).toBeUndefined()
      expect(await assignments.list(processA)).toEqual([])
      for (const slot of [0, 2, 10]) await assignments.write(at(slot, { 'hash-chain': `chain ${slot}` }))
      expect(await assignments.list(processA)).toEqual([0, 2, 10])
      expect(await assignments.latest(processA)).toMatchObject({ slot: 10, hashChain: 'chain 10' })
      expect(await assignments.read(processA, 1)).toBeUndefined()
      // The reference stops at the first gap, and says that more follows when nothing does.
      const page = await assignments.page(processA, { from: 0, to: 5000 })
      expect(page.slots.map(({ slot }) => slot)).toEqual([0, 2, 10])
      expect([page.gaps, page.continues]).toEqual([[1, 3, 4, 5, 6, 7, 8, 9], false])
      expect((await assignments.page(processA, { from: 5, to: 2 })).slots).toEqual([])
      expect((await assignments.page(processA, { from: 2, to: 2 })).slots).toHaveLength(1)
    }))

  test('46, 49: writers of 50 slots beside readers', () =>
    withStore(async ({ assignments }) => {
      const writing = Promise.all(
        Array.from({ length: 50 }, (_unused, n) => assignments.write(at(n + 1, { body: 'x'.repeat(n * 100) }))),
      )
      for (let slot = 1; slot <= 50; slot++) {
        const found = await assignments.read(processA, slot)
        expect(found === undefined || found.body === 'x'.repeat((slot - 1) * 100)).toBe(true)
      }
      expect((await writing).every(({ created }) => created)).toBe(true)
      expect(await assignments.list(processA)).toEqual(Array.from({ length: 50 }, (_unused, n) => n + 1))
    }))

  test('48: the same assignment twice is one slot', () =>
    withStore(async ({ assignments }) => {
      expect((await assignments.write(at(0))).created).toBe(true)
      expect((await assignments.write(at(0))).created).toBe(false)
      expect(await assignments.list(processA)).toEqual([0])
    }))

  test('20 writers of one slot: one is told yes, and it is the one that is stored', () =>
    withStore(async (store, again) => {
      const racing = Array.from({ length: 20 }, (_unused, n) => store.assignments.write(at(0, { n })))
      const won = (await Promise.allSettled(racing)).flatMap((each) =>
        each.status === 'fulfilled' ? [each.value.id] : [],
      )
      expect(won).toHaveLength(1)
      expect((await (await again()).assignments.latest(processA))?.id).toBe(won[0])
    }))

  test('52: "3" and 3 are one slot, "03" is none', () =>
    withStore(async ({ assignments, paths }) => {
      await assignments.write({ process: processA, slot: '3' })
      expect((await assignments.read(processA, 3))?.slot).toBe(3)
      expect(await paths.type(['assignments', processA, '3'])).toBe('simple')
      expect(await paths.type(['assignments', processA, '03'])).toBeUndefined()
      await expect(assignments.read(processA, '03')).rejects.toMatchObject({ code: 'HOLDFAST_INVALID_SLOT' })
    }))

  test('53: the head is the same after a restart', () =>
    withStore(async (store, again) => {
      for (const slot of [0, 1, 2]) await store.assignments.write(at(slot, { 'hash-chain': `chain ${slot}` }))
      const before = await store.assignments.latest(processA)
      expect(await (await again()).assignments.latest(processA)).toEqual(before)
    }))

  test('56: a slot whose write was undone is absent, and can be written', () =>
    withStore(async (store, again) => {
      await store.assignments.write(at(0))
      const undone = store.transact(() => {
        void store.assignments.write(at(1, { first: true }))
        throw new Error('rolled back')
      })
      await expect(undone).rejects.toThrow('rolled back')
      expect(await store.assignments.list(processA)).toEqual([0])
      expect((await store.assignments.latest(processA))?.slot).toBe(0)
      expect(await store.assignments.write(at(1, { second: true }))).toMatchObject({ created: true })
      expect(await (await again()).assignments.read(processA, 1)).toMatchObject({ second: true })
    }))
})
