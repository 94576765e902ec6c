import { describe, expect, it } from 'vitest'
import { type CrashMode, SimulatedCrash, SimulatedDisk } from '../../../src/testing/index.ts'

const seeds = Array.from({ length: 300 }, (_, seed) => seed)

/** Every state of `path` that crashes in this mode leave: its text, or `none`. */
function outcomes(disk: SimulatedDisk, mode: CrashMode, path: string): string[] {
  const found = new Set<string>()
  for (const seed of seeds) {
    const after = disk.crash(mode, seed, { tearBytes: 4 })
    found.add(after.files().includes(path) ? after.readBytes(path).toString('latin1').replaceAll('\0', '.') : 'none')
  }
  return [...found].sort()
}

async function withDurableFile(content: string): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const handle = await disk.fileSystem.open('/a', 'create')
  handle.writeSync(Buffer.from(content), 0)
  handle.datasyncSync()
  await disk.fileSystem.syncDirectory('/')
  return disk
}

describe('simulated disk in a power cut', () => {
  it('loses a synced file whose name was not synced, and keeps it once it was', async () => {
    const disk = new SimulatedDisk()
    const handle = await disk.fileSystem.open('/a', 'create')
    await handle.write(Buffer.from('data'), 0)
    await handle.sync()
    expect(outcomes(disk, 'strict', '/a')).toEqual(['none'])
    expect(outcomes(disk, 'subset', '/a')).toEqual(['data', 'none'])
    expect(outcomes(disk, 'directory-first', '/a')).toEqual(['data'])
    const synced = disk.clone()
    await synced.fileSystem.syncDirectory('/')
    expect(outcomes(synced, 'subset', '/a')).toEqual(['data'])
  })

  it('loses a directory whose name its parent did not sync, with everything in it', async () => {
    const disk = new SimulatedDisk()
    await disk.fileSystem.mkdir('/d')
    const handle = await disk.fileSystem.open('/d/a', 'create')
    handle.writeSync(Buffer.from('x'), 0)
    handle.datasyncSync()
    await disk.fileSystem.syncDirectory('/d')
    expect(disk.crash('strict').files()).toEqual([])
    const synced = disk.clone()
    await synced.fileSystem.syncDirectory('/')
    expect(synced.crash('strict').files()).toEqual(['/d/a'])
  })

  it('keeps data and size of an unsynced append apart, and tears it at sectors', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    await handle.write(Buffer.from('abcdefgh'), 4)
    expect(outcomes(disk, 'strict', '/a')).toEqual(['0123'])
    expect(outcomes(disk, 'all', '/a')).toEqual(['0123abcdefgh'])
    expect(outcomes(disk, 'subset', '/a')).toEqual(
      ['0123', '0123........', '0123....efgh', '0123abcd....', '0123abcdefgh'].sort(),
    )
  })

  it('lets each of several writes survive without the others', async () => {
    const disk = await withDurableFile('....')
    const handle = await disk.fileSystem.open('/a', 'write')
    for (const [position, letter] of ['a', 'b', 'c'].entries()) await handle.write(Buffer.from(letter), position)
    expect(outcomes(disk, 'subset', '/a')).toEqual(['....', '..c.', '.b..', '.bc.', 'a...', 'a.c.', 'ab..', 'abc.'])
  })

  it('loses or keeps a truncation', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    await handle.truncate(1)
    expect(outcomes(disk, 'strict', '/a')).toEqual(['0123'])
    expect(outcomes(disk, 'subset', '/a')).toEqual(['0', '0123'])
    await handle.close().catch(() => undefined)
  })

  it('shows the old or the new state of a rename, never neither, also between directories', async () => {
    for (const target of ['/b', '/d/b']) {
      const disk = await withDurableFile('data')
      await disk.fileSystem.mkdir('/d')
      await disk.fileSystem.syncDirectory('/')
      await disk.fileSystem.rename('/a', target)
      const states = new Set(seeds.map((seed) => disk.crash('subset', seed).files().join()))
      expect([...states].sort()).toEqual(['/a', target])
      expect(disk.crash('strict').files()).toEqual(['/a'])
      for (const synced of target === '/b' ? ['/'] : ['/', '/d']) {
        const copy = disk.clone()
        await copy.fileSystem.syncDirectory(synced)
        expect(copy.crash('strict').files(), synced).toEqual([target])
      }
    }
  })

  it('makes what a rename replaced durable along with it, whichever of its directories is synced', async () => {
    for (const synced of ['/', '/d']) {
      const disk = await withDurableFile('new')
      await disk.fileSystem.mkdir('/d')
      await disk.fileSystem.syncDirectory('/')
      const replaced = await disk.fileSystem.open('/d/b', 'create')
      replaced.writeSync(Buffer.from('old'), 0)
      await disk.fileSystem.rename('/a', '/d/b')
      await disk.fileSystem.syncDirectory(synced)
      expect(outcomes(disk, 'subset', '/d/b'), synced).toEqual(['new'])
    }
  })

  it('brings a file back whose removal was not synced', async () => {
    const disk = await withDurableFile('data')
    await disk.fileSystem.unlink('/a')
    expect(outcomes(disk, 'strict', '/a')).toEqual(['data'])
    expect(outcomes(disk, 'subset', '/a')).toEqual(['data', 'none'])
    const synced = disk.clone()
    await synced.fileSystem.syncDirectory('/')
    expect(outcomes(synced, 'subset', '/a')).toEqual(['none'])
  })

  it('is the same for the same seed', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    for (let position = 0; position < 5000; position += 100) await handle.write(Buffer.alloc(100, position), position)
    for (const mode of ['subset', 'directory-first'] as const) {
      expect(disk.crash(mode, 7).readBytes('/a')).toEqual(disk.crash(mode, 7).readBytes('/a'))
      expect(new Set(seeds.map((seed) => disk.crash(mode, seed).readBytes('/a').toString('hex'))).size).toBeGreaterThan(
        100,
      )
    }
  })
})

describe('simulated disk after a kill', () => {
  it('still shows what was unsynced, and still can lose it in a later power cut', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    await handle.write(Buffer.from('4567'), 4)
    const killed = disk.crash('all')
    expect(killed.readBytes('/a').toString()).toBe('01234567')
    expect(killed.crash('strict').readBytes('/a').toString()).toBe('0123')
  })
})

describe('simulated disk while calls are in flight', () => {
  it('does not cover a write with a sync that began before the write returned', async () => {
    const disk = await withDurableFile('')
    const handle = await disk.fileSystem.open('/a', 'write')
    const write = handle.write(Buffer.from('data'), 0)
    await handle.datasync()
    await write
    expect(disk.clone().crash('strict').readBytes('/a').toString()).toBe('')
    await handle.datasync()
    expect(disk.crash('strict').readBytes('/a').toString()).toBe('data')
  })

  it('does not cover a write made after the sync began', async () => {
    const disk = await withDurableFile('')
    const handle = await disk.fileSystem.open('/a', 'write')
    const sync = handle.datasync()
    handle.writeSync(Buffer.from('data'), 0)
    await sync
    expect(disk.crash('strict').readBytes('/a').toString()).toBe('')
  })
})

describe('simulated disk that stops or is gone', () => {
  it('throws from the chosen call on, before it has any effect', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    disk.crashAt(disk.callCount + 2)
    expect(handle.writeSync(Buffer.from('a'), 0)).toBe(1)
    expect(() => handle.writeSync(Buffer.from('b'), 1)).toThrow(SimulatedCrash)
    await expect(handle.datasync()).rejects.toMatchObject({ name: 'SimulatedCrash', code: 'EIO' })
    await expect(disk.fileSystem.unlink('/a')).rejects.toThrow(SimulatedCrash)
    const after = disk.crash('all')
    expect(after.readBytes('/a').toString()).toBe('a123')
    expect(after.callCount).toBe(0)
  })

  it('fails every call on a disk that has crashed', async () => {
    const disk = await withDurableFile('0123')
    const handle = await disk.fileSystem.open('/a', 'write')
    const after = disk.crash('strict')
    expect(() => handle.writeSync(Buffer.from('b'), 1)).toThrow(/disk is gone/)
    await expect(handle.close()).rejects.toMatchObject({ code: 'EIO' })
    await expect(disk.fileSystem.readdir('/')).rejects.toThrow(/disk is gone/)
    expect(await after.fileSystem.readdir('/')).toEqual(['a'])
  })

  it('lets go of locks in a crash', async () => {
    const disk = await withDurableFile('')
    const fail = (reason: Error): never => {
      throw reason
    }
    const lock = await disk.fileSystem.lock('/', fail)
    const after = disk.crash('all')
    await after.fileSystem.lock('/', fail)
    await expect(lock.release()).rejects.toMatchObject({ code: 'EIO' })
  })

  it('tells the owner of a lock that was lost, and lets the next one in', async () => {
    const disk = await withDurableFile('')
    const reasons: Error[] = []
    const lock = await disk.fileSystem.lock('/', (reason) => reasons.push(reason))
    disk.loseLock('/')
    expect(reasons).toHaveLength(1)
    const next = await disk.fileSystem.lock('/', () => undefined)
    await expect(lock.release()).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await expect(disk.fileSystem.lock('/', () => undefined)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    await next.release()
  })
})

describe('simulated disk, full or damaged', () => {
  it('writes short first, then fails with ENOSPC, and recovers when space is freed', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 10 })
    const first = await disk.fileSystem.open('/a', 'create')
    expect(await first.write(Buffer.alloc(6), 0)).toBe(6)
    const second = await disk.fileSystem.open('/b', 'create')
    expect(second.writeSync(Buffer.alloc(6), 0)).toBe(4)
    expect(() => second.writeSync(Buffer.alloc(2), 4)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
    expect(second.writeSync(Buffer.alloc(4, 1), 0)).toBe(4)
    await disk.fileSystem.unlink('/a')
    await expect(second.write(Buffer.alloc(2), 4)).rejects.toMatchObject({ code: 'ENOSPC' })
    await first.close()
    expect(await second.write(Buffer.alloc(2), 4)).toBe(2)
  })

  it('damages one byte in cache and on disk, synced or not', async () => {
    const disk = await withDurableFile('abcd')
    const handle = await disk.fileSystem.open('/a', 'write')
    await handle.write(Buffer.from('efgh'), 4)
    disk.corrupt('/a', 1, 0x20)
    disk.corrupt('/a', 5, 0x20)
    expect(disk.readBytes('/a').toString()).toBe('aBcdeFgh')
    expect(disk.clone().crash('strict').readBytes('/a').toString()).toBe('aBcd')
    expect(disk.crash('directory-first', 1).readBytes('/a').toString()).not.toContain('f')
    expect(() => disk.corrupt('/a', 8)).toThrow(RangeError)
  })

  it('puts files in place durably', () => {
    const disk = new SimulatedDisk()
    disk.writeBytes('/d/e/a', Buffer.from('one'))
    disk.writeBytes('/d/e/a', Buffer.from('2'))
    expect(disk.crash('strict').readBytes('/d/e/a').toString()).toBe('2')
  })

  it('clones into independent disks', async () => {
    const disk = await withDurableFile('abcd')
    const copy = disk.clone()
    copy.corrupt('/a', 0)
    await copy.fileSystem.rename('/a', '/b')
    expect(disk.readBytes('/a').toString()).toBe('abcd')
    expect(copy.files()).toEqual(['/b'])
  })
})
