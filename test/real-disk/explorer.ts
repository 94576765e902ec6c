/** Crashes a volume in every way, opens each different thing that is left once, and keeps the strictest demand on it. */
import { join } from 'node:path'
import { checkTree, treeKey, type Verdict } from './checked-tree.ts'
import { crash, type Cut, cuts, isDurable, seededCuts } from './power-cut.ts'
import type { DirectoryNode, Tree } from './volume.ts'

/** The last records that were acknowledged: those that a kill must leave, and those that a power cut must. */
export interface Told {
  kill: number
  powerCut: number
}

interface State {
  acknowledged: number
  /** The crash that made the strictest demand. */
  context: string
  verdict: Verdict | undefined
}

export interface ExplorerOptions {
  readonly directory: string
  /** How many different crashes of each kind that has many. */
  readonly seeds: number
  readonly firstSeed: number
  readonly cuts?: readonly Cut[]
}

// Opening a store mostly waits for other threads.
const checksAtOnce = 5

export class Explorer {
  readonly #options: ExplorerOptions
  readonly #states = new Map<string, State>()
  readonly #checks = new Set<Promise<void>>()
  #crashes = 0

  constructor(options: ExplorerOptions) {
    this.#options = options
  }

  /** Different trees that were opened. */
  get states(): number {
    return this.#states.size
  }

  /** Crashes that made them. */
  get crashes(): number {
    return this.#crashes
  }

  async crash(volume: DirectoryNode, told: Told, context: string): Promise<void> {
    const { seeds, firstSeed } = this.#options
    const wanted = this.#options.cuts ?? cuts
    // With everything durable every cut leaves the same.
    for (const cut of isDurable(volume) ? wanted.slice(0, 1) : wanted) {
      for (let i = 0; i < (seededCuts.has(cut) ? seeds : 1); i++) {
        const seed = (firstSeed + i) * 100_003 + this.#crashes
        const tree = crash(volume, cut, seed)
        if (tree === undefined) continue
        this.#crashes++
        const acknowledged = cut === 'kill' ? told.kill : told.powerCut
        await this.demand(tree, acknowledged, `${context}, ${cut}, seed ${seed}`)
      }
    }
  }

  /** Demands that a store in this tree holds everything up to the acknowledged record. */
  async demand(tree: Tree, acknowledged: number, context: string): Promise<void> {
    const key = treeKey(tree)
    const state = this.#states.get(key)
    if (state === undefined) {
      const fresh: State = { acknowledged, context, verdict: undefined }
      this.#states.set(key, fresh)
      await this.#check(tree, fresh)
    } else if (acknowledged > state.acknowledged) {
      state.acknowledged = acknowledged
      state.context = context
    }
  }

  /** What is wrong with the states; when all of them were looked at. */
  async failures(): Promise<string[]> {
    await Promise.all(this.#checks)
    return [...this.#states.values()].flatMap(({ acknowledged, context, verdict }) => {
      const { last = acknowledged, wrong = ['was not looked at'] } = verdict ?? {}
      const lost = last < acknowledged ? [`record ${acknowledged} was acknowledged, the last found is ${last}`] : []
      return [...wrong, ...lost].map((text) => `${context}: ${text}`)
    })
  }

  /** In how many states something acknowledged cannot be had: the record is missing, or the store cannot be opened. */
  async lostStates(): Promise<number> {
    await Promise.all(this.#checks)
    const lost = [...this.#states.values()].filter(
      ({ acknowledged, verdict }) => acknowledged > 0 && (verdict?.last ?? 0) < acknowledged,
    )
    return lost.length
  }

  /** The last record in a tree that was demanded. */
  async lastIn(tree: Tree): Promise<number> {
    await Promise.all(this.#checks)
    const { verdict, context } = this.#states.get(treeKey(tree)) ?? {}
    if (verdict?.last === undefined) throw new Error(`${context}: ${verdict?.wrong.join()}`)
    return verdict.last
  }

  async #check(tree: Tree, state: State): Promise<void> {
    const number = this.#states.size
    const check = checkTree(tree, join(this.#options.directory, `state-${number}`), number % 8 === 0).then(
      (verdict) => {
        state.verdict = verdict
        this.#checks.delete(check)
      },
    )
    this.#checks.add(check)
    if (this.#checks.size >= checksAtOnce) await Promise.race(this.#checks)
  }
}
