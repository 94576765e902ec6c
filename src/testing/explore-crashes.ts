import { Prng } from '../base/index.ts'
import {
  CrashCaseFailed,
  type CrashCase,
  type CrashCut,
  describeCase,
  formatCase,
  luckOf,
  parseCase,
} from './explore-crashes-case.ts'
import { blank, CrashLife, type CrashMoment, type CrashState, crashed } from './explore-crashes-life.ts'
import { shortest } from './explore-crashes-shrink.ts'
import type { CrashExplorationOptions, CrashReport, CrashWorkload, Found } from './explore-crashes-types.ts'
import type { CrashMode } from './simulated-disk.ts'

const shrinkStatesDefault = 2000
/** Of the moments of one shorter life so many are tried: more lives are worth more than every moment of a few. */
const shrinkMoments = 40
const allModes: readonly CrashMode[] = ['strict', 'all', 'subset', 'directory-first']
const everyCall = (): boolean => true

/** How a crash can go: what survives, and at which size writes tear. */
type Variant = Omit<CrashCut, 'call'>

/**
 * Cuts the power at every call that the storage makes to the file system, in every way, and asks each time whether it
 * kept its promises: recovers, checks, lets it go on, cuts the power again, recovers and checks again. Deterministic
 * as far as the storage is: give it no real clock and no real timers.
 *
 * Resolves to what was done. Rejects with `CrashCaseFailed`, which prints the case and its steps, and the command that
 * brings it back, for the first promise that was broken; with an `Error` for a workload that cannot find anything: it
 * does nothing, or its check accepts a disk that has lost everything.
 */
export async function exploreCrashes<Storage, Model, Step, Companion = undefined>(
  workload: CrashWorkload<Storage, Model, Step, Companion>,
  options: CrashExplorationOptions = {},
): Promise<CrashReport> {
  const explorer = new Explorer(workload, options)
  if (options.replay !== undefined) return explorer.replay(parseCase(options.replay))
  return explorer.explore()
}

class Explorer<Storage, Model, Step, Companion> {
  readonly #workload: CrashWorkload<Storage, Model, Step, Companion>
  readonly #options: CrashExplorationOptions
  readonly #variants: readonly Variant[]
  readonly #report = { seeds: 0, calls: 0, states: 0, recoveryStates: 0 }
  /** How long lives after a crash are: where to cut them. */
  #secondLifeCalls = 1
  /** The check was seen to refuse something. */
  #checkCanFail = false

  constructor(workload: CrashWorkload<Storage, Model, Step, Companion>, options: CrashExplorationOptions) {
    this.#workload = workload
    this.#options = options
    this.#variants = variantsOf(options)
  }

  async explore(): Promise<CrashReport> {
    const { seeds = 1, firstSeed = 1 } = this.#options
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        await this.#seed(seed)
      } catch (error) {
        throw error instanceof CrashCaseFailed ? await this.#shrunk(error) : error
      }
    }
    if (!this.#checkCanFail) throw new Error('the check accepts a disk that lost everything: it would never fail')
    return { ...this.#report }
  }

  /** One case and nothing else. */
  async replay(wanted: CrashCase): Promise<CrashReport> {
    const { seed, first, recovery, again } = wanted
    const moments = await this.#firstLife(wanted, first === undefined ? () => false : (call) => call === first.call)
    this.#report.seeds += 1
    const moment = moments[0]
    if (first === undefined || moment === undefined) return { ...this.#report }
    const cut = { ...first, call: moment.call }
    if (recovery === undefined) await this.#goOn({ ...wanted, first: cut }, moment, again)
    else {
      const found = await this.#goOn({ seed, first: cut, ...stepsOf(wanted) }, moment, undefined)
      await this.#cutRecovery({ seed, first: cut, ...stepsOf(wanted) }, moment, found, () => recovery)
    }
    return { ...this.#report }
  }

  async #seed(seed: number): Promise<void> {
    const moments = await this.#firstLife({ seed }, everyCall)
    this.#report.seeds += 1
    this.#report.calls += moments.length - 1
    await this.#seeCheckFail(seed, moments.at(-1) as CrashMoment<Model, Companion>)
    await this.#crashes({ seed }, moments)
  }

  /** Every crash of a first life, or as many as are wanted. */
  async #crashes(life: CrashCase, moments: readonly CrashMoment<Model, Companion>[]): Promise<void> {
    const { statesPerSeed, recoveriesPerSeed, depth = 1 } = this.#options
    const random = new Prng(life.seed)
    const states = each(moments, this.#variants)
    const chosen = spread(states, statesPerSeed, random)
    const recoveries = new Set(depth === 2 ? spread(chosen, recoveriesPerSeed, random) : [])
    for (const state of chosen) {
      const { moment, variant } = state
      const one = { ...life, first: { ...variant, call: moment.call } }
      const found = await this.#goOn(one, moment, this.#againAt(one))
      if (recoveries.has(state)) await this.#cutRecovery(one, moment, found, (call) => this.#variantAt(one, call))
    }
  }

  /** A whole life from an empty disk on; answers its moments, of which the last is its end when that is wanted. */
  async #firstLife(
    life: CrashCase,
    wanted: (call: number) => boolean,
  ): Promise<readonly CrashMoment<Model, Companion>[]> {
    const steps = this.#stepsOf(life)
    const state = blank(this.#workload, this.#workload.model())
    const first = new CrashLife(this.#workload, state, wanted)
    try {
      await first.open()
      await first.work(steps)
      await first.close()
    } catch (error) {
      await first.abandon()
      throw this.#failed({ seed: life.seed, ...stepsOf(life) }, undefined, error)
    }
    const end = first.end()
    await first.abandon()
    if (steps.length === 0 || first.changes === 0)
      throw new Error(`the workload of seed ${life.seed} does nothing: no steps, or no call that changes the disk`)
    // A cut beyond the end of a life is one at its end.
    return first.moments.length > 0 && !wanted(end.call) ? first.moments : [...first.moments, end]
  }

  /** After one crash: recovers, checks, goes on; then, when `again` is given, crashes, recovers and checks again. */
  async #goOn(one: CrashCase, moment: CrashMoment<Model, Companion>, again: CrashCut | undefined): Promise<Found> {
    const { seed, first } = one
    const state = crashed(this.#workload, moment, seed, first as CrashCut)
    const life = new CrashLife(this.#workload, state)
    let found: Found
    let end: CrashMoment<Model, Companion>
    let checked = false
    try {
      await life.open()
      found = await life.check()
      this.#report.states += 1
      checked = true
      life.want((call) => call === again?.call)
      if (again === undefined) return found
      await life.work(this.#workload.steps(new Prng(luckOf(seed, first as CrashCut)), 2))
      await life.close()
      this.#secondLifeCalls = life.calls
      end = life.end()
    } catch (error) {
      // To see a failure of the life that goes on, it must go on.
      throw this.#failed(checked && again !== undefined ? { ...one, again } : one, moment.what, error)
    } finally {
      await life.abandon()
    }
    const { call } = life.moments[0] ?? end
    const last = { ...one, again: { ...again, call } }
    await this.#recoverOnce(last, moment.what, crashed(this.#workload, life.moments[0] ?? end, seed, last.again))
    this.#report.states += 1
    return found
  }

  /** Cuts off the recovery after a crash, at each of its calls or at the one that is asked for. */
  async #cutRecovery(
    one: CrashCase,
    moment: CrashMoment<Model, Companion>,
    found: Found,
    cutAt: (call: number) => CrashCut,
  ): Promise<void> {
    const { seed, first } = one
    const recovering = new CrashLife(this.#workload, crashed(this.#workload, moment, seed, first as CrashCut), (call) =>
      isAt(cutAt(call), call),
    )
    await recovering.open()
    const moments = [...recovering.moments]
    const end = recovering.end()
    if (isAt(cutAt(end.call), end.call)) moments.push(end)
    await recovering.abandon()
    for (const stopped of moments) {
      const cut = cutAt(stopped.call)
      const state = crashed(this.#workload, stopped, seed, cut)
      const later = await this.#recoverOnce({ ...one, recovery: cut }, moment.what, state)
      this.#report.recoveryStates += 1
      // What only the page cache has after a kill, a power cut may still take.
      const same = first?.mode !== 'all' || cut.mode === 'all'
      if (same && later !== found) {
        const error = new Error(`a recovery that was cut off led to ${String(later)}, a whole one to ${String(found)}`)
        throw this.#failed({ ...one, recovery: cut }, moment.what, error)
      }
    }
  }

  async #recoverOnce(one: CrashCase, what: string, state: CrashState<Model, Companion>): Promise<Found> {
    const life = new CrashLife(this.#workload, state)
    try {
      await life.open()
      return await life.check()
    } catch (error) {
      throw this.#failed(one, what, error)
    } finally {
      await life.abandon()
    }
  }

  /** A check that accepts an empty disk after a whole life can find nothing, unless that life acknowledged nothing. */
  async #seeCheckFail(seed: number, end: CrashMoment<Model, Companion>): Promise<void> {
    if (this.#checkCanFail) return
    const { model } = crashed(this.#workload, end, seed, { call: end.call, mode: 'all', tearBytes: 512 })
    const life = new CrashLife(this.#workload, { ...blank(this.#workload, model), modes: ['strict'] })
    try {
      await life.open()
      await life.check()
    } catch {
      this.#checkCanFail = true
    } finally {
      await life.abandon()
    }
  }

  #againAt({ seed, first }: CrashCase): CrashCut {
    const random = new Prng(luckOf(seed, first as CrashCut) + 1)
    const call = 1 + random.below(this.#secondLifeCalls + 1)
    return { call, ...(this.#variants[random.below(this.#variants.length)] as Variant) }
  }

  #variantAt({ seed, first }: CrashCase, call: number): CrashCut {
    const index = (call + luckOf(seed, first as CrashCut)) % this.#variants.length
    return { call, ...(this.#variants[index] as Variant) }
  }

  #stepsOf({ seed, steps: taken }: CrashCase): readonly Step[] {
    const steps = this.#workload.steps(new Prng(seed), 1)
    return taken === undefined ? steps : steps.filter((_step, index) => taken.includes(index))
  }

  #failed(one: CrashCase, what: string | undefined, cause: unknown): CrashCaseFailed {
    const steps = this.#stepsOf(one).map((step) => this.#workload.describeStep?.(step) ?? JSON.stringify(step))
    const spec = formatCase(one)
    return new CrashCaseFailed(one, describeCase(one, what), steps, this.#options.replayCommand?.(spec) ?? spec, cause)
  }

  /** A failure of the same workload that is easier to look at: one crash instead of two, and fewer steps before it. */
  async #shrunk(failure: CrashCaseFailed): Promise<CrashCaseFailed> {
    const { shrinkStates = shrinkStatesDefault } = this.#options
    const { seed, first, recovery, again } = failure.case
    const all = this.#workload.steps(new Prng(seed), 1).map((_step, index) => index)
    let left = shrinkStates / 2
    const twice = recovery !== undefined || again !== undefined
    const once = twice ? await this.#failing(failure, {}, this.#variants, all, () => left-- > 0) : undefined
    const shown = once ?? failure
    const same = first === undefined ? [] : [shown.case.first ?? first]
    return shortest(shown, all, Math.floor(shrinkStates / 2), (steps, budget) =>
      this.#failing(failure, shown.case, same, steps, budget),
    )
  }

  /** The first failure of the life with these steps alone, crashed at each of its calls and then as `further` was. */
  async #failing(
    failure: CrashCaseFailed,
    { recovery, again }: Pick<CrashCase, 'recovery' | 'again'>,
    variants: readonly Variant[],
    steps: readonly number[],
    budget: () => boolean,
  ): Promise<CrashCaseFailed | undefined> {
    const { seed } = failure.case
    try {
      const moments = await this.#firstLife({ seed, steps }, everyCall)
      // Late ones first: most promises are broken long after the steps that do it.
      const tried = spread(moments, shrinkMoments, new Prng(seed)).toReversed()
      for (const { moment, variant } of each(tried, variants)) {
        if (!budget()) return undefined
        const one = { seed, steps, first: { ...variant, call: moment.call } }
        const found = await this.#goOn(one, moment, again === undefined ? undefined : this.#againAt(one))
        if (recovery !== undefined) await this.#cutRecovery(one, moment, found, (call) => ({ ...recovery, call }))
      }
    } catch (error) {
      // A step may fail because it makes no sense without those left out: that is another failure.
      if (error instanceof CrashCaseFailed && isLike(error, failure)) return error
    }
    return undefined
  }
}

/** After a crash any broken promise will do; without one, only the same complaint. */
function isLike(one: CrashCaseFailed, other: CrashCaseFailed): boolean {
  if (one.case.first !== undefined && other.case.first !== undefined) return true
  const [text, otherText] = [one, other].map(({ message }) => message.split('\n')[0]?.replaceAll(/[0-9]+/g, ''))
  return one.case.first === other.case.first && text === otherText
}

function each<T>(moments: readonly T[], variants: readonly Variant[]): { moment: T; variant: Variant }[] {
  return moments.flatMap((moment) => variants.map(({ mode, tearBytes }) => ({ moment, variant: { mode, tearBytes } })))
}

function variantsOf({ modes = allModes, tearBytes = [512, 4096] }: CrashExplorationOptions): Variant[] {
  return modes.flatMap((mode) => {
    // Nothing tears where nothing is lost, or all of it.
    const sizes = mode === 'strict' || mode === 'all' ? tearBytes.slice(0, 1) : tearBytes
    return sizes.map((bytes) => ({ mode, tearBytes: bytes }))
  })
}

/** So many of the items, evenly spread, in order, and among them the last: what is closed must stay. */
function spread<T>(items: readonly T[], count: number | undefined, random: Prng): readonly T[] {
  if (count === undefined || count >= items.length) return items
  const width = (items.length - 1) / (count - 1)
  const picked = Array.from({ length: count - 1 }, (_, i) => items[Math.floor((i + random.next()) * width)] as T)
  return [...picked, items.at(-1) as T]
}

function isAt(cut: CrashCut, call: number): boolean {
  return cut.call === call
}

function stepsOf({ steps }: CrashCase): Pick<CrashCase, 'steps'> {
  return steps === undefined ? {} : { steps }
}
