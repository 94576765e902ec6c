import { Prng } from '../base/index.ts'

type Style = 'even' | 'mostly-kept' | 'mostly-lost' | 'cut-off'

const styles: readonly Style[] = ['even', 'mostly-kept', 'mostly-lost', 'cut-off']
const chanceToKeep: Readonly<Record<Style, number>> = {
  even: 0.5,
  'mostly-kept': 0.9,
  'mostly-lost': 0.1,
  'cut-off': 1,
}
const chanceOfCut = 0.15

/**
 * Decides what an unsynced change meets in a crash. Independent coins alone would almost never lose one change out of
 * fifty, or keep a clean prefix; the seed therefore first picks a style.
 */
export class CrashLuck {
  readonly #random: Prng
  readonly #style: Style
  #cut = false

  constructor(seed: number) {
    this.#random = new Prng(seed)
    this.#style = styles[this.#random.below(styles.length)] ?? 'even'
  }

  keeps(): boolean {
    if (this.#style === 'cut-off' && this.#random.next() < chanceOfCut) this.#cut = true
    return !this.#cut && this.#random.next() < chanceToKeep[this.#style]
  }

  /** Whether a write reaches the disk sector by sector, each with luck of its own, instead of as a whole. */
  tears(): boolean {
    return this.#random.next() < 0.5
  }
}
