import assert from 'node:assert/strict'
import type { Path } from '../index.ts'
import { assignment, processA, rejectsWith, reopened, type StoreCheck, textOf, utf8 } from './store-suite-tools.ts'

/** Paths without links: names, groups, listing, removal, what is refused. */
export const pathChecks: Record<string, StoreCheck> = {
  'a path is the same however it is written': async ({ paths }) => {
    await paths.write(['a', ['b', '//b'], 3], utf8('x'))
    for (const path of ['a/b/b/3', '/a//b/b/3/', ['a/b', 'b', '3'], [['a'], [[['b/b/3']]]]] as Path[]) {
      assert.equal(textOf(await paths.read(path)), 'x')
      assert.equal(await paths.resolve(path), 'a/b/b/3')
    }
  },
  'bytes come back as written, empty ones too, and names keep their case': async ({ paths }) => {
    const all = Uint8Array.from({ length: 256 }, (_unused, i) => i)
    await paths.write('Bytes', all)
    await paths.write('bytes', new Uint8Array(0))
    assert.deepEqual([...((await paths.read('Bytes')) ?? [])], [...all])
    assert.deepEqual([...((await paths.read('bytes')) ?? [9])], [])
    assert.equal(await paths.read('BYTES'), undefined)
    assert.deepEqual(await paths.list(''), ['Bytes', 'bytes'])
  },
  'what is not there is undefined, and lists as empty': async ({ paths }) => {
    for (const path of ['a', 'a/b', 'a/b/c']) {
      assert.equal(await paths.read(path), undefined)
      assert.equal(await paths.type(path), undefined)
      assert.deepEqual(await paths.list(path), [])
      assert.equal(await paths.resolve(path), path)
      await paths.remove(path)
    }
    assert.deepEqual(await paths.list(''), [])
    assert.equal(await paths.type(''), 'composite')
  },
  'data that look like the marks of other stores are data': async ({ paths }) => {
    for (const text of ['group', 'link:Hello', 'link:a', 'raw']) {
      await paths.write(['data-like', text], utf8(text))
      assert.equal(textOf(await paths.read(['data-like', text])), text)
      assert.equal(await paths.type(['data-like', text]), 'simple')
    }
  },
  'a deep write makes the groups above it, and a list has immediate children only': async ({ paths }) => {
    await paths.write('a/b/c', utf8('1'))
    await paths.write('a/b/d/e', utf8('2'))
    await paths.write('a/x', utf8('3'))
    assert.deepEqual(await paths.list('a'), ['b', 'x'])
    assert.deepEqual(await paths.list('a/b'), ['c', 'd'])
    assert.deepEqual(await paths.list('a/b/c'), [])
    assert.equal(await paths.type('a/b'), 'composite')
    assert.equal(await paths.read('a/b'), undefined)
  },
  'an empty group is there and lists nothing; making it again keeps its children': async ({ paths }) => {
    await paths.group('g/h')
    assert.equal(await paths.type('g/h'), 'composite')
    assert.deepEqual(await paths.list('g/h'), [])
    await paths.write('g/h/x', utf8('x'))
    await paths.group('g/h')
    await paths.group('')
    assert.deepEqual(await paths.list('g/h'), ['x'])
  },
  'a list has numbers first and by value, then names by their UTF-8 bytes': async (store, place) => {
    const { paths } = store
    const names = [
      '10',
      '9',
      '2',
      '0',
      '007',
      'b',
      'a',
      'B',
      '1000000000000000',
      '9999999999999999',
      'é',
      '🙂',
      '\uffee',
    ]
    for (const name of names) await paths.write(['g', name], utf8(name))
    const expected = [
      '0',
      '2',
      '9',
      '10',
      '1000000000000000',
      '9999999999999999',
      '007',
      'B',
      'a',
      'b',
      'é',
      '\uffee',
      '🙂',
    ]
    assert.deepEqual(await paths.list('g'), expected)
    await store.checkpoint()
    await paths.write(['g', 5], utf8('5'))
    const five = [...expected.slice(0, 2), '5', ...expected.slice(2)]
    assert.deepEqual(await paths.list('g'), five)
    await reopened(store, place, async (again) => assert.deepEqual(await again.paths.list('g'), five))
  },
  'names that begin alike do not mix': async ({ paths }) => {
    await paths.write('a/b', utf8('1'))
    await paths.write('ab/c', utf8('2'))
    await paths.write('a b/c', utf8('3'))
    await paths.write(['a-', 'c'], utf8('4'))
    await paths.write('a0/c', utf8('5'))
    assert.deepEqual(await paths.list('a'), ['b'])
    await paths.remove('a')
    assert.deepEqual(await paths.list(''), ['a ', 'a-', 'a0', 'ab'].with(0, 'a b'))
    assert.equal(textOf(await paths.read('a0/c')), '5')
    assert.equal(textOf(await paths.read('a-/c')), '4')
  },
  'nothing outside the store can be named': async (store) => {
    const bad: unknown[] = ['../x', 'a/../b', 'a/..', '.', './a', ['a', '..'], ['..', 'etc'], 'a\u0000b', '\ud800']
    const worse: unknown[] = [
      ['a', -1],
      ['a', 1.5],
      'x'.repeat(1025),
      Array(257).fill('a'),
      Array(60).fill('n'.repeat(1000)),
    ]
    for (const path of [...bad, ...worse] as Path[]) {
      await rejectsWith(store.paths.write(path, utf8('x')), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.read(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.group(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.list(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.type(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.remove(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.link(path, 'a'), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(store.paths.link('a', path), 'HOLDFAST_INVALID_PATH')
    }
    assert.equal(store.lastSequence, 0)
  },
  'wrong types are TypeErrors and change nothing': async (store) => {
    for (const path of [undefined, null, true, {}, ['a', null]]) {
      await assert.rejects(store.paths.read(path as never), TypeError)
      await assert.rejects(store.paths.remove(path as never), TypeError)
    }
    for (const bytes of ['text', [1], undefined, new ArrayBuffer(2)]) {
      await assert.rejects(store.paths.write('a', bytes as never), TypeError)
    }
    assert.equal(store.lastSequence, 0)
  },
  'the root cannot be written, linked or removed': async (store) => {
    await rejectsWith(store.paths.write('', utf8('x')), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(store.paths.link('a', '/'), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(store.paths.link('', 'a'), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(store.paths.remove([]), 'HOLDFAST_INVALID_PATH')
  },
  'a group is not overwritten by bytes, and bytes have nothing below them': async ({ paths }) => {
    await paths.write('a/b', utf8('x'))
    await rejectsWith(paths.write('a', utf8('y')), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(paths.write('a/b/c', utf8('y')), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(paths.group('a/b'), 'HOLDFAST_INVALID_PATH')
    assert.equal(await paths.read('a/b/c'), undefined)
    assert.equal(textOf(await paths.read('a/b')), 'x')
    assert.deepEqual(await paths.list(''), ['a'])
  },
  'a rejected write leaves no groups behind': async (store) => {
    await store.paths.write('file', utf8('x'))
    await rejectsWith(store.paths.write('new/group/..', utf8('x')), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(store.paths.write('file/new/leaf', utf8('x')), 'HOLDFAST_INVALID_PATH')
    await assert.rejects(store.paths.write('other/leaf', 'text' as never), TypeError)
    assert.deepEqual(await store.paths.list(''), ['file'])
  },
  'remove takes away a value or a whole group, and reset everything': async (store, place) => {
    const { paths } = store
    for (const name of ['a', 'b/c', 'b/d/e', 'bb/c', 'b0']) await paths.write(name, utf8(name))
    await store.checkpoint()
    await paths.write('b/new', utf8('new'))
    await paths.remove('a')
    await paths.remove('b')
    assert.deepEqual(await paths.list(''), ['b0', 'bb'])
    assert.equal(await paths.read('b/d/e'), undefined)
    await paths.write('b/d', utf8('again'))
    assert.deepEqual(await paths.list('b'), ['d'])
    const id = await store.content.put({ kept: true })
    await paths.reset()
    assert.deepEqual(await paths.list(''), ['data'])
    assert.equal(await paths.type('bb'), undefined)
    await reopened(store, place, async (again) => {
      assert.deepEqual(await again.paths.list('b'), [])
      assert.deepEqual(await again.content.get(id), { kept: true })
    })
  },
  'a value removed and written again in the next call is there': async ({ paths }) => {
    await paths.write('a/b', utf8('old'))
    const removing = paths.remove('a/b')
    const writing = paths.write('a/b', utf8('new'))
    await Promise.all([removing, writing])
    assert.equal(textOf(await paths.read('a/b')), 'new')
  },
  'writes and removals of a group at once leave one of the two states': async ({ paths }) => {
    await paths.write('g/a', utf8('a'))
    await Promise.all([paths.remove('g'), paths.write('g/b', utf8('b')), paths.write('g/c/d', utf8('d'))])
    for (const name of await paths.list('g')) assert.notEqual(await paths.type(['g', name]), undefined)
    assert.equal((await paths.type('g')) === undefined, (await paths.list('g')).length === 0)
  },
  'assignments and content show as paths that cannot be written there': async (store) => {
    const { paths } = store
    const { id } = await store.assignments.write(assignment(3))
    await store.assignments.write(assignment(12))
    assert.equal(await paths.resolve(`assignments/${processA}/3`), `data/${id}`)
    assert.equal(await paths.type(`assignments/${processA}/3`), 'simple')
    assert.deepEqual(await paths.read(`assignments/${processA}/3`), await store.content.bytes(id))
    assert.deepEqual(await paths.list('assignments'), [processA])
    assert.deepEqual(await paths.list(['assignments', processA]), ['3', '12'])
    assert.equal(await paths.type(['assignments', processA]), 'composite')
    assert.deepEqual(await paths.list(''), ['assignments', 'data'])
    for (const name of ['03', '4', 'x', '-1'])
      assert.equal(await paths.type(['assignments', processA, name]), undefined)
    assert.equal(await paths.type(['assignments', 'nobody']), undefined)
    assert.equal(await paths.type(`data/${id}/x`), undefined)
    for (const path of ['assignments', `assignments/${processA}/4`, 'data', 'data/x', `data/${id}`]) {
      await rejectsWith(paths.write(path, utf8('x')), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(paths.link('a', path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(paths.group(path), 'HOLDFAST_INVALID_PATH')
      await rejectsWith(paths.remove(path), 'HOLDFAST_INVALID_PATH')
    }
    await paths.link(`assignments/${processA}`, 'latest-process')
    assert.deepEqual(await paths.list('latest-process'), ['3', '12'])
    assert.equal(await paths.resolve('latest-process/3'), `data/${id}`)
    await rejectsWith(paths.write('latest-process/9', utf8('x')), 'HOLDFAST_INVALID_PATH')
    await rejectsWith(paths.remove('latest-process/3'), 'HOLDFAST_INVALID_PATH')
    assert.ok(await store.assignments.read(processA, 3))
  },
}
