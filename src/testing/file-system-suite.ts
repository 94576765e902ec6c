import assert from 'node:assert/strict'
import type { FileSystem } from '../fs/index.ts'

/** A file system under test with an empty directory of its own. */
export interface FileSystemFixture {
  readonly fileSystem: FileSystem
  readonly directory: string
  dispose?(): Promise<void>
}

/** The two functions of a test runner that the suite needs; those of vitest, jest and node:test fit. */
export interface SuiteRunner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: () => Promise<void>): unknown
}

type Check = (fixture: FileSystemFixture) => Promise<void>

/** What every FileSystem must do, whatever it is made of. Crashes are not part of it: only a simulation has them. */
export function fileSystemSuite(name: string, make: () => Promise<FileSystemFixture>, runner: SuiteRunner): void {
  runner.describe(name, () => {
    for (const [behaviour, check] of Object.entries(checks)) {
      runner.it(behaviour, async () => {
        const fixture = await make()
        try {
          await check(fixture)
        } finally {
          await fixture.dispose?.()
        }
      })
    }
  })
}

const text = (value: string): Buffer => Buffer.from(value)

async function put(fileSystem: FileSystem, path: string, content: string): Promise<void> {
  const handle = await fileSystem.open(path, 'create')
  assert.equal(await handle.write(text(content), 0), content.length)
  await handle.close()
}

async function contentOf(fileSystem: FileSystem, path: string): Promise<string> {
  const handle = await fileSystem.open(path, 'read')
  const target = Buffer.alloc(await handle.size())
  assert.equal(await handle.read(target, 0), target.length)
  await handle.close()
  return target.toString()
}

const rejects = (promise: Promise<unknown>, code: string): Promise<void> => assert.rejects(promise, { code })

const handleChecks: Readonly<Record<string, Check>> = {
  'create fails with EEXIST when the name is taken and leaves the file alone': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'first')
    await rejects(fileSystem.open(`${directory}/a`, 'create'), 'EEXIST')
    assert.equal(await contentOf(fileSystem, `${directory}/a`), 'first')
  },
  'read and write open existing files only, without truncating': async ({ fileSystem, directory }) => {
    await rejects(fileSystem.open(`${directory}/a`, 'read'), 'ENOENT')
    await rejects(fileSystem.open(`${directory}/a`, 'write'), 'ENOENT')
    await put(fileSystem, `${directory}/a`, 'abcdef')
    const handle = await fileSystem.open(`${directory}/a`, 'write')
    assert.equal(handle.path, `${directory}/a`)
    assert.equal(handle.writeSync(text('XY'), 2), 2)
    await handle.close()
    assert.equal(await contentOf(fileSystem, `${directory}/a`), 'abXYef')
  },
  'a handle opened for reading refuses writes': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'a')
    const handle = await fileSystem.open(`${directory}/a`, 'read')
    await rejects(handle.write(text('b'), 0), 'EBADF')
    assert.throws(() => handle.writeSync(text('b'), 0), { code: 'EBADF' })
    await handle.close()
  },
  'writes go to their position and a gap reads as zeros': async ({ fileSystem, directory }) => {
    const handle = await fileSystem.open(`${directory}/a`, 'create')
    assert.equal(await handle.write(text('end'), 5), 3)
    assert.equal(handle.writeSync(text('be'), 0), 2)
    const target = Buffer.alloc(8)
    assert.equal(handle.readSync(target, 0), 8)
    assert.deepEqual(target, Buffer.from('be\0\0\0end'))
    assert.equal(await handle.size(), 8)
    await handle.close()
  },
  'reading is short at the end and zero past it': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'abc')
    const handle = await fileSystem.open(`${directory}/a`, 'read')
    const target = Buffer.alloc(10)
    assert.equal(await handle.read(target, 1), 2)
    assert.equal(target.toString('latin1', 0, 2), 'bc')
    assert.equal(await handle.read(target, 3), 0)
    assert.equal(handle.readSync(target, 100), 0)
    await handle.close()
  },
  'truncate cuts and extends with zeros': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'abcdef')
    const handle = await fileSystem.open(`${directory}/a`, 'write')
    await handle.truncate(2)
    await handle.truncate(4)
    await handle.datasync()
    handle.datasyncSync()
    await handle.sync()
    await handle.close()
    assert.equal(await contentOf(fileSystem, `${directory}/a`), 'ab\0\0')
  },
  'bytes are taken when the write returns, so the caller may reuse them': async ({ fileSystem, directory }) => {
    const handle = await fileSystem.open(`${directory}/a`, 'create')
    const data = text('before')
    await handle.write(data, 0)
    data.fill(0)
    await handle.close()
    assert.equal(await contentOf(fileSystem, `${directory}/a`), 'before')
  },
  'a closed handle fails with EBADF, synchronously or not': async ({ fileSystem, directory }) => {
    const handle = await fileSystem.open(`${directory}/a`, 'create')
    await handle.close()
    await rejects(handle.write(text('x'), 0), 'EBADF')
    await rejects(handle.datasync(), 'EBADF')
    await rejects(handle.close(), 'EBADF')
    assert.throws(() => handle.writeSync(text('x'), 0), { code: 'EBADF' })
    assert.throws(() => handle.datasyncSync(), { code: 'EBADF' })
  },
  'an open file outlives its name': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'kept')
    const handle = await fileSystem.open(`${directory}/a`, 'read')
    await fileSystem.unlink(`${directory}/a`)
    const target = Buffer.alloc(4)
    assert.equal(await handle.read(target, 0), 4)
    assert.equal(target.toString(), 'kept')
    await handle.close()
  },
}

const nameChecks: Readonly<Record<string, Check>> = {
  'mkdir makes missing parents and accepts what is there': async ({ fileSystem, directory }) => {
    await fileSystem.mkdir(`${directory}/a/b/c`)
    await fileSystem.mkdir(`${directory}/a/b/c`)
    assert.equal((await fileSystem.stat(`${directory}/a/b/c`))?.kind, 'directory')
    await put(fileSystem, `${directory}/file`, '')
    await rejects(fileSystem.mkdir(`${directory}/file`), 'EEXIST')
    await rejects(fileSystem.mkdir(`${directory}/file/below`), 'ENOTDIR')
  },
  'readdir lists sorted names of files and directories': async ({ fileSystem, directory }) => {
    for (const name of ['b', 'a', 'c10', 'c9']) await put(fileSystem, `${directory}/${name}`, '')
    await fileSystem.mkdir(`${directory}/B/below`)
    assert.deepEqual(await fileSystem.readdir(directory), ['B', 'a', 'b', 'c10', 'c9'])
    await rejects(fileSystem.readdir(`${directory}/none`), 'ENOENT')
    await rejects(fileSystem.readdir(`${directory}/a`), 'ENOTDIR')
  },
  'stat gives kind, size and an identity that follows the file': async ({ fileSystem, directory }) => {
    assert.equal(await fileSystem.stat(`${directory}/a`), undefined)
    await put(fileSystem, `${directory}/a`, 'four')
    const before = await fileSystem.stat(`${directory}/a`)
    assert.equal(before?.kind, 'file')
    assert.equal(before.size, 4)
    await fileSystem.rename(`${directory}/a`, `${directory}/b`)
    await put(fileSystem, `${directory}/a`, 'four')
    assert.deepEqual(await fileSystem.stat(`${directory}/b`), before)
    assert.notEqual((await fileSystem.stat(`${directory}/a`))?.inode, before.inode)
    await rejects(fileSystem.stat(`${directory}/a/below`), 'ENOTDIR')
  },
  'rename replaces a file, also in another directory': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, 'new')
    await fileSystem.mkdir(`${directory}/d`)
    await put(fileSystem, `${directory}/d/b`, 'old')
    await fileSystem.rename(`${directory}/a`, `${directory}/d/b`)
    assert.equal(await fileSystem.stat(`${directory}/a`), undefined)
    assert.equal(await contentOf(fileSystem, `${directory}/d/b`), 'new')
    await rejects(fileSystem.rename(`${directory}/a`, `${directory}/c`), 'ENOENT')
  },
  'rename refuses to replace a directory with things in it, or by a file': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, '')
    await fileSystem.mkdir(`${directory}/d/below`)
    await fileSystem.mkdir(`${directory}/e`)
    await rejects(fileSystem.rename(`${directory}/a`, `${directory}/d`), 'EISDIR')
    await rejects(fileSystem.rename(`${directory}/e`, `${directory}/a`), 'ENOTDIR')
    await rejects(fileSystem.rename(`${directory}/e`, `${directory}/d`), 'ENOTEMPTY')
    await rejects(fileSystem.rename(`${directory}/d`, `${directory}/d/below/inside`), 'EINVAL')
    await fileSystem.rename(`${directory}/d`, `${directory}/e`)
    assert.deepEqual(await fileSystem.readdir(`${directory}/e`), ['below'])
  },
  'unlink removes files and nothing else': async ({ fileSystem, directory }) => {
    await put(fileSystem, `${directory}/a`, '')
    await fileSystem.mkdir(`${directory}/d`)
    await fileSystem.unlink(`${directory}/a`)
    await rejects(fileSystem.unlink(`${directory}/a`), 'ENOENT')
    await assert.rejects(fileSystem.unlink(`${directory}/d`))
    assert.deepEqual(await fileSystem.readdir(directory), ['d'])
  },
  'removeTree takes files, trees and nothing alike': async ({ fileSystem, directory }) => {
    await fileSystem.mkdir(`${directory}/d/below`)
    await put(fileSystem, `${directory}/d/below/a`, '')
    await put(fileSystem, `${directory}/b`, '')
    await fileSystem.removeTree(`${directory}/d`)
    await fileSystem.removeTree(`${directory}/b`)
    await fileSystem.removeTree(`${directory}/none`)
    assert.deepEqual(await fileSystem.readdir(directory), [])
  },
  'syncDirectory and realpath need something that is there': async ({ fileSystem, directory }) => {
    await fileSystem.syncDirectory(directory)
    await rejects(fileSystem.syncDirectory(`${directory}/none`), 'ENOENT')
    await put(fileSystem, `${directory}/a`, '')
    await rejects(fileSystem.syncDirectory(`${directory}/a`), 'ENOTDIR')
    const real = await fileSystem.realpath(directory)
    await fileSystem.mkdir(`${directory}/d`)
    assert.equal(await fileSystem.realpath(`${directory}/d/../a`), `${real}/a`)
    await rejects(fileSystem.realpath(`${directory}/none`), 'ENOENT')
  },
}

const lockChecks: Readonly<Record<string, Check>> = {
  'a second lock of a directory is refused until the first is released': async ({ fileSystem, directory }) => {
    const unexpected = (reason: Error): never => assert.fail(reason)
    const lock = await fileSystem.lock(directory, unexpected)
    await rejects(fileSystem.lock(directory, unexpected), 'HOLDFAST_LOCKED')
    await fileSystem.mkdir(`${directory}/d`)
    await rejects(fileSystem.lock(`${directory}/d/..`, unexpected), 'HOLDFAST_LOCKED')
    const other = await fileSystem.lock(`${directory}/d`, unexpected)
    await other.release()
    await lock.release()
    const again = await fileSystem.lock(directory, unexpected)
    await again.release()
  },
}

const checks: Readonly<Record<string, Check>> = { ...handleChecks, ...nameChecks, ...lockChecks }
