import { FillingBuffer, type Group, type RecordSpace } from './group.ts'
import { type Level, level } from './level.ts'
import type { Log, WalStats } from './log.ts'
import type { SegmentInfo, WalOptions } from './options.ts'
import type { WalRecovery } from './recovery.ts'
import { type Scheduler, systemScheduler } from './scheduler.ts'
import { directWriteBytesMax, SegmentedLog, type TrimReport } from './segmented-log.ts'
import { type StartedLog, startSegment } from './start.ts'
import { SyncPace } from './sync-pace.ts'
import { closed, indeterminate, poisoned } from './wal-errors.ts'

/** Records that asked for less than `sync` are synced when there are so many bytes of them. */
const unsyncedBytesMax = 1024 * 1024
/** Records acknowledged at once wait for the disk when so many bytes are ahead of them: memory stays bounded. */
const backlogBytesMax = 16 * 1024 * 1024
/** So many commits on the calling thread follow each other without a turn of the event loop. */
const directPerTurnMax = 8
/** A log that has been quiet for so long gets a trailer. */
const idleMs = 25

/**
 * The write-ahead log: records go in in sequence order and are acknowledged when they are as durable as they asked to
 * be. While one group is being synced the next one fills. What a crash leaves is a prefix of what was appended, with
 * everything in it that was acknowledged at `sync`.
 */
export class Wal implements Log {
  readonly #options: WalOptions
  readonly #scheduler: Scheduler
  readonly #log: SegmentedLog
  readonly #filling: FillingBuffer
  readonly #pace: SyncPace
  /** Groups taken for writing that are not durable yet, oldest first. */
  #unsettled: Group[] = []
  #writtenSequence: number
  #durableSequence: number
  /** What appended records ask of the next round: 0 for nothing, else a level. */
  #asked: 0 | Level = 0
  #scheduled = false
  /** Commits on the calling thread since the event loop last had a turn. */
  #directInTurn = 0
  #running: Promise<void> | undefined
  /** Bytes of records not handed to the operating system yet, and of those not synced since. */
  #backlogBytes = 0
  #unsyncedBytes = 0
  #cancelBuffered: (() => void) | undefined
  #cancelIdle: (() => void) | undefined
  #groupsWhenQuiet = 0
  #trailerDue = false
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  #trimming: Promise<unknown> = Promise.resolve()
  readonly #stats = { groups: 0, records: 0, bytes: 0, syncs: 0 }

  /**
   * Begins a new segment after `recoverWal`. When it resolves, everything that was recovered is durable. Rejects with
   * HOLDFAST_CORRUPT if recovery found damage or the epoch is not a new one, else with HOLDFAST_IO or _NO_SPACE.
   */
  static async start(options: WalOptions, recovery: WalRecovery): Promise<Wal> {
    return new Wal(options, await startSegment(options, recovery))
  }

  private constructor(options: WalOptions, started: StartedLog) {
    const { nextSequence } = started.writer
    this.#options = options
    this.#scheduler = options.scheduler ?? systemScheduler
    this.#log = new SegmentedLog(options, started)
    this.#filling = new FillingBuffer(options.segmentBytes, nextSequence)
    this.#pace = new SyncPace(options.clock)
    this.#writtenSequence = nextSequence - 1
    this.#durableSequence = nextSequence - 1
    this.#armIdleTimer()
  }

  /** Sequence of the record appended last. */
  get lastSequence(): number {
    return this.#filling.nextSequence - 1
  }

  /** Everything up to here has been handed to the operating system. */
  get writtenSequence(): number {
    return this.#writtenSequence
  }

  /** Everything up to here is on stable storage. */
  get durableSequence(): number {
    return this.#durableSequence
  }

  /** What made the log fail, if it did. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Where the next record is to be built: `byteLength` bytes from `start` on. May be called again with more before
   * `append`; if it answers another buffer then, what was built is to be copied. The answer is good until the next
   * call; the bytes of a buffer given out here are never overwritten. Throws HOLDFAST_POISONED, HOLDFAST_CLOSED or
   * HOLDFAST_VALUE_TOO_LARGE.
   */
  space(byteLength: number): RecordSpace {
    this.#refuseUnlessOpen()
    return this.#filling.space(byteLength)
  }

  /** Takes the record built in the first `byteLength` bytes of the space given out last. Returns its sequence. */
  append(byteLength: number, wanted: Level): number {
    this.#refuseUnlessOpen()
    const group = this.#filling.append(byteLength)
    this.#backlogBytes += byteLength
    if (wanted > level.buffered) this.#ask(wanted)
    else if (this.#backlogBytes + this.#unsyncedBytes >= unsyncedBytesMax) this.#ask(level.sync)
    else this.#armBufferedTimer()
    return group.lastSequence
  }

  /** Whether `settled` would resolve at once. */
  isSettled(sequence: number, wanted: Level): boolean {
    if (wanted === level.sync) return sequence <= this.#durableSequence
    if (sequence <= this.#writtenSequence) return true
    return wanted === level.buffered && this.#backlogBytes <= backlogBytesMax
  }

  /**
   * Resolves with `value` when the record is acknowledged at that level. Rejects with HOLDFAST_IO or
   * HOLDFAST_NO_SPACE (or what `fence` threw) when the log fails before: the record may or may not have been stored.
   */
  settled<T>(sequence: number, wanted: Level, value: T): Promise<T> {
    if (this.isSettled(sequence, wanted)) return Promise.resolve(value)
    if (this.#failure !== undefined) return Promise.reject(indeterminate(sequence, this.#failure))
    const group = this.#filling.find(sequence) ?? this.#unsettled.findLast((each) => each.firstSequence <= sequence)
    if (group === undefined || sequence > group.lastSequence) {
      return Promise.reject(new RangeError(`sequence ${sequence} has not been appended`))
    }
    this.#ask(wanted === level.sync ? level.sync : level.os)
    return group.wait(wanted === level.sync, value)
  }

  /** Resolves when everything appended so far is durable. Rejects with HOLDFAST_POISONED if the log has failed. */
  sync(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(poisoned(this.#failure))
    return this.settled(this.lastSequence, level.sync, undefined)
  }

  /** The retained segments, oldest first; the last one is being written. */
  segments(): SegmentInfo[] {
    return this.#log.segments()
  }

  stats(): WalStats {
    const { rotations, preparedRotations } = this.#log
    return { ...this.#stats, rotations, preparedRotations }
  }

  /**
   * Deletes the segments that hold nothing above `sequence`, oldest first, never the one being written. Resolves when
   * the names are durably gone. Rejects with HOLDFAST_IO, which does not harm the log.
   */
  trim(sequence: number): Promise<TrimReport> {
    const report = this.#trimming.then(() => {
      this.#refuseUnlessOpen()
      return this.#log.trim(sequence)
    })
    this.#trimming = report.catch(() => undefined)
    return report
  }

  /**
   * Makes everything appended durable and closes the files. Rejects if that fails; the files are closed all the same.
   * Of a log that had failed before it only closes the files. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #refuseUnlessOpen(): void {
    if (this.#failure !== undefined) throw poisoned(this.#failure)
    if (this.#closing !== undefined) throw closed()
  }

  #ask(wanted: Level): void {
    if (wanted > this.#asked) this.#asked = wanted
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return
    this.#scheduled = true
    // A turn of the event loop lets writers come together, and costs a lone one a tenth of its time. One who is alone
    // is served at once, but not for ever: timers and sockets must have their turns.
    if (this.#directInTurn < directPerTurnMax && this.#pace.favoursDirect) queueMicrotask(this.#onTurn)
    else {
      this.#directInTurn = 0
      this.#scheduler.soon(this.#onTurn)
    }
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false
    if (this.#running !== undefined || this.#failure !== undefined || this.#closing !== undefined) return
    if (this.#isLone()) this.#commitLone()
    else if (this.#asked > 0 || this.#trailerDue) this.#running = this.#commitAll()
  }

  #isLone(): boolean {
    const { frameBytes } = this.#filling.current
    return (
      this.#asked === level.sync &&
      this.#filling.holdsOneRecord &&
      this.#pace.favoursDirect &&
      this.#unsettled.length === 0 &&
      frameBytes <= directWriteBytesMax &&
      !this.#log.mustRotate(frameBytes)
    )
  }

  // A lone record is written and synced on the calling thread: a hop to another one costs as much as the sync.
  #commitLone(): void {
    try {
      this.#asked = 0
      this.#directInTurn++
      const groups = this.#take()
      for (const group of groups) this.#log.writeSync(group)
      this.#written(groups)
      this.#pace.begin()
      this.#log.datasyncSync()
      this.#synced()
      this.#afterCommit()
    } catch (error) {
      this.#fail(error)
    }
  }

  async #commitAll(): Promise<void> {
    try {
      do {
        if (this.#asked > 0) await this.#commit()
        else await this.#commitTrailer()
        // When few records have come in meanwhile, those who were just acknowledged get their turn first, so that
        // their next records are in one group; and a lone one may not need this loop.
      } while (this.#asked > 0 && this.#filling.current.recordCount >= Math.max(2, this.#pace.lastGroup))
    } catch (error) {
      this.#running = undefined
      this.#fail(error)
      return
    }
    this.#running = undefined
    this.#afterCommit()
  }

  async #commit(): Promise<void> {
    const asked = this.#asked
    this.#asked = 0
    const groups = this.#take()
    for (const group of groups) {
      if (this.#log.mustRotate(group.frameBytes)) await this.#log.rotate()
      await this.#log.write(group)
    }
    this.#written(groups)
    if (asked < level.sync) return
    this.#pace.begin()
    if (this.#log.unsynced) await this.#log.datasync()
    this.#synced()
  }

  async #commitTrailer(): Promise<void> {
    this.#trailerDue = false
    if (this.#log.wantsTrailer) await this.#log.writeTrailer()
  }

  #take(): Group[] {
    const groups = this.#filling.take()
    for (const group of groups) {
      this.#unsettled.push(group)
      this.#stats.groups++
      this.#stats.records += group.recordCount
      this.#stats.bytes += group.frameBytes
    }
    return groups
  }

  #written(groups: readonly Group[]): void {
    const last = groups.at(-1)
    if (last === undefined) return
    this.#options.fence?.()
    this.#writtenSequence = last.lastSequence
    for (const group of groups) {
      this.#backlogBytes -= group.recordBytes
      this.#unsyncedBytes += group.recordBytes
      group.wasWritten()
    }
  }

  /** Everything that has been written is durable now. */
  #synced(): void {
    const groups = this.#unsettled
    const last = groups.at(-1)
    if (last === undefined) return
    this.#pace.end(
      groups.length === 1 ? last.recordCount : last.lastSequence - this.#durableSequence,
      this.#unsyncedBytes,
    )
    this.#options.fence?.()
    this.#stats.syncs++
    this.#unsettled = []
    this.#unsyncedBytes = 0
    this.#durableSequence = last.lastSequence
    for (const group of groups) group.wasSynced()
    this.#options.onAcknowledged?.(this.#durableSequence)
    if (this.#pace.smallSyncs && this.#closing === undefined) this.#log.prepareNext()
  }

  #afterCommit(): void {
    if (this.#closing !== undefined || this.#failure !== undefined) return
    if (this.#asked > 0) this.#schedule()
    else if (this.#unsettled.length > 0 || !this.#filling.isEmpty) this.#armBufferedTimer()
    if (this.#unsettled.length === 0) {
      if (this.#filling.isEmpty) this.#disarmBufferedTimer()
      this.#armIdleTimer()
    }
  }

  #armBufferedTimer(): void {
    this.#cancelBuffered ??= this.#scheduler.after(this.#options.bufferedIntervalMs, () => {
      this.#cancelBuffered = undefined
      if (this.#failure === undefined && this.#durableSequence < this.lastSequence) this.#ask(level.sync)
    })
  }

  #disarmBufferedTimer(): void {
    this.#cancelBuffered?.()
    this.#cancelBuffered = undefined
  }

  // The timer is not moved at every commit, which would cost more than it is worth: it looks when it fires.
  #armIdleTimer(): void {
    if (!this.#log.wantsTrailer || this.#cancelIdle !== undefined) return
    this.#groupsWhenQuiet = this.#stats.groups
    this.#cancelIdle = this.#scheduler.after(idleMs, () => {
      this.#cancelIdle = undefined
      if (this.#failure !== undefined || this.#closing !== undefined) return
      if (this.#stats.groups !== this.#groupsWhenQuiet) {
        this.#armIdleTimer()
        return
      }
      this.#trailerDue = true
      this.#schedule()
    })
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    const failure = error instanceof Error ? error : new Error(String(error))
    this.#failure = failure
    this.#stopTimers()
    const groups = [...this.#unsettled, ...this.#filling.take()]
    this.#unsettled = []
    for (const group of groups) group.failed((sequence) => indeterminate(sequence, failure))
    this.#options.onFailure?.(failure)
  }

  #stopTimers(): void {
    this.#disarmBufferedTimer()
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
  }

  async #close(): Promise<void> {
    const failedBefore = this.#failure !== undefined
    this.#stopTimers()
    await this.#running
    await this.#trimming
    if (this.#failure === undefined && this.#durableSequence < this.lastSequence) {
      this.#asked = level.sync
      this.#running = this.#commitAll()
      await this.#running
    }
    if (this.#failure === undefined) await this.#log.close()
    else await this.#log.abandon()
    if (this.#failure !== undefined && !failedBefore) throw this.#failure
  }
}
