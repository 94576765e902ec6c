import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { open } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { SimulatedDisk } from '../../src/testing/simulated-disk.ts'
import { storeSuite } from '../../src/testing/store-suite.ts'

describe('a store on the disk, with LevelDB', () => {
  storeSuite(
    { test },
    {
      create: async () => {
        const directory = await mkdtemp(join(tmpdir(), 'holdfast-store-'))
        return {
          open: (options) => open(join(directory, 'store'), options),
          dispose: () => rm(directory, { recursive: true }),
        }
      },
    },
  )
})

describe('a store on a simulated disk, with the memory backend', () => {
  storeSuite(
    { test },
    {
      create: async () => {
        const { fileSystem } = new SimulatedDisk()
        const backend = new MemoryBackend()
        return {
          open: (options) => open('/disk/store', { fileSystem, backend, ...options }),
          dispose: async () => undefined,
        }
      },
    },
  )
})

// A budget this small keeps little in memory: nearly every read goes to the backend, checkpoints run all the time.
describe('a store with hardly any memory', () => {
  storeSuite(
    { test },
    {
      create: async () => {
        const { fileSystem } = new SimulatedDisk()
        const backend = new MemoryBackend()
        const small = { memoryBytes: 65_536, checkpointBytes: 1, segmentBytes: 4096, partitions: 2 }
        return {
          open: (options) => open('/disk/store', { fileSystem, backend, ...small, ...options }),
          dispose: async () => undefined,
        }
      },
    },
  )
})
