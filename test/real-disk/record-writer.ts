// Opens the store of the built package at the place it is told, writes numbered records in bursts, and says in the file
// `marks` which are there: `ack <number> <durability>`, one write each, after the promise has resolved.
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as fileSystems from '../../src/fs/index.ts'
import type { FileHandle, FileSystem } from '../../src/fs/index.ts'
import type * as stores from '../../src/index.ts'
import { alteredHandles } from './altered-file-system.ts'
import { lastRecord, recordOptions, writeRecord } from './numbered-records.ts'

export interface WriterPlan {
  /** The directory of the built package. */
  readonly dist: string
  readonly location: string
  /** Empty: standard output. */
  readonly marks: string
  readonly life: number
  /** How many records to write; then the store is closed. 0: until killed. */
  readonly records: number
  /** Leaves out what a store must not leave out, to show that the test would notice. */
  readonly broken?: 'file syncs' | 'directory syncs' | 'checks of the epoch'
  /** Only records that must survive a power cut, one after the other. */
  readonly lone?: boolean
}

const plan = JSON.parse(process.argv[2] as string) as WriterPlan
const built = async <T>(file: string): Promise<T> => (await import(pathToFileURL(join(plan.dist, file)).href)) as T
const { open } = await built<typeof stores>('index.js')
const { nodeFileSystem } = await built<typeof fileSystems>('fs/index.js')

const marks = plan.marks === '' ? 1 : openSync(plan.marks, 'a')
const mark = (text: string): number => writeSync(marks, `${text}\n`)
const store = await open(plan.location, { ...recordOptions, ...brokenFileSystem() })
let last = await lastRecord(store)
mark(`ack ${last} sync`)
const end = plan.records === 0 ? Number.POSITIVE_INFINITY : last + plan.records
for (let turn = plan.life; last < end; turn++) {
  // Bursts share a group; a lone record is synced on the calling thread.
  const burst = plan.lone === true ? 1 : Math.min(1 + (turn % 3), end - last)
  await Promise.all(Array.from({ length: burst }, () => record(++last)))
  if (turn % 11 === 10) await store.checkpoint()
}
await store.close()

async function record(n: number): Promise<void> {
  const durability = plan.lone !== true && n % 5 === 0 ? 'os' : 'sync'
  try {
    await writeRecord(store, n, plan.life, durability)
    mark(`ack ${n} ${durability}`)
  } catch (error) {
    mark(`refused ${n} ${String((error as { code?: unknown }).code)}`)
    throw error
  }
}

function brokenFileSystem(): { fileSystem?: FileSystem } {
  const whole = nodeFileSystem()
  if (plan.broken === 'directory syncs') return { fileSystem: { ...whole, syncDirectory: () => Promise.resolve() } }
  if (plan.broken === 'file syncs') {
    const noSync = { datasync: () => Promise.resolve(), datasyncSync: () => undefined, sync: () => Promise.resolve() }
    return { fileSystem: alteredHandles(whole, () => noSync) }
  }
  if (plan.broken !== 'checks of the epoch') return {}
  // This owner also never hears that it lost its lock.
  const lock: FileSystem['lock'] = () => Promise.resolve({ release: () => Promise.resolve() })
  const blind = alteredHandles(whole, (handle, path) => (path.endsWith('/epoch') ? unchanging(handle) : {}))
  return { fileSystem: { ...blind, lock } }
}

/** Reads back what was written through this handle, whatever others have written since. */
function unchanging(handle: FileHandle): Partial<FileHandle> {
  let written = new Uint8Array(0)
  return {
    write: (data, position) => {
      written = Uint8Array.from(data)
      return handle.write(data, position)
    },
    writeSync: (data, position) => {
      written = Uint8Array.from(data)
      return handle.writeSync(data, position)
    },
    readSync: (target) => {
      target.set(written)
      return written.length
    },
  }
}
