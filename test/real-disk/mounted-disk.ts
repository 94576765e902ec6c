/** Mounts a disk of fuse-server.ts, in a process of its own, and gives it orders. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended } from '../crash/compiled-child.ts'
import type { ServerPlan } from './fuse-server.ts'
import type { Cut } from './power-cut.ts'

/** Why no such disk can be mounted here; undefined when one can. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/dev/fuse')) return 'needs /dev/fuse'
  try {
    closeSync(openSync('/dev/fuse', 'r+'))
  } catch {
    return '/dev/fuse cannot be opened'
  }
  return undefined
}

export class MountedDisk {
  readonly place: string
  readonly #server: ChildProcess
  readonly #gone: Promise<string>

  /** Why no disk can be mounted below `directory`, if so: even as root, a container may not be allowed to. */
  static async obstacle(program: string, directory: string): Promise<string | undefined> {
    const trial = await MountedDisk.mount(program, join(directory, 'trial')).catch((error: unknown) => String(error))
    if (typeof trial === 'string') return trial
    await trial.unmount()
    return undefined
  }

  /** Throws where a disk may not be mounted. `program`: the compiled server. */
  static async mount(program: string, place: string, plan: ServerPlan = {}): Promise<MountedDisk> {
    mkdirSync(place, { recursive: true })
    const device = openSync('/dev/fuse', 'r+')
    try {
      const server = spawn(process.execPath, [program, JSON.stringify(plan)], {
        stdio: ['ignore', 'inherit', 'inherit', device],
      })
      const disk = new MountedDisk(place, server)
      const options = 'fd=3,rootmode=40000,user_id=0,group_id=0,allow_other'
      const mount = spawn('mount', ['-i', '-t', 'fuse', '-o', options, 'holdfast-test', place], {
        stdio: ['ignore', 'inherit', 'pipe', device],
      })
      let said = ''
      mount.stderr?.on('data', (text: Buffer) => (said += text.toString()))
      if ((await ended(mount)) !== '0') {
        server.kill('SIGKILL')
        await disk.#gone
        throw new Error(`the disk could not be mounted: ${said}`)
      }
      return disk
    } finally {
      closeSync(device)
    }
  }

  private constructor(place: string, server: ChildProcess) {
    this.place = place
    this.#server = server
    this.#gone = ended(server)
  }

  /** Everything but what the cut leaves is gone. Nobody may have a file open. */
  crash(cut: Cut, seed: number): void {
    this.#order(`crash ${cut} ${seed}`)
  }

  /** The next syncs of files whose path has this text fail. */
  failSyncs(text: string, times: number): void {
    this.#order(`fail ${text} ${times}`)
  }

  async unmount(): Promise<void> {
    // Lazily: after a failure something may still be open there, and the failure is what should be seen.
    spawnSync('umount', ['-l', this.place])
    this.#server.kill('SIGKILL')
    await this.#gone
  }

  #order(text: string): void {
    writeFileSync(join(this.place, '.control'), text)
  }
}
