import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type FileSystem, nodeFileSystem } from '../../../src/fs/index.ts'
import { LevelBackend, type LevelBackendOptions } from '../../../src/kv/index.ts'

let root: string
let location: string
let backends: LevelBackend[]

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-level-'))
  location = join(root, 'level')
  backends = []
  await mkdir(join(root, 'temporary'))
  vi.stubEnv('TMPDIR', join(root, 'temporary'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const backend of backends) await backend.close()
  await rm(root, { recursive: true })
})

function level(options: Partial<LevelBackendOptions> = {}, at = location): LevelBackend {
  const backend = new LevelBackend(at, { fileSystem: nodeFileSystem(), ...options })
  backends.push(backend)
  return backend
}

const put = (key: string, value: Uint8Array | string = key) => ({ key, value: Buffer.from(value) })

async function filled(): Promise<LevelBackend> {
  const backend = level()
  await backend.open({ create: true })
  await backend.batch([put('a'), put('b')], { sync: true })
  return backend
}

const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())

/** Name, size, time of change and content of every file. */
async function fingerprint(directory: string): Promise<string[]> {
  const lines: string[] = []
  for (const name of (await readdir(directory)).sort()) {
    const { size, mtimeMs, ctimeMs } = await stat(join(directory, name))
    const hash = createHash('sha256')
      .update(await readFile(join(directory, name)))
      .digest('hex')
    lines.push([name, size, mtimeMs, ctimeMs, hash].join(' '))
  }
  return lines
}

const views = async () => readdir(join(root, 'temporary'))

/** Counts directory syncs; `failAt` makes the n-th one fail. */
function countingSyncs(failAt = Number.POSITIVE_INFINITY): { fileSystem: FileSystem; synced: string[] } {
  const inner = nodeFileSystem()
  const synced: string[] = []
  const fileSystem: FileSystem = Object.create(inner, {
    syncDirectory: {
      value: async (path: string) => {
        synced.push(path)
        if (synced.length === failAt) throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
        await inner.syncDirectory(path)
      },
    },
  })
  return { fileSystem, synced }
}

describe('durability', () => {
  test('the directory is synced by open and by every sync batch, and by no other', async () => {
    const { fileSystem, synced } = countingSyncs()
    const backend = level({ fileSystem })
    await backend.open({ create: true })
    const opened = synced.length
    expect(synced.at(-1)).toBe(location)
    expect(synced).toContain(root)
    await backend.batch([put('a')], { sync: false })
    expect(synced).toHaveLength(opened)
    await backend.batch([put('b')], { sync: true })
    expect(synced.slice(opened)).toEqual([location])
    await backend.batch([], { sync: true })
    expect(synced.slice(opened)).toEqual([location, location])
  })

  test('an empty sync batch writes when batches before it were not synced', async () => {
    const backend = await filled()
    await backend.batch([put('c')], { sync: false })
    const before = await backend.size()
    await backend.batch([], { sync: true })
    expect(await backend.size()).toBeGreaterThan(before)
  })

  test('LevelDB is told to sync for a sync batch, and only then', async () => {
    const backend = await filled()
    const other = new ClassicLevel(join(root, 'other'))
    await other.open()
    const write = vi.spyOn(Object.getPrototypeOf(Object.getPrototypeOf(other.batch())), 'write')
    await backend.batch([put('c')], { sync: true })
    await backend.batch([put('d')], { sync: false })
    expect(write.mock.calls).toEqual([[{ sync: true }], [{ sync: false }]])
    write.mockRestore()
    await other.close()
  })

  test('an open whose directory sync fails leaves nothing open', async () => {
    await (await filled()).close()
    const { fileSystem } = countingSyncs(1)
    await expect(level({ fileSystem }).open({ create: false })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    await level().open({ create: false })
  })

  test('keys lie in the files as the plain bytes they stand for', async () => {
    const backend = level()
    await backend.open({ create: true })
    await backend.batch([put('key\xe9\xff\x00end', 'x')], { sync: true })
    await backend.close()
    const log = (await readdir(location)).find((name) => name.endsWith('.log'))
    const bytes = await readFile(join(location, log as string))
    expect(bytes.includes(Buffer.from('key\xe9\xff\x00end', 'latin1'))).toBe(true)
  })
})

describe('a real failed append', () => {
  test('ends all writing, keeps reads, and close and open bring the data back', async () => {
    const backend = level({ writeBufferBytes: 64 * 1024 })
    await backend.open({ create: true })
    await backend.batch([put('kept')], { sync: true })
    // With the directory gone LevelDB can go on appending, but not start the next log.
    await rename(location, `${location}.away`)
    const large = Buffer.alloc(100_000, 7)
    const failure = await (async () => {
      for (let round = 0; round < 5; round += 1) await backend.batch([put(`k${round}`, large)], { sync: false })
      return undefined
    })().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'HOLDFAST_IO' })
    await rename(`${location}.away`, location)
    await expect(backend.batch([put('later')], { sync: true })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
    expect(text(backend.getSync('kept'))).toBe('kept')
    await backend.close()
    await backend.open({ create: false })
    expect(await backend.hasMany(['kept', 'later'])).toEqual([true, false])
    await backend.batch([put('later')], { sync: true })
  })
})

describe('opening', () => {
  test('a directory open in this process is locked, by every spelling of its path, and stays usable', async () => {
    const backend = await filled()
    const link = join(root, 'other-name')
    await symlink(location, link)
    for (const path of [location, `${location}/../level`, link]) {
      await expect(level({}, path).open({ create: true })).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    }
    await backend.batch([put('c')], { sync: true })
    await backend.close()
    await level({}, link).open({ create: false })
  })

  test('a refused open in this process does not let another process in', async () => {
    const backend = await filled()
    await expect(level().open({ create: true })).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(openElsewhere(location)).toBe('LEVEL_LOCKED')
    await backend.close()
    expect(openElsewhere(location)).toBe('opened')
  })

  test('measuring the size does not let another process in', async () => {
    const backend = await filled()
    await backend.size()
    expect(openElsewhere(location)).toBe('LEVEL_LOCKED')
  })

  test('without create a missing store is an error that leaves no trace', async () => {
    await expect(level().open({ create: false })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(await readdir(root)).toEqual(['temporary'])
    await mkdir(location)
    await expect(level().open({ create: false })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(await readdir(location)).toEqual([])
  })

  test.each(['CURRENT', 'MANIFEST-'])('a flipped byte in %s is corruption that says what to do', async (prefix) => {
    await (await filled()).close()
    const name = (await readdir(location)).find((file) => file.startsWith(prefix)) as string
    const bytes = await readFile(join(location, name))
    bytes[3] = (bytes[3] as number) ^ 0x10
    await writeFile(join(location, name), bytes)
    const backend = level()
    const failure = backend.open({ create: false })
    await expect(failure).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    await expect(failure).rejects.toThrow(/LevelDB at .* cannot be opened: .*; restore a backup/)
    expect(() => backend.getSync('a')).toThrow('not open')
  })

  test('a file in the way is not taken for damage', async () => {
    await writeFile(location, 'not a directory')
    await expect(level().open({ create: true })).rejects.toMatchObject({ code: 'HOLDFAST_IO' })
  })
})

describe('read-only', () => {
  /** Tables, an unfinished log and obsolete generations, as a store has that has lived. */
  async function lived(): Promise<void> {
    for (let generation = 0; generation < 3; generation += 1) {
      const backend = level({ writeBufferBytes: 64 * 1024, maxFileBytes: 1024 * 1024 })
      await backend.open({ create: true })
      for (let index = 0; index < 40; index += 1) {
        await backend.batch([put(`k${index}`, Buffer.alloc(9000, generation))], { sync: false })
      }
      await backend.batch([put('last', String(generation))], { sync: true })
      await backend.close()
    }
  }

  test('reads everything and changes no byte, name or time of the store', async () => {
    await lived()
    const before = await fingerprint(location)
    expect(before.some((line) => line.includes('.ldb'))).toBe(true)
    const reader = level({ readOnly: true, writeBufferBytes: 64 * 1024 })
    await reader.open({ create: false })
    expect(await views()).toHaveLength(1)
    expect(reader.getSync('k39')?.[0]).toBe(2)
    expect(text(reader.getSync('last'))).toBe('2')
    const iterator = reader.iterate({ gte: '', lt: '\xff' })
    expect(await iterator.next(100)).toHaveLength(41)
    await iterator.close()
    expect(await reader.size()).toBeGreaterThan(0)
    await reader.close()
    expect(await views()).toEqual([])
    expect(await fingerprint(location)).toEqual(before)
    await level().open({ create: false })
  })

  test('changes nothing either when tables that no manifest names stand where LevelDB would write its next ones', async () => {
    await lived()
    const names = await readdir(location)
    const last = Math.max(...names.map((name) => Number(/\d+/.exec(name)?.[0] ?? 0)))
    const orphans = Array.from({ length: 30 }, (_unused, index) => String(last - 5 + index).padStart(6, '0'))
    for (const number of orphans)
      await writeFile(join(location, `${number}.ldb`), 'orphan', { flag: 'wx' }).catch(() => {})
    const before = await fingerprint(location)
    const reader = level({ readOnly: true, writeBufferBytes: 64 * 1024 })
    await reader.open({ create: false })
    expect(text(reader.getSync('last'))).toBe('2')
    await reader.close()
    expect(await fingerprint(location)).toEqual(before)
  })

  test('refuses batches, compaction and destruction', async () => {
    await lived()
    const reader = level({ readOnly: true })
    await expect(reader.destroy()).rejects.toMatchObject({ code: 'HOLDFAST_READ_ONLY' })
    await reader.open({ create: false })
    await expect(reader.batch([put('x')], { sync: true })).rejects.toMatchObject({ code: 'HOLDFAST_READ_ONLY' })
    await expect(reader.compact()).rejects.toMatchObject({ code: 'HOLDFAST_READ_ONLY' })
  })

  test('never creates, and leaves no view behind when it fails', async () => {
    await expect(level({ readOnly: true }).open({ create: true })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    await lived()
    const manifest = (await readdir(location)).find((name) => name.startsWith('MANIFEST-')) as string
    await writeFile(join(location, manifest), 'no manifest')
    await expect(level({ readOnly: true }).open({ create: false })).rejects.toMatchObject({ code: 'HOLDFAST_CORRUPT' })
    expect(await views()).toEqual([])
    expect(await readdir(root)).toEqual(['level', 'temporary'])
  })

  test('two readers at once are welcome', async () => {
    await lived()
    const readers = [level({ readOnly: true }), level({ readOnly: true })]
    for (const reader of readers) await reader.open({ create: false })
    for (const reader of readers) expect(await reader.hasMany(['last'])).toEqual([true])
  })
})

/** Opens the directory from another process; what came of it. */
function openElsewhere(directory: string): string {
  const script = `
    import { ClassicLevel } from 'classic-level'
    const level = new ClassicLevel(process.argv[1], { createIfMissing: false })
    try { await level.open(); console.log('opened'); await level.close() } catch (error) { console.log(error.cause.code) }`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, directory], { encoding: 'utf8' })
  return run.stdout.trim()
}
