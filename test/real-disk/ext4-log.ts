/** A run of the writer on a real ext4 whose disk logs every write and flush, and that disk as a crash would leave it. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Prng } from '../../src/base/index.ts'
import { ended } from '../crash/compiled-child.ts'
import { type BlockEvent, decodeEvents } from './block-log.ts'
import type { Told } from './explorer.ts'
import { MountedDisk } from './mounted-disk.ts'
import type { WriterPlan } from './record-writer.ts'

const diskBytes = 20 * 1024 * 1024

/** Throws with what the command said. */
function command(name: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(name, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout.trim()
}

/** A new ext4 with nothing left to do in the background. */
export function makeFileSystem(image: string): void {
  const descriptor = openSync(image, 'w')
  ftruncateSync(descriptor, diskBytes)
  closeSync(descriptor)
  const extended = 'lazy_itable_init=0,lazy_journal_init=0,nodiscard'
  command('mkfs.ext4', '-q', '-F', '-J', 'size=4', '-E', extended, image)
}

/** Mounts a disk in a file; answers how to let go of it. */
export function mountImage(image: string, place: string): () => void {
  mkdirSync(place, { recursive: true })
  const device = command('losetup', '--find', '--show', image)
  try {
    command('mount', '-t', 'ext4', '-o', 'noatime', device, place)
  } catch (error) {
    spawnSync('losetup', ['-d', device])
    throw error
  }
  return () => {
    if (spawnSync('umount', [place]).status !== 0) spawnSync('umount', ['-l', place])
    spawnSync('losetup', ['-d', device])
  }
}

/** Why ext4 cannot be mounted here; undefined when it can. */
export function whyNoExt4(directory: string): string | undefined {
  const image = join(directory, 'trial.img')
  try {
    makeFileSystem(image)
    mountImage(image, join(directory, 'trial'))()
    return undefined
  } catch (error) {
    return `needs loop devices and ext4: ${String(error).slice(0, 120)}`
  } finally {
    rmSync(image, { force: true })
  }
}

export interface LoggedRun {
  readonly image: string
  readonly events: readonly BlockEvent[]
}

/** Runs the writer to its end on a new ext4 and logs what that asked of its disk. */
export async function logRun(
  programs: { readonly server: string; readonly writer: string },
  place: string,
  plan: Omit<WriterPlan, 'location' | 'marks'>,
): Promise<LoggedRun> {
  const start = join(place, 'start')
  const log = join(place, 'log')
  const image = join(start, 'disk')
  mkdirSync(start, { recursive: true })
  makeFileSystem(image)
  const disk = await MountedDisk.mount(programs.server, join(place, 'fuse'), { start, log })
  try {
    const release = mountImage(join(disk.place, 'disk'), join(place, 'ext4'))
    try {
      const location = join(place, 'ext4', 'store')
      const whole: WriterPlan = { ...plan, location, marks: join(disk.place, 'marks') }
      const child = spawn(process.execPath, [programs.writer, JSON.stringify(whole)], {
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      const how = await ended(child)
      if (how !== '0') throw new Error(`the writer on ext4 ended with ${how}`)
    } finally {
      release()
    }
  } finally {
    await disk.unmount()
  }
  return { image, events: [...decodeEvents(readFileSync(log))] }
}

export interface CrashedDisk {
  readonly told: Told
  readonly context: string
  /** Puts the image of the disk together and answers its path. It may be changed; it is gone when the next one is put together. */
  readonly build: () => string
}

/**
 * The disk as it is just before each flush is done: with every write that was under way, or with some of them.
 */
export function* crashedDisks(run: LoggedRun, place: string, seeds: number): Generator<CrashedDisk> {
  const durable = join(place, 'durable.img')
  const image = join(place, 'crashed.img')
  copyFileSync(run.image, durable)
  const told: Told = { kill: 0, powerCut: 0 }
  let unsynced: NonNullable<BlockEvent['write']>[] = []
  let flushes = 0
  for (const { file, write } of run.events) {
    if (file === 'marks') {
      if (write !== undefined) tell(told, write.bytes.toString())
      continue
    }
    if (write !== undefined) {
      unsynced.push(write)
      continue
    }
    flushes++
    const toldThen = { ...told }
    for (let seed = 0; seed <= seeds; seed++) {
      const random = new Prng(flushes * 1009 + seed)
      const survivors = seed === 0 ? unsynced : unsynced.filter(() => random.below(2) === 0)
      const which = seed === 0 ? 'all writes' : `some writes, seed ${seed}`
      const build = (): string => {
        copyFileSync(durable, image)
        apply(image, survivors)
        return image
      }
      yield { told: toldThen, context: `flush ${flushes}, ${which}`, build }
    }
    apply(durable, unsynced)
    unsynced = []
  }
}

function tell(told: Told, text: string): void {
  for (const line of text.trim().split('\n')) {
    const [what, number, durability] = line.split(' ')
    if (what === 'ack' && durability === 'sync') told.powerCut = Math.max(told.powerCut, Number(number))
  }
}

function apply(image: string, writes: readonly { readonly offset: number; readonly bytes: Buffer }[]): void {
  const descriptor = openSync(image, 'r+')
  for (const { offset, bytes } of writes) writeSync(descriptor, bytes, 0, bytes.length, offset)
  closeSync(descriptor)
}
