import type { Clock } from '../base/index.ts'

/** A sync that takes longer is not worth blocking the calling thread for, milliseconds. */
const directSyncMsMax = 1
/** The estimate of the median moves by so much with each sync: one slow sync among quick ones says little about the next. */
const medianStep = 1.1
/** Averages follow the last eight syncs or so. */
const weight = 1 / 8
/** Groups of this size gain nothing from prepared files that pays for filling them with zeros. */
const smallSyncBytesMax = 512 * 1024

/** What recent syncs were like; decides how the next one is done, never whether. */
export class SyncPace {
  /** Records of the group synced last. */
  lastGroup = 0
  readonly #clock: Clock
  #started = 0
  #medianMs = 0
  #averageBytes = 0
  #recentRecords = 0
  #measured = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(): void {
    this.#started = this.#clock.monotonic()
  }

  end(records: number, bytes: number): void {
    const share = this.#measured ? weight : 1
    this.#measured = true
    const elapsedMs = this.#clock.monotonic() - this.#started
    if (share === 1) this.#medianMs = elapsedMs
    else this.#medianMs *= elapsedMs > this.#medianMs ? medianStep : 1 / medianStep
    this.#averageBytes += (bytes - this.#averageBytes) * share
    this.#recentRecords = Math.max(records, Math.floor(this.#recentRecords / 2))
    this.lastGroup = records
  }

  /** Whether writers have been coming one at a time, to a device quick enough to wait for on the spot. */
  get favoursDirect(): boolean {
    return this.#recentRecords <= 1 && this.#medianMs < directSyncMsMax
  }

  get smallSyncs(): boolean {
    return this.#averageBytes <= smallSyncBytesMax
  }
}
