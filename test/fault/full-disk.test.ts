/**
 * Goal: a disk that fills up costs nothing acknowledged, says HOLDFAST_NO_SPACE, and freeing space is all it takes.
 * Method: a simulated disk of every capacity in steps, and the real thing on a small tmpfs where this process may mount one.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ContentId, open, type Store } from '../../src/index.ts'
import { MemoryBackend } from '../../src/kv/index.ts'
import { SimulatedDisk } from '../../src/testing/index.ts'
import { reportLayer } from '../support/effort.ts'
import { Model } from './fault-model.ts'
import { assertRecovers, Life, openStore } from './fault-world.ts'

describe('a disk that fills up', () => {
  it('at any point says so, loses nothing acknowledged, and is left behind by freeing space', async () => {
    const whole = new SimulatedDisk()
    const probe = await openStore(whole.fileSystem, new MemoryBackend())
    await new Life(probe, new Model('all'), 'probe').plan(6)
    await probe.close()
    const outcomes = { opening: 0, running: 0, none: 0 }
    for (let capacityBytes = 64; outcomes.none < 3; capacityBytes = Math.ceil(capacityBytes * 1.06) + 40) {
      const context = `a disk of ${capacityBytes} bytes`
      const disk = new SimulatedDisk({ capacityBytes })
      const backend = new MemoryBackend()
      const model = new Model('all')
      const store = await openStore(disk.fileSystem, backend).catch((error: unknown) => {
        expect(error, context).toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
        return undefined
      })
      if (store === undefined) outcomes.opening++
      else if (await liveUntilFull(store, model, context)) outcomes.none++
      else outcomes.running++
      disk.capacityBytes = Number.POSITIVE_INFINITY
      await assertRecovers({ disk, backend, model }, context)
    }
    expect(outcomes.opening).toBeGreaterThan(3)
    expect(outcomes.running).toBeGreaterThan(20)
  })

  it('still can be read from, read-only too, when it is so full that nothing can be written', async () => {
    const disk = new SimulatedDisk()
    const backend = new MemoryBackend()
    const model = new Model('all')
    const first = await openStore(disk.fileSystem, backend)
    await new Life(first, model, 'before').plan()
    await first.close()
    disk.capacityBytes = 0
    await expect(openStore(disk.fileSystem, backend)).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
    const reader = await openStore(disk.fileSystem, backend, { readOnly: true })
    await model.assertHolds(reader, 'read-only on a full disk')
    await reader.close()
    disk.capacityBytes = Number.POSITIVE_INFINITY
    await assertRecovers({ disk, backend, model }, 'freed')
  })
})

/** True when the disk was large enough for the whole plan. */
async function liveUntilFull(store: Store, model: Model, context: string): Promise<boolean> {
  const life = new Life(store, model, context)
  if (await life.plan(6)) {
    return store.close().then(
      () => true,
      (error: unknown) => {
        expect(error, context).toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
        return false
      },
    )
  }
  const code = (life.failure as { code: string }).code
  const cause = (life.failure as { cause?: { code?: string } }).cause?.code
  expect(code === 'HOLDFAST_POISONED' ? cause : code, context).toBe('HOLDFAST_NO_SPACE')
  await life.assertPoisoned()
  await store.close()
  return false
}

/** A file system of its own, of so many bytes; undefined where this process may not mount one. */
function mountSmall(bytes: number): { directory: string; unmount: () => void } | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-full-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory])
  if (mounted.status !== 0) {
    rmdirSync(directory)
    return undefined
  }
  return {
    directory,
    unmount: () => {
      // Lazily: after a failure something may still be open there, and the failure is what should be seen.
      spawnSync('umount', ['-l', directory])
      rmdirSync(directory)
    },
  }
}

const capacityBytes = 8 * 1024 * 1024
const trial = mountSmall(capacityBytes)
trial?.unmount()

describe('a real file system of 8 MiB that fills up', () => {
  it('under LevelDB and the log says so, loses nothing acknowledged, and goes on when space is freed', async (context) => {
    if (trial === undefined) {
      reportLayer(context, 'L10', {})
      context.skip('needs root and the right to mount a tmpfs')
    }
    const { directory, unmount } = mountSmall(capacityBytes) as NonNullable<typeof trial>
    try {
      const ballast = join(directory, 'ballast')
      await writeFile(ballast, Buffer.alloc(4 * 1024 * 1024))
      const location = join(directory, 'store')
      const options = { segmentBytes: 256 * 1024, checkpointBytes: 256 * 1024 }
      const store = await open(location, options)
      const acknowledged = new Map<number, ContentId>()
      const refusal = await fill(store, acknowledged)
      expect(refusal).toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
      expect(acknowledged.size).toBeGreaterThan(100)
      await assertAll(store, acknowledged)
      await store.close()
      // LevelDB writes its log out as a table when it opens, for which there is no room yet.
      await expect(open(location, options)).rejects.toMatchObject({ code: 'HOLDFAST_NO_SPACE' })
      await rm(ballast)
      const reopened = await open(location, options)
      await assertAll(reopened, acknowledged)
      expect(await reopened.verify()).toMatchObject({ problems: [] })
      const next = ((await reopened.assignments.latest(writer))?.slot ?? -1) + 1
      acknowledged.set(next, (await reopened.assignments.write({ process: writer, slot: next, data: 'again' })).id)
      await assertAll(reopened, acknowledged)
      await reopened.close()
      reportLayer(context, 'L10', { 'full disks': 1 })
    } finally {
      unmount()
    }
  })
})

const writer = 'W'.repeat(43)

/** Writes until the disk is full; answers the first refusal that names the reason. */
async function fill(store: Store, acknowledged: Map<number, ContentId>): Promise<unknown> {
  for (let slot = 0; ; slot++) {
    try {
      const { id } = await store.assignments.write({ process: writer, slot, data: `${slot}-`.repeat(400) })
      acknowledged.set(slot, id)
    } catch (error) {
      return (error as { code?: string }).code === 'HOLDFAST_POISONED' ? (error as { cause?: unknown }).cause : error
    }
  }
}

async function assertAll(store: Store, acknowledged: ReadonlyMap<number, ContentId>): Promise<void> {
  for (const [slot, id] of acknowledged) {
    const found = await store.assignments.read(writer, slot)
    expect(found === undefined ? undefined : store.content.id(found), `slot ${slot}`).toBe(id)
  }
}
