import { describe, expect, it } from 'vitest'
import { type FileHandle, readFully, writeFully, writeFullySync } from '../../../src/fs/index.ts'
import { SimulatedDisk } from '../../../src/testing/index.ts'

/** A handle that transfers at most `most` bytes a call. */
async function slowHandle(disk: SimulatedDisk, most: number): Promise<FileHandle> {
  const inner = await disk.fileSystem.open('/a', disk.files().includes('/a') ? 'write' : 'create')
  return {
    path: inner.path,
    write: (data, position) => inner.write(data.subarray(0, most), position),
    writeSync: (data, position) => inner.writeSync(data.subarray(0, most), position),
    read: (target, position) => inner.read(target.subarray(0, most), position),
    readSync: (target, position) => inner.readSync(target.subarray(0, most), position),
    datasync: () => inner.datasync(),
    datasyncSync: () => inner.datasyncSync(),
    sync: () => inner.sync(),
    truncate: (length) => inner.truncate(length),
    size: () => inner.size(),
    close: () => inner.close(),
  }
}

const data = Buffer.from('0123456789')

describe('writeFully', () => {
  it.each([1, 3, 9, 10, 11])('writes everything although a call takes only %i bytes', async (most) => {
    const disk = new SimulatedDisk()
    await writeFully(await slowHandle(disk, most), data, 2)
    expect(disk.readBytes('/a')).toEqual(Buffer.from('\0\x000123456789'))
    writeFullySync(await slowHandle(disk, most), data, 0)
    expect(disk.readBytes('/a')).toEqual(Buffer.from('012345678989'))
  })

  it('fails when the system accepts nothing without an error', async () => {
    const handle = await slowHandle(new SimulatedDisk(), 0)
    await expect(writeFully(handle, data, 7)).rejects.toMatchObject({ code: 'HOLDFAST_IO', detail: { position: 7 } })
    expect(() => writeFullySync(handle, data, 7)).toThrow(/accepted none/)
  })

  it('writes no bytes without a call', async () => {
    const disk = new SimulatedDisk()
    const handle = await slowHandle(disk, 0)
    const before = disk.callCount
    await writeFully(handle, Buffer.alloc(0), 0)
    writeFullySync(handle, Buffer.alloc(0), 0)
    expect(disk.callCount).toBe(before)
  })

  it('fails with ENOSPC after a short write on a disk that fills up', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 4 })
    const handle = await disk.fileSystem.open('/a', 'create')
    await expect(writeFully(handle, data, 0)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(disk.readBytes('/a')).toEqual(Buffer.from('0123'))
  })
})

describe('readFully', () => {
  it.each([1, 3, 10, 20])('fills the target although a call gives only %i bytes', async (most) => {
    const disk = new SimulatedDisk()
    disk.writeBytes('/a', data)
    const target = Buffer.alloc(8)
    expect(await readFully(await slowHandle(disk, most), target, 1)).toBe(8)
    expect(target.toString()).toBe('12345678')
  })

  it('is short only at the end of the file', async () => {
    const disk = new SimulatedDisk()
    disk.writeBytes('/a', data)
    const target = Buffer.alloc(8)
    expect(await readFully(await slowHandle(disk, 1), target, 7)).toBe(3)
    expect(await readFully(await slowHandle(disk, 1), target, 10)).toBe(0)
  })
})
