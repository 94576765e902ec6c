import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'vitest'
import { type FileSystem, nodeFileSystem } from '../../src/fs/index.ts'
import { type Backend, LevelBackend, MemoryBackend } from '../../src/kv/index.ts'
import { backendSuite } from '../../src/testing/backend-suite.ts'

describe('memory', () => {
  backendSuite(
    { test },
    {
      create: async () => new MemoryBackend(),
      failNextBatch: (backend) => (backend as MemoryBackend).failBatch(1, { applied: false }),
      dispose: async () => {},
    },
  )
})

describe('memory, when the failing batch reaches the disk all the same', () => {
  backendSuite(
    { test },
    {
      create: async () => new MemoryBackend(),
      failNextBatch: (backend) => (backend as MemoryBackend).failBatch(1, { applied: true }),
      dispose: async () => {},
    },
  )
})

describe('LevelDB', () => {
  const failNextSync = new WeakMap<Backend, () => void>()
  backendSuite(
    { test },
    {
      create: async () => {
        const location = join(await mkdtemp(join(tmpdir(), 'holdfast-kv-')), 'level')
        const { fileSystem, failNext } = failingSync(nodeFileSystem())
        const backend = new LevelBackend(location, { fileSystem })
        failNextSync.set(backend, failNext)
        return backend
      },
      failNextBatch: (backend) => failNextSync.get(backend)?.(),
      dispose: (backend) => rm(dirname(backend.location as string), { recursive: true }),
    },
  )
})

/** The same file system, with a directory sync that can be told to fail once. */
function failingSync(inner: FileSystem): { fileSystem: FileSystem; failNext: () => void } {
  let failing = false
  const fileSystem: FileSystem = Object.create(inner, {
    syncDirectory: {
      value: async (path: string) => {
        if (failing) {
          failing = false
          throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
        }
        await inner.syncDirectory(path)
      },
    },
  })
  return {
    fileSystem,
    failNext: () => {
      failing = true
    },
  }
}
