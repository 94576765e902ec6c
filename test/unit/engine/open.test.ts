import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { crc32 } from '../../../src/base/index.ts'
import { open, type OpenOptions } from '../../../src/index.ts'
import { SimulatedDisk } from '../../../src/testing/index.ts'
import { inDirectory, location, processA, utf8, WatchedBackend, world } from './worlds.ts'

describe('options', () => {
  const wrong: Record<string, unknown>[] = [
    { durabilty: 'sync' },
    { readonly: true },
    { durability: 'volatile' },
    { durability: 'never' },
    { createIfMissing: 1 },
    { errorIfExists: 'no' },
    { readOnly: 'yes' },
    { partitions: 0 },
    { partitions: 1025 },
    { partitions: 1.5 },
    { memoryBytes: 1 },
    { memoryBytes: '64 MiB' },
    { segmentBytes: 1 },
    { checkpointBytes: 0 },
    { bufferedIntervalMs: 0 },
    { bufferedIntervalMs: Number.NaN },
    { backend: 'level' },
    { backend: WatchedBackend },
    { fileSystem: {} },
    { clock: Date },
  ]
  test.each(wrong)('%j are refused before anything is touched', async (options) => {
    const disk = new SimulatedDisk()
    const given = { fileSystem: disk.fileSystem, backend: new WatchedBackend(), ...options } as OpenOptions
    await expect(open(location, given)).rejects.toThrow(TypeError)
    expect(disk.callCount).toBe(0)
  })

  test('and locations that are none too', async () => {
    for (const at of ['', undefined, 7, null]) await expect(open(at as never)).rejects.toThrow(TypeError)
    for (const options of [null, 7, 'sync']) await expect(open('/nowhere', options as never)).rejects.toThrow(TypeError)
  })
})

describe('a directory', () => {
  test('that is missing is created with its parents, or reported', async () => {
    const w = world()
    await expect(w.open({ createIfMissing: false })).rejects.toMatchObject({ code: 'HOLDFAST_NOT_FOUND' })
    await expect(w.open({ readOnly: true })).rejects.toMatchObject({ code: 'HOLDFAST_NOT_FOUND' })
    expect(w.disk.files()).toEqual([])
    await (await w.open()).close()
  })

  test('that is empty becomes a store, or is reported and left alone', () =>
    inDirectory(async (directory) => {
      await expect(open(directory, { createIfMissing: false })).rejects.toMatchObject({ code: 'HOLDFAST_NOT_FOUND' })
      await expect(open(directory, { readOnly: true })).rejects.toMatchObject({ code: 'HOLDFAST_NOT_FOUND' })
      expect(await readdir(directory)).toEqual([])
      const store = await open(directory)
      expect(store.recovery.created).toBe(true)
      await store.close()
    }))

  test('that holds a store is refused with errorIfExists', async () => {
    const w = world()
    const store = await w.open({ errorIfExists: true })
    await store.paths.write('p', utf8('x'))
    await store.close()
    await expect(w.open({ errorIfExists: true })).rejects.toMatchObject({ code: 'HOLDFAST_EXISTS' })
    const again = await w.open()
    expect(await again.paths.list('')).toEqual(['p'])
    await again.close()
  })

  test('that holds something else is refused and left alone', () =>
    inDirectory(async (directory) => {
      await writeFile(join(directory, 'letter.txt'), 'dear')
      await expect(open(directory)).rejects.toMatchObject({ code: 'HOLDFAST_EXISTS' })
      expect(await readdir(directory)).toEqual(['letter.txt'])
      await expect(open(join(directory, 'letter.txt'))).rejects.toMatchObject({ code: 'HOLDFAST_EXISTS' })
      expect(await readFile(join(directory, 'letter.txt'), 'utf8')).toBe('dear')
    }))

  test('whose superblock is gone is damaged, not empty', async () => {
    const w = world()
    const store = await w.open()
    await store.paths.write('p', utf8('x'))
    await store.close()
    await w.disk.fileSystem.unlink(`${location}/superblock`)
    await expect(w.open()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(w.disk.files().some((file) => file.includes('/wal/'))).toBe(true)
  })
})

describe('a superblock', () => {
  async function rewritten(edit: (lines: string[]) => void): Promise<ReturnType<typeof world>> {
    const w = world()
    await (await w.open()).close()
    const lines = w.disk.readBytes(`${location}/superblock`).toString('latin1').split('\n')
    edit(lines)
    const head = `${lines[0]}\n${lines[1]}\n`
    const sum = crc32(Buffer.from(head)).toString(16).padStart(8, '0')
    w.disk.writeBytes(`${location}/superblock`, Buffer.from(`${head}${sum}\n`))
    return w
  }

  test('of a newer format is refused, and the store is left as it is', async () => {
    const w = await rewritten((lines) => (lines[0] = 'holdfast 2'))
    const before = w.disk.readBytes(`${location}/superblock`)
    for (const options of [{}, { readOnly: true }]) {
      await expect(w.open(options)).rejects.toMatchObject({ code: 'HOLDFAST_FORMAT_UNSUPPORTED', detail: { found: 2 } })
    }
    expect(w.disk.readBytes(`${location}/superblock`)).toEqual(before)
  })

  test('with a field missing is damaged', async () => {
    const w = await rewritten((lines) => (lines[1] = '{"epoch":1}'))
    await expect(w.open()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
  })

  test('with any byte changed is damaged, and the file is named', async () => {
    const w = world()
    await (await w.open()).close()
    const file = `${location}/superblock`
    const { length } = w.disk.readBytes(file)
    for (let offset = 0; offset < length; offset += 7) {
      w.disk.corrupt(file, offset, 0x04)
      await expect(w.open()).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT', detail: { file } })
      w.disk.corrupt(file, offset, 0x04)
    }
    await (await w.open()).close()
  })
})

describe('a lock', () => {
  test('keeps a second opening out, whatever the directory is called there, until the first is closed', () =>
    inDirectory(async (directory) => {
      const at = join(directory, 'store')
      const store = await open(at)
      await store.paths.write('p', utf8('x'))
      await symlink(at, join(directory, 'alias'))
      await mkdir(join(directory, 'deeper'))
      const spellings = [at, `${at}/`, join(directory, 'deeper') + '/../store', join(directory, 'alias')]
      for (const spelling of spellings) {
        await expect(open(spelling), spelling).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
        await expect(open(spelling, { readOnly: true }), spelling).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
      }
      await store.paths.write('q', utf8('x'))
      await store.close()
      const again = await open(join(directory, 'alias'))
      expect(await again.paths.list('')).toEqual(['p', 'q'])
      await again.close()
    }))

  test('lets one of many that open at once in', async () => {
    const w = world()
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => w.open()))
    const opened = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    expect(opened).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'HOLDFAST_LOCKED' })
    }
    await opened[0]?.close()
  })

  test('is let go of when opening fails', async () => {
    const w = world()
    await (await w.open()).close()
    w.faults.inject({ operation: 'open', path: '/wal/', repeat: true })
    await expect(w.open()).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    w.faults.clear()
    await (await w.open()).close()
  })
})

describe('a read-only store', () => {
  async function snapshot(directory: string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {}
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const { mtimeMs, size, ino } = await stat(path)
      found[path] = [mtimeMs, size, ino, entry.isFile() ? (await readFile(path)).toString('base64') : '']
    }
    return found
  }

  test('changes no byte and no time of any file, and refuses every write', () =>
    inDirectory(async (directory) => {
      const at = join(directory, 'store')
      const store = await open(at)
      const { id } = await store.assignments.write({ process: processA, slot: 0, body: 'x'.repeat(5000) })
      await store.paths.write('a/b', utf8('x'))
      await store.close()
      await utimes(join(at, 'superblock'), 1, 1)
      const before = await snapshot(at)
      const reader = await open(at, { readOnly: true })
      expect(await reader.assignments.latest(processA)).toMatchObject({ slot: 0, id })
      expect(await reader.content.get(id)).toMatchObject({ body: 'x'.repeat(5000) })
      expect(await reader.paths.read('a/b')).toBeDefined()
      expect((await reader.verify()).problems).toEqual([])
      const refused = { code: 'HOLDFAST_READ_ONLY' }
      const writes = {
        put: () => reader.content.put({ a: 1 }),
        pin: () => reader.content.pin(id),
        write: () => reader.paths.write('x', utf8('x')),
        link: () => reader.paths.link('x', 'y'),
        remove: () => reader.paths.remove('a'),
        reset: () => reader.paths.reset(),
        assign: () => reader.assignments.write({ process: processA, slot: 1 }),
        prune: () => reader.assignments.prune(processA, { below: 1 }),
        transact: () => reader.transact(() => reader.content.put({ a: 1 })),
        sync: () => reader.sync(),
        checkpoint: () => reader.checkpoint(),
        gc: () => reader.gc(),
      }
      for (const [name, write] of Object.entries(writes)) await expect(write(), name).rejects.toMatchObject(refused)
      await reader.close()
      expect(await snapshot(at)).toEqual(before)
    }))

  test('shows what a crash left in the log, without replaying it on disk', async () => {
    const w = world()
    const store = await w.open()
    await store.paths.write('p', utf8('x'))
    const after = world(w.disk.crash('all'), w.backend.crash('all'))
    const files = () => after.disk.files().map((file) => [file, after.disk.readBytes(file).toString('base64')])
    const before = files()
    const reader = await after.open({ readOnly: true })
    expect(reader.recovery).toMatchObject({ clean: false, recordsReplayed: 1, lastSequence: 1 })
    expect(await reader.paths.list('')).toEqual(['p'])
    await reader.close()
    expect(files()).toEqual(before)
  })
})

test('an opening that was cut short during creation is made anew', async () => {
  for (let at = 1; ; at++) {
    const disk = new SimulatedDisk()
    disk.crashAt(at)
    const cut = await world(disk)
      .open()
      .catch(() => undefined)
    const after = world(disk.crash('all'))
    await cut?.close().catch(() => undefined)
    // What survived may be a finished store whose backend, new here, is empty: only an unfinished one is made anew.
    const superblock = after.disk.files().includes(`${location}/superblock`)
      ? after.disk.readBytes(`${location}/superblock`).toString()
      : ''
    if (superblock.includes('"initialised":true')) break
    const store = await after.open()
    expect(store.recovery.created).toBe(true)
    await store.paths.write('p', utf8('x'))
    await store.close()
  }
})
