import { readFileSync } from 'node:fs'

function field(file: string, name: string): number {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`))
  return Number.parseInt(line?.slice(name.length + 1) ?? '0', 10)
}

export interface MemoryFacts {
  readonly rssMiB: number
  readonly anonymousMiB: number
  /** The kernel's own maximum of the resident size. */
  readonly peakMiB: number
}

/** Resident memory of a process, as the kernel sees it; Linux only. */
export function memoryOf(pid: number | 'self'): MemoryFacts {
  const file = `/proc/${pid}/status`
  const mib = (name: string) => field(file, name) / 1024
  return { rssMiB: mib('VmRSS'), anonymousMiB: mib('RssAnon'), peakMiB: mib('VmHWM') }
}

/** Bytes this process asked read calls for, and bytes that came from the device (mapped pages count here only). */
export function bytesRead(): { readonly called: number; readonly device: number } {
  return { called: field('/proc/self/io', 'rchar'), device: field('/proc/self/io', 'read_bytes') }
}
