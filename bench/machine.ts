import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { percentile } from './statistics.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  readonly fileSystem: string
  readonly load: number
  /** What one 2 KB write in place plus fdatasync costs right now: no durable write can be faster. */
  readonly fdatasyncP50us: number
  readonly fdatasyncP99us: number
}

function fileSystemOf(directory: string): string {
  try {
    const lines = execFileSync('df', ['--output=fstype,source', directory], { encoding: 'utf8' }).trim().split('\n')
    return lines.at(-1)?.replaceAll(/\s+/g, ' ') ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

function syncFloor(directory: string): number[] {
  const file = path.join(directory, 'floor')
  const descriptor = openSync(file, 'w')
  const record = Buffer.alloc(2200, 1)
  // Written and synced before, so that the timed syncs have no size or allocation to record.
  writeSync(descriptor, Buffer.alloc(4 << 20))
  fdatasyncSync(descriptor)
  const samples = Array.from({ length: 300 }, (_, index) => {
    const before = performance.now()
    writeSync(descriptor, record, 0, record.length, index * record.length)
    fdatasyncSync(descriptor)
    return (performance.now() - before) * 1000
  })
  closeSync(descriptor)
  rmSync(file)
  return samples
}

export function machine(directory: string): Machine {
  const samples = syncFloor(directory)
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    fileSystem: fileSystemOf(directory),
    load: load(),
    fdatasyncP50us: Math.round(percentile(samples, 0.5)),
    fdatasyncP99us: Math.round(percentile(samples, 0.99)),
  }
}

export const load = (): number => os.loadavg()[0] ?? 0

/** False when this user may not. */
export function dropPageCache(): boolean {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

/** The commit measured, with a mark when files differ from it. */
export function revision(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return readFileSync('../package.json', 'utf8').match(/"version": "(.*)"/)?.[1] ?? 'unknown'
  }
}
