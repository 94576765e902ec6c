/**
 * Goal: a disk that fails a sync costs nothing acknowledged. Method: a mounted disk answers EIO to an fsync or fdatasync of
 * the log or of LevelDB's files, and forgets what it should have stored, as Linux does; then the power goes.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { type FileSystem, nodeFileSystem } from '../../src/fs/index.ts'
import { open, type Store } from '../../src/index.ts'
import { type CompiledChild, compileChild } from '../crash/compiled-child.ts'
import { reportLayer } from '../support/effort.ts'
import { alteredHandles } from './altered-file-system.ts'
import { checkStore, fastDirectory } from './checked-tree.ts'
import { MountedDisk, whyNoDisk } from './mounted-disk.ts'
import { lastRecord, recordOptions, writeRecord } from './numbered-records.ts'

let obstacle = whyNoDisk()
let directory: string
let server: CompiledChild | undefined
let disks = 0

beforeAll(async () => {
  directory = fastDirectory('sync-errors')
  if (obstacle !== undefined) return
  server = compileChild('../real-disk/fuse-server')
  obstacle = await MountedDisk.obstacle(server.program, directory)
})

afterAll(() => {
  server?.remove()
  rmSync(directory, { recursive: true, force: true })
})

function skipWithoutDisk(context: TestContext): void {
  if (obstacle === undefined) return
  reportLayer(context, 'L10', {})
  context.skip(obstacle)
}

async function onDisk(use: (disk: MountedDisk, location: string) => Promise<void>): Promise<void> {
  const disk = await MountedDisk.mount((server as CompiledChild).program, join(directory, `disk-${disks++}`))
  try {
    await use(disk, join(disk.place, 'store'))
  } finally {
    await disk.unmount()
  }
}

/** Writes records until one is refused; answers the last that was acknowledged and the refusal. */
async function writeUntilRefused(store: Store, most: number): Promise<{ acknowledged: number; refusal?: unknown }> {
  let acknowledged = await lastRecord(store)
  for (let i = 0; i < most; i++) {
    try {
      await writeRecord(store, acknowledged + 1, 1)
      acknowledged++
    } catch (refusal) {
      return { acknowledged, refusal }
    }
  }
  return { acknowledged }
}

async function assertHeld(disk: MountedDisk, location: string, acknowledged: number, context: string): Promise<void> {
  disk.crash('strict', 1)
  const { last, wrong } = await checkStore(location, true, nodeFileSystem())
  expect(wrong, context).toEqual([])
  // What was refused may be there: it is whole then, or it would be wrong.
  expect([acknowledged, acknowledged + 1], context).toContain(last)
}

describe('a disk that fails syncs', () => {
  it('of the log: the store is poisoned at once, goes on reading, closes, and a power cut costs nothing (I3, I11)', async (context) => {
    skipWithoutDisk(context)
    for (const times of [1, 1000]) {
      await onDisk(async (disk, location) => {
        const store = await open(location, recordOptions)
        const before = await writeUntilRefused(store, 7)
        expect(before).toEqual({ acknowledged: 7 })
        disk.failSyncs('/wal/', times)
        const { acknowledged, refusal } = await writeUntilRefused(store, 20)
        expect(refusal).toMatchObject({ code: 'HOLDFAST_IO' })
        expect(acknowledged).toBe(7)
        expect(store.status).toBe('poisoned')
        await expect(writeRecord(store, 8, 1)).rejects.toMatchObject({ code: 'HOLDFAST_POISONED' })
        expect(await store.paths.read(['log', 3])).toBeDefined()
        await store.close()
        disk.failSyncs('', 0)
        await assertHeld(disk, location, 7, `${times} failures`)
      })
    }
    reportLayer(context, 'L10', { 'failed syncs': 2 })
  })

  it('of LevelDB: the checkpoint is made good or the store is poisoned, and a power cut costs nothing (I5, I9)', async (context) => {
    skipWithoutDisk(context)
    const outcomes = new Set<string>()
    for (const [text, times] of [
      ['.log', 1],
      ['.log', 1000],
      ['MANIFEST', 1],
      ['/level', 1000],
    ] as const) {
      await onDisk(async (disk, location) => {
        const store = await open(location, recordOptions)
        await writeUntilRefused(store, 6)
        await store.checkpoint()
        await writeUntilRefused(store, 6)
        disk.failSyncs(text, times)
        const done = await store.checkpoint().then(
          () => 'made good',
          (error: { code?: string }) => String(error.code),
        )
        outcomes.add(`${times === 1 ? 'once' : 'always'}: ${done}`)
        const { acknowledged, refusal } = await writeUntilRefused(store, 6)
        if (done !== 'made good') expect(refusal).toMatchObject({ code: 'HOLDFAST_POISONED' })
        await store.close().catch((error: unknown) => expect(error).toMatchObject({ code: 'HOLDFAST_IO' }))
        disk.failSyncs('', 0)
        await assertHeld(disk, location, acknowledged, `${text}, ${times} failures`)
      })
    }
    expect([...outcomes].sort()).toEqual(['always: HOLDFAST_IO', 'once: made good'])
    reportLayer(context, 'L10', { 'failed syncs': 4 })
  })

  it('loses what was acknowledged by a store that tries a failed sync again, and this is noticed', async (context) => {
    skipWithoutDisk(context)
    await onDisk(async (disk, location) => {
      const store = await open(location, { ...recordOptions, fileSystem: retrying(nodeFileSystem()) })
      await writeUntilRefused(store, 7)
      disk.failSyncs('/wal/', 1)
      const { acknowledged, refusal } = await writeUntilRefused(store, 3)
      expect([acknowledged, refusal]).toEqual([10, undefined])
      disk.crash('strict', 1)
      const { last, wrong } = await checkStore(location, true, nodeFileSystem())
      expect(wrong.length > 0 || (last as number) < acknowledged, `found ${last}`).toBe(true)
      await store.close().catch(() => undefined)
    })
  })
})

/** The mistake that must not be made: the second sync has nothing left to do, and says that all is well. */
function retrying(whole: FileSystem): FileSystem {
  return alteredHandles(whole, (handle) => ({
    datasync: () => handle.datasync().catch(() => handle.datasync()),
    datasyncSync: () => {
      try {
        handle.datasyncSync()
      } catch {
        handle.datasyncSync()
      }
    },
  }))
}
