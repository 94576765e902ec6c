import assert from 'node:assert/strict'
import type { Store } from '../index.ts'
import { rejectsWith, reopened, type StoreCheck, textOf, utf8 } from './store-suite-tools.ts'

async function read(store: Store, path: string): Promise<string | undefined> {
  return textOf(await store.paths.read(path))
}

/** Links: chains, groups, loops, dangling ones, and what replaces what. */
export const linkChecks: Record<string, StoreCheck> = {
  'a link, a link to it and one more lead to the value': async (store, place) => {
    await store.paths.write('target', utf8('value'))
    await store.paths.link('target', 'one')
    await store.paths.link('one', 'two')
    await store.paths.link('two', 'three')
    const check = async (target: Store) => {
      for (const name of ['one', 'two', 'three']) {
        assert.equal(await read(target, name), 'value')
        assert.equal(await target.paths.type(name), 'simple')
        assert.equal(await target.paths.resolve(name), 'target')
      }
    }
    await check(store)
    await reopened(store, place, check)
  },
  'links in the middle of a path are followed, one hop and two': async (store) => {
    await store.paths.write('real/group/child', utf8('value'))
    await store.paths.link('real/group', 'one')
    await store.paths.link('one', 'two')
    await store.paths.link('two', 'dir/three')
    for (const base of ['one', 'two', 'dir/three']) {
      assert.equal(await read(store, `${base}/child`), 'value')
      assert.equal(await store.paths.resolve(`${base}/child`), 'real/group/child')
      assert.deepEqual(await store.paths.list(base), ['child'])
      assert.equal(await store.paths.type(base), 'composite')
    }
    await store.paths.write('two/other', utf8('through'))
    assert.equal(await read(store, 'real/group/other'), 'through')
    await store.paths.group('dir/three/deep/er')
    assert.equal(await store.paths.type('real/group/deep/er'), 'composite')
  },
  'a link that dangles is undefined until its target is written': async (store) => {
    await store.paths.link('later/on', 'now')
    assert.equal(await store.paths.read('now'), undefined)
    assert.equal(await store.paths.type('now'), undefined)
    assert.deepEqual(await store.paths.list('now'), [])
    assert.equal(await store.paths.resolve('now'), 'later/on')
    assert.equal(await store.paths.resolve('now/below'), 'later/on/below')
    assert.deepEqual(await store.paths.list(''), ['now'])
    await store.paths.write('later/on', utf8('here'))
    assert.equal(await read(store, 'now'), 'here')
    await store.paths.remove('later')
    assert.equal(await store.paths.read('now'), undefined)
  },
  'a loop is an error for every call that goes through it, never a hang': async (store) => {
    await store.paths.link('b', 'a')
    await store.paths.link('a', 'b')
    await store.paths.link('self/inner', 'self')
    await store.paths.link('grow/deeper/x', 'grow/deeper')
    for (const path of ['a', 'b', 'a/x', 'b/x/y', 'self', 'self/x', 'grow/deeper', 'grow/deeper/z']) {
      await rejectsWith(store.paths.read(path), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.type(path), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.list(path), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.resolve(path), 'HOLDFAST_LINK_LOOP')
      const below = `${path}/new`
      await rejectsWith(store.paths.write(below, utf8('x')), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.link('c', below), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.group(below), 'HOLDFAST_LINK_LOOP')
      await rejectsWith(store.paths.remove(below), 'HOLDFAST_LINK_LOOP')
    }
    await store.paths.write('a', utf8('out'))
    assert.equal(await read(store, 'b'), 'out')
    await store.paths.remove('self')
    assert.equal(await store.paths.type('self'), undefined)
    assert.equal((await store.verify()).ok, true)
  },
  'a long chain of links that is no loop is followed': async (store) => {
    await store.paths.write('c0', utf8('end'))
    for (let i = 1; i <= 60; i++) await store.paths.link(`c${i - 1}`, `c${i}`)
    assert.equal(await read(store, 'c60'), 'end')
  },
  'a link to itself is no link': async (store) => {
    await store.paths.link('x', '/x/')
    await store.paths.link(['a', 'b'], 'a/b')
    assert.equal(await store.paths.read('x'), undefined)
    assert.equal(await store.paths.type('a'), undefined)
    assert.equal(store.lastSequence, 0)
    await store.paths.write('real/x', utf8('kept'))
    await store.paths.link('real', 'alias')
    await store.paths.link('real/x', 'alias/x')
    assert.equal(await read(store, 'real/x'), 'kept')
  },
  'writing onto a link replaces the link, never its target': async (store) => {
    await store.paths.write('target', utf8('kept'))
    await store.paths.link('target', 'name')
    await store.paths.write('name', utf8('own'))
    assert.equal(await read(store, 'target'), 'kept')
    assert.equal(await read(store, 'name'), 'own')
    assert.equal(await store.paths.resolve('name'), 'name')
  },
  'a link to a group is replaced by bytes, the group stays': async (store) => {
    await store.paths.write('group/child', utf8('kept'))
    await store.paths.link('group', 'name')
    await store.paths.write('name', utf8('own'))
    assert.equal(await read(store, 'group/child'), 'kept')
    assert.equal(await store.paths.type('name'), 'simple')
  },
  'linking again replaces the link, and links to it follow': async (store) => {
    await store.paths.write('first', utf8('1'))
    await store.paths.write('second', utf8('2'))
    await store.paths.link('first', 'name')
    await store.paths.link('name', 'outer')
    await store.paths.link('second', 'name')
    assert.equal(await read(store, 'name'), '2')
    assert.equal(await read(store, 'outer'), '2')
    assert.equal(await read(store, 'first'), '1')
  },
  'a link replaces bytes': async (store) => {
    await store.paths.write('target', utf8('new'))
    await store.paths.write('name', utf8('old'))
    await store.paths.link('target', 'name')
    assert.equal(await read(store, 'name'), 'new')
  },
  'a link over a group is refused, and the group stays': async (store) => {
    await store.paths.write('group/child', utf8('kept'))
    await store.paths.write('target', utf8('x'))
    await rejectsWith(store.paths.link('target', 'group'), 'HOLDFAST_INVALID_PATH')
    assert.equal(await read(store, 'group/child'), 'kept')
    assert.deepEqual(await store.paths.list('group'), ['child'])
  },
  'removing a link leaves its target; removing through a link removes what is there': async (store) => {
    await store.paths.write('group/child', utf8('1'))
    await store.paths.write('group/other', utf8('2'))
    await store.paths.link('group', 'name')
    await store.paths.remove('name/child')
    assert.deepEqual(await store.paths.list('group'), ['other'])
    await store.paths.remove('name')
    assert.equal(await store.paths.type('name'), undefined)
    assert.equal(await read(store, 'group/other'), '2')
  },
  'content is read through links': async (store) => {
    const id = await store.content.put(utf8('content'))
    await store.paths.link(['data', id], 'by-name')
    await store.paths.link('data', 'mirror')
    assert.equal(await read(store, 'by-name'), 'content')
    assert.equal(await read(store, `mirror/${id}`), 'content')
    assert.equal(await store.paths.resolve('by-name'), `data/${id}`)
    await store.paths.write('by-name', utf8('mine'))
    assert.equal(textOf(await store.content.bytes(id)), 'content')
  },
}
