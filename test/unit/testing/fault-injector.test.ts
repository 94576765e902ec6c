import { describe, expect, it } from 'vitest'
import type { FileHandle } from '../../../src/fs/index.ts'
import { anySync, anyWrite, FaultInjector, type Operation, SimulatedDisk } from '../../../src/testing/index.ts'

interface Bench {
  readonly disk: SimulatedDisk
  readonly injector: FaultInjector
  readonly handle: FileHandle
}

async function bench(): Promise<Bench> {
  const disk = new SimulatedDisk()
  disk.writeBytes('/a', Buffer.from('0123'))
  const injector = new FaultInjector(disk.fileSystem)
  return { disk, injector, handle: await injector.fileSystem.open('/a', 'write') }
}

const calls: Readonly<Record<Operation, (bench: Bench) => unknown>> = {
  open: ({ injector }) => injector.fileSystem.open('/a', 'read'),
  mkdir: ({ injector }) => injector.fileSystem.mkdir('/d'),
  readdir: ({ injector }) => injector.fileSystem.readdir('/'),
  stat: ({ injector }) => injector.fileSystem.stat('/a'),
  rename: ({ injector }) => injector.fileSystem.rename('/a', '/b'),
  unlink: ({ injector }) => injector.fileSystem.unlink('/a'),
  removeTree: ({ injector }) => injector.fileSystem.removeTree('/a'),
  syncDirectory: ({ injector }) => injector.fileSystem.syncDirectory('/'),
  realpath: ({ injector }) => injector.fileSystem.realpath('/a'),
  lock: ({ injector }) => injector.fileSystem.lock('/', () => undefined),
  write: ({ handle }) => handle.write(Buffer.from('x'), 0),
  writeSync: ({ handle }) => handle.writeSync(Buffer.from('x'), 0),
  read: ({ handle }) => handle.read(Buffer.alloc(1), 0),
  readSync: ({ handle }) => handle.readSync(Buffer.alloc(1), 0),
  datasync: ({ handle }) => handle.datasync(),
  datasyncSync: ({ handle }) => handle.datasyncSync(),
  sync: ({ handle }) => handle.sync(),
  truncate: ({ handle }) => handle.truncate(0),
  size: ({ handle }) => handle.size(),
  close: ({ handle }) => handle.close(),
}

describe('fault injector', () => {
  it.each(Object.entries(calls))(
    'fails %s with the code asked for, once, and lets the rest pass',
    async (name, call) => {
      const under = await bench()
      const fault = under.injector.inject({ operation: name as Operation, code: 'EMFILE' })
      await expect((async () => call(under))()).rejects.toMatchObject({ code: 'EMFILE', syscall: name })
      expect([fault.calls, fault.fired]).toEqual([1, 1])
      expect(under.disk.files()).toEqual(['/a'])
      expect(under.disk.readBytes('/a').toString()).toBe('0123')
      const again = name === 'close' ? await bench() : under
      await call(again)
    },
  )

  it('hits the chosen call among those whose path matches, from then on if asked to', async () => {
    const { injector } = await bench()
    const stat = (path: string): Promise<string> =>
      injector.fileSystem.stat(path).then(
        () => 'passed',
        () => 'failed',
      )
    const once = injector.inject({ operation: 'stat', path: 'seg', call: 2 })
    const paths = ['/segment-1', '/other', '/segment-2', '/segment-3']
    const seen: string[] = []
    for (const path of paths) seen.push(await stat(path))
    expect(seen).toEqual(['passed', 'passed', 'failed', 'passed'])
    expect([once.calls, once.fired]).toEqual([3, 1])
    once.remove()
    const repeated = injector.inject({ operation: ['stat', 'open'], path: /segment-[23]$/, call: 2, repeat: true })
    seen.length = 0
    for (const path of [...paths, ...paths]) seen.push(await stat(path))
    expect(seen.filter((result) => result === 'failed')).toHaveLength(3)
    expect([repeated.calls, repeated.fired]).toEqual([4, 3])
    injector.clear()
    expect(await stat('/segment-3')).toBe('passed')
  })

  it('matches a rename by its old or its new path', async () => {
    const { injector } = await bench()
    injector.inject({ operation: 'rename', path: '/b' })
    await expect(injector.fileSystem.rename('/a', '/b')).rejects.toMatchObject({ code: 'EIO' })
  })

  it('ends the loop over every call when a run passes', async () => {
    let runs = 0
    for (let call = 1; ; call++) {
      runs += 1
      const { injector, handle } = await bench()
      const fault = injector.inject({ operation: [...anyWrite, ...anySync], call })
      const run = async (): Promise<void> => {
        handle.writeSync(Buffer.from('a'), 0)
        await handle.write(Buffer.from('b'), 1)
        await handle.datasync()
      }
      await run().catch(() => undefined)
      if (fault.fired === 0) break
    }
    expect(runs).toBe(4)
  })

  it('writes short without an error, or fails after part of the write', async () => {
    const { disk, injector, handle } = await bench()
    injector.inject({ operation: anyWrite, shortWrite: 2 })
    expect(await handle.write(Buffer.from('abcd'), 0)).toBe(2)
    expect(disk.readBytes('/a').toString()).toBe('ab23')
    injector.inject({ operation: anyWrite, shortWrite: 1, code: 'ENOSPC' })
    expect(() => handle.writeSync(Buffer.from('ABCD'), 0)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(disk.readBytes('/a').toString()).toBe('Ab23')
  })

  it('can fail a call that did its work', async () => {
    const { disk, injector, handle } = await bench()
    injector.inject({ operation: ['rename', 'write', 'datasync'], fails: 'after', repeat: true })
    await expect(handle.write(Buffer.from('abcd'), 0)).rejects.toMatchObject({ code: 'EIO' })
    await expect(handle.datasync()).rejects.toMatchObject({ code: 'EIO' })
    await expect(injector.fileSystem.rename('/a', '/b')).rejects.toMatchObject({ code: 'EIO' })
    expect(disk.files()).toEqual(['/b'])
    expect(disk.crash('strict').readBytes('/a').toString()).toBe('abcd')
  })

  it('holds up a call until it is told to go on', async () => {
    const { disk, injector, handle } = await bench()
    const held = injector.hold({ operation: 'write', call: 2 })
    await handle.write(Buffer.from('a'), 0)
    let done = false
    const write = (async () => {
      await handle.write(Buffer.from('b'), 1)
      done = true
    })()
    await held.reached
    handle.writeSync(Buffer.from('c'), 2)
    expect([done, disk.readBytes('/a').toString()]).toEqual([false, 'a1c3'])
    held.resume()
    await write
    expect(disk.readBytes('/a').toString()).toBe('abc3')
  })
})

describe('a sync that fails', () => {
  const lose = async (unsynced: 'drop' | 'some' | 'keep' | undefined, operation: Operation): Promise<string[]> => {
    const { disk, injector, handle } = await bench()
    handle.writeSync(Buffer.from('ABCD'), 0)
    injector.inject({ operation, ...(unsynced === undefined ? {} : { unsynced }) })
    await expect((async () => calls[operation]({ disk, injector, handle }))()).rejects.toMatchObject({ code: 'EIO' })
    handle.writeSync(Buffer.from('E'), 4)
    await handle.datasync()
    return [disk.readBytes('/a').toString(), disk.crash('strict').readBytes('/a').toString()]
  }

  it.each(anySync)(
    'loses the bytes for good, although they can be read and the next %s succeeds',
    async (operation) => {
      expect(await lose(undefined, operation)).toEqual(['ABCDE', '0123E'])
    },
  )

  it('loses none or some of them if asked to', async () => {
    expect(await lose('keep', 'datasync')).toEqual(['ABCDE', 'ABCDE'])
    expect((await lose('some', 'datasync'))[0]).toBe('ABCDE')
  })
})
