import { describe, expect, it } from 'vitest'
import { makeDirectoryDurable, readFileWhole, writeFileAtomic } from '../../../src/fs/index.ts'
import { type CrashMode, FaultInjector, SimulatedDisk } from '../../../src/testing/index.ts'

const modes: readonly CrashMode[] = ['strict', 'all', 'subset', 'directory-first']
const old = Buffer.alloc(1500, 'old')
const fresh = Buffer.alloc(3000, 'new!')
const isWhole = (content: Buffer): boolean => content.equals(old) || content.equals(fresh)

async function prepared(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  await makeDirectoryDurable(disk.fileSystem, '/store')
  await writeFileAtomic(disk.fileSystem, '/store/a', old)
  return disk
}

/** Runs `work` on a disk that stops at each of its calls in turn, and looks at what every kind of crash leaves. */
async function atEveryCall(
  start: () => Promise<SimulatedDisk>,
  work: (disk: SimulatedDisk) => Promise<void>,
  look: (after: SimulatedDisk, finished: boolean) => Promise<void>,
): Promise<number> {
  for (let call = 1; ; call++) {
    const disk = await start()
    disk.crashAt(disk.callCount + call)
    const finished = await work(disk).then(
      () => true,
      () => false,
    )
    for (const mode of modes) for (let seed = 0; seed < 20; seed++) await look(disk.crash(mode, seed), finished)
    if (finished) return call
  }
}

describe('writeFileAtomic', () => {
  it('leaves the old file or the new one, whole, wherever a crash stops it', async () => {
    const seen = new Set<string>()
    const calls = await atEveryCall(
      prepared,
      (disk) => writeFileAtomic(disk.fileSystem, '/store/a', fresh),
      async (after, finished) => {
        const content = after.readBytes('/store/a')
        expect(isWhole(content)).toBe(true)
        if (finished) expect(content.equals(fresh)).toBe(true)
        seen.add(`${finished} ${content.length}`)
      },
    )
    expect(calls).toBeGreaterThan(5)
    expect([...seen].sort()).toEqual(['false 1500', 'false 3000', 'true 3000'])
  })

  it('works after any crash of an earlier attempt, whatever that left', async () => {
    await atEveryCall(
      prepared,
      (disk) => writeFileAtomic(disk.fileSystem, '/store/a', fresh),
      async (after) => {
        await writeFileAtomic(after.fileSystem, '/store/a', Buffer.from('short'))
        expect(after.crash('strict').readBytes('/store/a')).toEqual(Buffer.from('short'))
        expect(after.files()).toEqual(['/store/a'])
      },
    )
  })

  it('keeps the old file and leaves no temporary one when the disk is full', async () => {
    const disk = await prepared()
    disk.capacityBytes = old.length + 100
    await expect(writeFileAtomic(disk.fileSystem, '/store/a', fresh)).rejects.toMatchObject({
      code: 'HOLDFAST_NO_SPACE',
      detail: { path: '/store/a' },
    })
    expect(disk.files()).toEqual(['/store/a'])
    expect(disk.readBytes('/store/a')).toEqual(old)
  })

  it('rejects when any one of its calls fails, with the old file or the new one in place', async () => {
    for (const operation of ['removeTree', 'open', 'write', 'datasync', 'close', 'rename', 'syncDirectory'] as const) {
      const disk = await prepared()
      const injector = new FaultInjector(disk.fileSystem)
      const fault = injector.inject({ operation })
      await expect(writeFileAtomic(injector.fileSystem, '/store/a', fresh), operation).rejects.toMatchObject({
        code: 'HOLDFAST_IO',
        detail: { systemCode: 'EIO' },
      })
      expect(fault.fired).toBe(1)
      expect(isWhole(disk.crash('strict').readBytes('/store/a'))).toBe(true)
    }
  })
})

describe('readFileWhole', () => {
  it('gives the bytes, or undefined when there is no such file', async () => {
    const disk = await prepared()
    expect(await readFileWhole(disk.fileSystem, '/store/a')).toEqual(old)
    expect(await readFileWhole(disk.fileSystem, '/store/none')).toBeUndefined()
  })

  it.each(['open', 'size', 'read'] as const)('rejects with HOLDFAST_IO when %s fails', async (operation) => {
    const injector = new FaultInjector((await prepared()).fileSystem)
    injector.inject({ operation })
    await expect(readFileWhole(injector.fileSystem, '/store/a')).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
  })
})

describe('makeDirectoryDurable', () => {
  it('survives a power cut once it resolved, also when crashes cut earlier attempts short', async () => {
    await atEveryCall(
      async () => new SimulatedDisk(),
      (disk) => makeDirectoryDurable(disk.fileSystem, '/a/b/c'),
      async (after, finished) => {
        if (finished) expect(await after.clone().fileSystem.stat('/a/b/c')).toBeDefined()
        await makeDirectoryDurable(after.fileSystem, '/a/b/c')
        expect(await after.crash('strict').fileSystem.stat('/a/b/c')).toMatchObject({ kind: 'directory' })
      },
    )
  })

  it('works below a directory that may not be listed', async () => {
    const disk = new SimulatedDisk()
    await disk.fileSystem.mkdir('/private/store')
    const injector = new FaultInjector(disk.fileSystem)
    injector.inject({ operation: 'syncDirectory', code: 'EACCES' })
    await makeDirectoryDurable(injector.fileSystem, '/private/store')
  })

  it('rejects with HOLDFAST_IO where a file is in the way', async () => {
    const disk = await prepared()
    for (const path of ['/store/a', '/store/a/b']) {
      await expect(makeDirectoryDurable(disk.fileSystem, path)).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    }
  })
})
