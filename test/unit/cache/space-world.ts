/** An engine with its caches on a simulated disk, without a store around it. */
import { Caches } from '../../../src/cache/index.ts'
import { type OpenEngine, openEngine, type OpenOptions } from '../../../src/engine/index.ts'
import { MemoryBackend } from '../../../src/kv/index.ts'
import { type CrashMode, SimulatedDisk } from '../../../src/testing/index.ts'

export interface SpaceWorld {
  readonly disk: SimulatedDisk
  readonly backend: MemoryBackend
  readonly caches: Caches
  readonly opened: OpenEngine
}

export async function openSpaces(
  options: OpenOptions = {},
  disk = new SimulatedDisk(),
  backend = new MemoryBackend(),
): Promise<SpaceWorld> {
  const caches = new Caches()
  const opened = await openEngine('/disk/store', { fileSystem: disk.fileSystem, backend, ...options }, caches.hooks)
  await caches.attach(opened.engine)
  return { disk, backend, caches, opened }
}

/** Power cut, and opened again. */
export async function crashSpaces(world: SpaceWorld, mode: CrashMode, options: OpenOptions = {}): Promise<SpaceWorld> {
  const disk = world.disk.crash(mode, 1)
  const backend = world.backend.crash(mode === 'all' ? 'all' : 'strict', 1)
  await world.opened.close().catch(() => undefined)
  return openSpaces(options, disk, backend)
}
