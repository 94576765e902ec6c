import type { CrashLuck } from './crash-luck.ts'
import { GrowableBytes } from './growable-bytes.ts'

/** A change the disk has not made durable. Only a settled one (its call has returned) is covered by a sync. */
export type FileChange =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array; settled: boolean }
  | { readonly kind: 'truncate'; readonly length: number; settled: boolean }

/** What a failed sync did with the changes it should have made durable. */
export type FailedSync = 'drop' | 'some' | 'keep'

/** One file: the bytes a reader sees, the bytes on stable storage, and the changes between them in order. */
export class SimulatedFile {
  readonly kind = 'file'
  readonly inode: number
  /** Open handles; a file without a name lives until the last one is closed. */
  handles = 0
  readonly #visible: GrowableBytes
  readonly #durable: GrowableBytes
  #unsynced: FileChange[]

  constructor(inode: number, visible = new GrowableBytes(), durable = visible.copy(), unsynced: FileChange[] = []) {
    this.inode = inode
    this.#visible = visible
    this.#durable = durable
    this.#unsynced = unsynced
  }

  get size(): number {
    return this.#visible.size
  }

  write(offset: number, data: Uint8Array): FileChange {
    const change: FileChange = { kind: 'write', offset, bytes: Uint8Array.from(data), settled: false }
    apply(this.#visible, change)
    this.#unsynced.push(change)
    return change
  }

  truncate(length: number): FileChange {
    const change: FileChange = { kind: 'truncate', length, settled: false }
    apply(this.#visible, change)
    this.#unsynced.push(change)
    return change
  }

  read(target: Uint8Array, offset: number): number {
    return this.#visible.read(target, offset)
  }

  toBuffer(): Buffer {
    return this.#visible.toBuffer()
  }

  sync(): void {
    const inFlight: FileChange[] = []
    for (const change of this.#unsynced) {
      if (change.settled) apply(this.#durable, change)
      else inFlight.push(change)
    }
    this.#unsynced = inFlight
  }

  /**
   * What a real disk does when writing back fails: the cached pages count as clean from then on. Readers go on seeing
   * the new bytes, the next sync succeeds, and what was dropped here never reaches the disk.
   */
  failSync(outcome: FailedSync, luck: CrashLuck, tearBytes: number): void {
    const settled = this.#unsynced.filter((change) => change.settled)
    this.#unsynced = this.#unsynced.filter((change) => !change.settled)
    if (outcome === 'drop') return
    if (outcome === 'keep') for (const change of settled) apply(this.#durable, change)
    else applySome(this.#durable, settled, luck, tearBytes)
  }

  /** The same file on another disk: same bytes, same changes still to lose. */
  copy(): SimulatedFile {
    const unsynced = this.#unsynced.map((change) => ({ ...change, settled: true }))
    return new SimulatedFile(this.inode, this.#visible.copy(), this.#durable.copy(), unsynced)
  }

  /** The file with its durable bytes only. */
  durableCopy(): SimulatedFile {
    return new SimulatedFile(this.inode, this.#durable.copy())
  }

  /** The file with its durable bytes and whatever unsynced part luck leaves. */
  luckyCopy(luck: CrashLuck, tearBytes: number): SimulatedFile {
    const bytes = this.#durable.copy()
    applySome(bytes, this.#unsynced, luck, tearBytes)
    return new SimulatedFile(this.inode, bytes)
  }

  /** Damage: flips bits of one byte, in the cache and on the disk alike. */
  corrupt(offset: number, mask: number): void {
    this.#visible.flip(offset, mask)
    this.#durable.flip(offset, mask)
    for (const change of this.#unsynced) {
      if (change.kind !== 'write' || offset < change.offset || offset >= change.offset + change.bytes.length) continue
      change.bytes[offset - change.offset] = (change.bytes[offset - change.offset] ?? 0) ^ mask
    }
  }

  /** Replaces the content, durably. */
  replace(bytes: Uint8Array): void {
    this.#unsynced = []
    for (const content of [this.#visible, this.#durable]) {
      content.truncate(0)
      content.write(0, bytes)
    }
  }
}

function apply(target: GrowableBytes, change: FileChange): void {
  if (change.kind === 'write') target.write(change.offset, change.bytes)
  else target.truncate(change.length)
}

/**
 * Size and data are separate changes to a disk: a file may have grown with zeros where the data is lost, or hold data
 * past the size that survived (which nobody can see).
 */
function applySome(target: GrowableBytes, changes: readonly FileChange[], luck: CrashLuck, tearBytes: number): void {
  let size = target.size
  for (const change of changes) {
    if (change.kind === 'truncate') {
      if (!luck.keeps()) continue
      target.truncate(change.length)
      size = change.length
    } else {
      writeSome(target, change.offset, change.bytes, luck, tearBytes)
      if (luck.keeps()) size = Math.max(size, change.offset + change.bytes.length)
    }
  }
  target.truncate(size)
}

function writeSome(target: GrowableBytes, offset: number, bytes: Uint8Array, luck: CrashLuck, tearBytes: number): void {
  if (!luck.tears()) {
    if (luck.keeps()) target.write(offset, bytes)
    return
  }
  const end = offset + bytes.length
  for (let start = offset; start < end; ) {
    const next = Math.min(end, (Math.floor(start / tearBytes) + 1) * tearBytes)
    if (luck.keeps()) target.write(start, bytes.subarray(start - offset, next - offset))
    start = next
  }
}
