/** A store, the machine under it, and the history it is compared with: what the commands act on. */
import { expect, vi } from 'vitest'
import type { Change, Store } from '../../src/index.ts'
import { History, type Ending } from './history.ts'
import { Machine, type PowerCut, type Settings } from './machine.ts'
import type { Effect, Level, LongWrite, Query, Write } from './operation.ts'
import {
  brief,
  describeOutcome,
  describeValue,
  type Outcome,
  refusalOf,
  sameState,
  type State,
  stateAt,
} from './state.ts'

/** What a store on a machine in trouble may refuse with. */
const troubleCodes = new Set(['HOLDFAST_IO', 'HOLDFAST_NO_SPACE', 'HOLDFAST_POISONED', 'HOLDFAST_ABORTED'])

/** Records that a store writes by itself where nobody looks: at a checkpoint, and to remove what is past its deadline. */
const ownRecordsMax = 8

/** How a stopped machine starts again: with which settings, and at which of its own calls that is stopped first. */
export interface Restart {
  readonly settings: Settings
  readonly again: readonly { readonly call: number; readonly cut: PowerCut }[]
}

/** Resolves as `work` does, having let the disk do what `work` waits for. */
export type Drive = (work: Promise<void>) => Promise<void>

interface Life {
  readonly store: Store
  readonly settings: Settings
  over: boolean
}

export class World {
  readonly machine: Machine
  readonly history = new History()
  readonly #queries: readonly Query[]
  /** Commands do not wait for what they began, but for what has to be alone. */
  readonly #drive: Drive | undefined
  #life: Life | undefined
  #pending: Promise<void>[] = []
  #failure: Error | undefined
  /** What happens when the machine is found standing. */
  #armed: { cut: PowerCut; restart: Restart } | undefined
  /** Commands that met a poisoned store since it became one. */
  #poisonedFor = 0
  /** The lowest sequence that a read may still show: what was seen stays seen. */
  #seen = 0
  commands = 0
  openings = 0

  /** `drive` keeps the disk going while something waits for it, where that needs doing. */
  constructor(queries: readonly Query[], machine = new Machine(), drive?: Drive) {
    this.#queries = queries
    this.machine = machine
    this.#drive = drive
  }

  get store(): Store {
    return (this.#life as Life).store
  }

  get settings(): Settings {
    return (this.#life as Life).settings
  }

  // ------------------------------------------------------------------ commands

  /** Every command runs in here: on a store that is open, and reporting what went wrong with earlier ones. */
  async command(perform: () => Promise<void>): Promise<void> {
    this.commands++
    const whole = async (): Promise<void> => {
      await this.#recoverIfDown()
      await perform()
    }
    await (this.#drive === undefined ? whole() : this.#drive(whole()))
    this.rethrow()
  }

  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #recoverIfDown(): Promise<void> {
    if (this.machine.stopped) {
      const { cut, restart } = this.#armed as { cut: PowerCut; restart: Restart }
      await this.crash(cut, restart)
    } else if (this.store.status === 'poisoned' && this.#poisonedFor++ >= 3) {
      await this.reopen({ settings: this.settings, again: [] })
    }
  }

  /** Runs `work` now; its end is awaited here, or by a later command. */
  async follow(work: Promise<void>, wait: boolean): Promise<void> {
    const watched = work.catch((error: unknown) => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error))
    })
    this.#pending.push(watched)
    if (wait && this.#drive === undefined) await watched
  }

  /** Everything begun has ended. */
  async settle(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0))
    this.rethrow()
  }

  // ------------------------------------------------------------------ writing

  /** Calls `write` and checks its answer and its place in the history, whenever that comes. */
  write(write: Write): Promise<void> {
    return this.#issue(write.label, write.durability, write.call, (state) => write.effect(state, this.store))
  }

  transact(
    label: string,
    level: Level | undefined,
    call: (store: Store) => Promise<unknown>,
    effect: (state: State) => Effect,
  ) {
    return this.#issue(label, level, call, effect)
  }

  #issue(
    label: string,
    durability: Level | undefined,
    call: (store: Store) => Promise<unknown>,
    effectOn: (state: State) => Effect,
  ): Promise<void> {
    const life = this.#life as Life
    const { store } = life
    const state = this.#latest()
    const level = durability ?? life.settings.durability
    const before = store.lastSequence
    const wasOpen = store.status === 'open'
    const wasCheckpointing = store.stats().checkpointRunning
    const effect = wasOpen ? effectOn(state) : { refused: 'HOLDFAST_POISONED' }
    const promise = outcomeOf(() => call(store))
    const grown = store.lastSequence - before
    if ('refused' in effect) {
      expect(grown, `${label} is refused and yet left a record`).toBe(0)
      return this.#expectRefusal(life, label, promise, effect.refused)
    }
    const changed = !sameState(state, effect.state)
    // A checkpoint that it started may have written one more.
    const own = !wasCheckpointing && store.stats().checkpointRunning ? 1 : 0
    if (grown !== 0 || changed) expect([1, 1 + own], `${label}: records written`).toContain(grown)
    const unchanged = (earlier: State): boolean => {
      const then = stateAt(earlier, this.machine.now)
      const again = effectOn(then)
      return !('refused' in again) && sameState(then, again.state)
    }
    const isRecord = changed || grown > own
    const record = isRecord ? this.history.append(before + 1, effect.state, level) : undefined
    this.#catchUp()
    const rests = record?.sequence ?? this.history.since(unchanged)
    return promise.then((outcome) => {
      if (life.over) return
      if (this.#isTrouble(life, label, outcome)) return
      expect(describeOutcome(outcome), label).toBe(describeValue(effect.answer))
      if (record !== undefined) record.acknowledged = true
      this.history.promise(rests, level)
      if (level === 'sync') {
        expect(store.durableSequence, `${label}: acknowledged before it was durable`).toBeGreaterThanOrEqual(rests)
      }
    })
  }

  async #expectRefusal(life: Life, label: string, promise: Promise<Outcome>, code: string): Promise<void> {
    const outcome = await promise
    if (!life.over) expect(describeOutcome(outcome), label).toBe(`refused with ${code}`)
  }

  /** A refusal for want of a working machine: only then, and only as documented. */
  #isTrouble(life: Life, label: string, outcome: Outcome): boolean {
    if (!('refused' in outcome) || !troubleCodes.has(outcome.refused)) return false
    expect(this.machine.troubled, `${label}: ${outcome.refused} although nothing went wrong`).toBe(true)
    expect(life.store.status, `${label}: ${outcome.refused}`).not.toBe('open')
    return true
  }

  /** Several steps, alone: earlier calls end first, and a checkpoint, whose record would come at any step. */
  async writeAlone({ label, call, effect: effectOn }: LongWrite): Promise<void> {
    await this.settle()
    const life = this.#life as Life
    const { store } = life
    while (store.status === 'open' && !this.machine.stopped && store.stats().checkpointRunning) await turn()
    const state = this.#latest()
    const before = store.lastSequence
    const wasOpen = store.status === 'open'
    const effect = effectOn(state)
    const outcome = await outcomeOf(() => call(store))
    const grown = store.lastSequence - before
    if (!wasOpen) {
      expect(grown, label).toBe(0)
      // It may read before it writes, and is told what that read is told; or find that there is nothing to write.
      const isNothing = !('refused' in effect) && sameState(state, effect.state)
      if (!isNothing || 'refused' in outcome) expect(this.#isTrouble(life, label, outcome), label).toBe(true)
      return
    }
    expect(grown, `${label}: records written`).toBeLessThanOrEqual(2)
    if ('refused' in effect) {
      expect(describeOutcome(outcome), label).toBe(`refused with ${effect.refused}`)
      return
    }
    const level = life.settings.durability
    const record = grown > 0 ? this.history.append(before + 1, effect.state, level) : undefined
    this.#catchUp()
    if (this.machine.stopped || this.#isTrouble(life, label, outcome)) return
    expect(describeOutcome(outcome), label).toBe(describeValue(effect.answer))
    if (record === undefined) {
      expect(sameState(state, effect.state), `${label}: no record`).toBe(true)
      return
    }
    record.acknowledged = true
    this.history.promise(record.sequence, level)
  }

  /** `sync()` and `checkpoint()`: everything so far is durable when they resolve. */
  flush(label: string, call: (store: Store) => Promise<unknown>): Promise<void> {
    const life = this.#life as Life
    const { store } = life
    const wasOpen = store.status === 'open'
    const upTo = store.lastSequence
    return outcomeOf(() => call(store)).then((outcome) => {
      if (life.over) return
      if (!wasOpen) return expect(describeOutcome(outcome), label).toBe('refused with HOLDFAST_POISONED')
      if (this.#isTrouble(life, label, outcome)) return
      expect(outcome, label).toHaveProperty('value')
      expect(store.durableSequence, label).toBeGreaterThanOrEqual(upTo)
      this.history.promise(upTo, 'sync')
    })
  }

  /** What is in the history is everything in the log, the store's own records too. */
  #catchUp(): void {
    this.history.appendOwn(this.store.lastSequence)
  }

  #latest(): State {
    this.#catchUp()
    return this.#view(this.history.state)
  }

  #view(state: State): State {
    return stateAt(state, this.machine.now)
  }

  // ------------------------------------------------------------------ reading

  askSync({ label, askSync, expected }: Query): void {
    if (askSync === undefined) return
    const answered = outcomeOfSync(() => askSync(this.store))
    expect(brief(describeOutcome(answered)), `${label}, synchronous`).toBe(
      brief(describeOutcome(outcomeOfSync(() => expected(this.#view(this.history.state))))),
    )
  }

  /**
   * A promised read: what it answers was so at one moment between the call and the return, and the write that made
   * it so is acknowledged.
   */
  async ask(query: Query): Promise<void> {
    const { ask } = query
    if (ask === undefined) return this.askSync(query)
    const life = this.#life as Life
    const { store } = life
    const wasOpen = store.status === 'open'
    const from = wasOpen ? this.history.lastSequence : this.history.acknowledgedSequence
    const floor = Math.max(this.history.acknowledgedSequence, this.#seen)
    return outcomeOf(() => ask(store)).then(async (outcome) => {
      if (life.over || this.#isReadTrouble(life, query.label, outcome)) return
      await this.#checkShown(query, describeOutcome(outcome), store.status === 'open' ? from : floor)
    })
  }

  async #checkShown({ label, expected }: Query, shown: string, from: number): Promise<void> {
    const { history } = this
    const answers = (sequence: number): boolean =>
      describeOutcome(outcomeOfSync(() => expected(this.#view(history.stateAt(sequence))))) === shown
    let sequence = Math.max(from, history.baseSequence)
    while (sequence < history.lastSequence && !answers(sequence)) sequence++
    if (!answers(sequence)) {
      const now = describeOutcome(outcomeOfSync(() => expected(this.#view(history.state))))
      expect(brief(shown), `${label} between record ${from} and ${history.lastSequence}`).toBe(brief(now))
      expect(shown, label).toBe(now)
    }
    this.#seen = Math.max(this.#seen, sequence)
    while (sequence > history.baseSequence && answers(sequence - 1)) sequence--
    const record = history.record(sequence)
    if (record === undefined || record.level === 'buffered' || record.sequence <= this.store.durableSequence) return
    // Its own promise may resolve a few microtasks after the one of the read.
    for (let i = 0; i < 100 && !record.acknowledged; i++) await Promise.resolve()
    if (record.level === 'os' && this.store.stats().writersWaiting > 0) return
    expect(record.acknowledged, `${label} shows record ${sequence}, which is not acknowledged`).toBe(true)
  }

  #isReadTrouble(life: Life, label: string, outcome: Outcome): boolean {
    if (!('refused' in outcome) || !troubleCodes.has(outcome.refused)) return false
    expect(this.machine.troubled, `${label}: ${outcome.refused} although nothing went wrong`).toBe(true)
    expect(life.store.status, label).not.toBe('closed')
    return true
  }

  /** Everything that can be asked, both ways, and the store's own opinion. */
  async assertHolds(context: string): Promise<void> {
    for (const query of this.#queries) {
      this.askSync(query)
      await this.ask(query)
    }
    await this.verify(context)
  }

  // ------------------------------------------------------------------ starting and stopping

  async start(settings: Settings): Promise<void> {
    this.#begin(await this.machine.open(settings), settings)
  }

  /** Closes, which must work whatever happened, and opens a machine on which nothing fails any more. */
  async reopen(restart: Restart): Promise<void> {
    await this.settle()
    const life = this.#life as Life
    const wasPoisoned = life.store.status === 'poisoned'
    const outcome = await outcomeOf(() => life.store.close())
    const works = !('refused' in outcome)
    if (this.machine.stopped) {
      const { cut } = this.#armed as { cut: PowerCut }
      return this.crash(cut, restart)
    }
    if (!works) {
      expect(wasPoisoned, 'closing a poisoned store just lets go').toBe(false)
      expect(this.machine.troubled, `close: ${JSON.stringify(outcome)} although nothing went wrong`).toBe(true)
    }
    life.over = true
    this.machine.heal()
    await this.#openAgain(works && !wasPoisoned ? 'closed' : 'process died', restart)
  }

  /** Whatever goes on now, the machine stops. */
  async crash(cut: PowerCut, restart: Restart): Promise<void> {
    const life = this.#life as Life
    life.over = true
    await this.#cut(cut)
    // What the dead one still had in hand ends in errors that nobody is told.
    life.store.close().catch(() => undefined)
    this.#pending = []
    this.rethrow()
    await this.#openAgain(cut.mode === 'all' ? 'process died' : 'power cut', restart)
  }

  arm(cut: PowerCut, restart: Restart): void {
    this.#armed = { cut, restart }
  }

  async #cut(cut: PowerCut): Promise<void> {
    this.machine.cutPower(cut)
    if (cut.mode !== 'all') this.history.powerWasCut()
  }

  async #openAgain(firstEnding: Ending, { settings, again }: Restart): Promise<void> {
    let ending = firstEnding
    let stops = 0
    for (const { call, cut } of again) {
      this.machine.stopAfterCalls(call)
      const opened = await outcomeOf(() => this.machine.open(settings))
      if (this.machine.stopped) {
        stops++
        await this.#cut(cut)
        if (cut.mode !== 'all') ending = 'power cut'
        else if (ending === 'closed') ending = 'process died'
        continue
      }
      this.machine.heal()
      expect(opened, 'opening').toHaveProperty('value')
      return this.#found((opened as { value: Store }).value, settings, ending, stops)
    }
    await this.#found(await this.machine.open(settings), settings, ending, stops)
  }

  /** `stops`: of openings before, of which each may have left a record of its own in place of one that was lost. */
  async #found(store: Store, settings: Settings, ending: Ending, stops: number): Promise<void> {
    const { history } = this
    const end = store.recovery.lastSequence
    const recovered =
      stops === 0 ? end : await this.#replacedSince(store, end, Math.max(end - stops, history.floor(ending)))
    expect(recovered, `after ${ending}: acknowledged records are lost`).toBeGreaterThanOrEqual(history.floor(ending))
    expect(recovered, `after ${ending}: records that nobody wrote`).toBeLessThanOrEqual(
      history.lastSequence + ownRecordsMax,
    )
    history.appendOwn(recovered)
    history.collapse(recovered)
    history.appendOwn(end)
    this.#begin(store, settings)
    await this.assertHolds(`after ${ending}, recovered up to ${recovered}`)
  }

  /** The last record that is as the history has it, if that can be seen; else `end`. */
  async #replacedSince(store: Store, end: number, least: number): Promise<number> {
    const { history } = this
    for (let sequence = Math.min(end, history.lastSequence); sequence >= least; sequence--) {
      const state = this.#view(history.stateAt(sequence))
      if (await this.#answersAs(store, state)) return sequence
    }
    return end
  }

  async #answersAs(store: Store, state: State): Promise<boolean> {
    for (const { ask, askSync, expected } of this.#queries) {
      const wanted = describeOutcome(outcomeOfSync(() => expected(state)))
      const call = ask ?? askSync
      if (call === undefined) continue
      if (describeOutcome(await outcomeOf(async () => call(store))) !== wanted) return false
    }
    return true
  }

  #begin(store: Store, settings: Settings): void {
    expect(store.recovery.epoch, 'each opening has an epoch of its own').toBeGreaterThan(this.history.epoch)
    this.history.epoch = store.recovery.epoch
    this.#life = { store, settings, over: false }
    this.#armed = undefined
    this.#poisonedFor = 0
    this.#seen = this.history.baseSequence
    this.openings++
  }

  /** A store that was closed is opened on a damaged copy of the machine: refused, or never another answer. */
  async damage(choice: number, share: number, mask: number): Promise<void> {
    await this.reopen({ settings: this.settings, again: [] })
    const life = this.#life as Life
    await life.store.close()
    life.over = true
    this.#catchUp()
    const { where, open } = this.machine.damagedCopy(choice, share, mask)
    const opened = await open(life.settings).catch((error: unknown) => {
      assertDamageCode(error, where)
      return undefined
    })
    if (opened !== undefined) {
      expect(opened.lastSequence, `${where} damaged: records are gone`).toBe(this.history.lastSequence)
      await this.#assertNothingElse(opened, where)
      await opened.close().catch((error: unknown) => assertDamageCode(error, where))
    }
    await this.#openAgain('closed', { settings: life.settings, again: [] })
  }

  async #assertNothingElse(store: Store, where: string): Promise<void> {
    const differing: string[] = []
    for (const query of this.#queries) {
      const { ask } = query
      if (ask === undefined) continue
      const outcome = await outcomeOf(() => ask(store))
      const expected = describeOutcome(outcomeOfSync(() => query.expected(this.#view(this.history.state))))
      if ('refused' in outcome && describeOutcome(outcome) !== expected) {
        expect(damageCodes.has(outcome.refused), `${where} damaged, ${query.label}: ${outcome.refused}`).toBe(true)
        differing.push(query.label)
      } else expect(brief(describeOutcome(outcome)), `${where} damaged, ${query.label}`).toBe(brief(expected))
    }
    const report = await outcomeOf(() => store.verify())
    const found = 'refused' in report || !(report.value as { ok: boolean }).ok
    if (differing.length > 0) expect(found, `${where} damaged, ${differing[0]} refused: verify`).toBe(true)
  }

  /** The store's own opinion, when nothing is under way. */
  async verify(context = 'verify'): Promise<void> {
    const outcome = await outcomeOf(() => this.store.verify())
    if ('refused' in outcome) {
      this.#isReadTrouble(this.#life as Life, 'verify', outcome)
      return
    }
    const { problems } = outcome.value as { problems: readonly { code: string }[] }
    const unexpected = problems.filter(({ code }) => !(this.machine.troubled && code === 'log-unreadable'))
    expect(unexpected, context).toEqual([])
  }

  /** Changes from somewhere in the log up to now: one for each sequence, with what changed between its states. */
  async watch(share: number): Promise<void> {
    await this.settle()
    const { store, history } = this
    this.#catchUp()
    const last = store.lastSequence
    const from = Math.max(1, Math.ceil(share * last))
    if (store.status !== 'open' || last === 0) return
    const outcome = await outcomeOf(async () => {
      let expected = from
      for await (const change of store.watch({ from })) {
        expect(change.sequence, 'sequence of a change').toBe(expected)
        if (expected > history.baseSequence) assertChange(history, change)
        if (expected++ >= last) return
      }
    })
    if (!('refused' in outcome)) return
    if (outcome.refused === 'HOLDFAST_WATCH_LOST') {
      expect(from, 'a change that no checkpoint has is in the log').toBeLessThanOrEqual(
        store.stats().checkpointSequence,
      )
    } else expect(this.#isReadTrouble(this.#life as Life, 'watch', outcome), `watch: ${outcome.refused}`).toBe(true)
  }

  /** The wall clock goes on: deadlines come. Nothing is under way, so that every answer is of one time. */
  async elapse(milliseconds: number): Promise<void> {
    await this.settle()
    this.machine.now += milliseconds
  }

  /** Time passes for the log's timers, and what they begin goes on. */
  async pass(milliseconds: number): Promise<void> {
    vi.advanceTimersByTime(milliseconds)
    await turn()
  }

  /** The last word of a run: everything ends, the power fails once more, then the store is closed and opened. */
  async finish(cut: PowerCut, settings: Settings): Promise<void> {
    await this.#recoverIfDown()
    if (!this.machine.stopped) await this.settle()
    await this.crash(cut, { settings, again: [] })
    await this.reopen({ settings, again: [] })
    await this.store.close()
  }
}

/** Everything that differs between two states is named by the change that led from one to the other. */
function assertChange(history: History, { sequence, writes }: Change): void {
  const [before, after] = [history.stateAt(sequence - 1), history.stateAt(sequence)]
  const named = new Set(writes.map((write) => describeValue(write)))
  for (const item of differences(before, after)) {
    expect(named, `the change of record ${sequence}`).toContain(describeValue(item))
  }
}

function* differences(before: State, after: State): Generator {
  for (const id of changedKeys(before.contents, after.contents)) {
    yield { type: 'content', id, removed: !after.contents.has(id) }
  }
  for (const address of changedKeys(before.locations, after.locations)) {
    yield { type: 'location', address, id: after.locations.get(address) }
  }
  for (const process of changedKeys(before.slots, after.slots)) {
    const slots = after.slots.get(process) ?? new Map<number, { id: string }>()
    for (const slot of changedKeys(before.slots.get(process) ?? new Map(), slots)) {
      yield { type: 'assignment', process, slot, id: slots.get(slot)?.id }
    }
  }
}

function changedKeys<K, V>(before: ReadonlyMap<K, V>, after: ReadonlyMap<K, V>): K[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key))
}

const damageCodes = new Set(['HOLDFAST_CORRUPT', 'HOLDFAST_FORMAT_UNSUPPORTED', 'HOLDFAST_MISSING_CONTENT'])

function assertDamageCode(error: unknown, where: string): void {
  expect(damageCodes.has(refusalOf(error)), `${where} damaged: ${String(error)}`).toBe(true)
}

export function turn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume))
}

function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  const failed = (error: unknown): Outcome => ({ refused: refusalOf(error) })
  try {
    return call().then((value) => ({ value }), failed)
  } catch (error) {
    return Promise.resolve(failed(error))
  }
}

function outcomeOfSync(call: () => unknown): Outcome {
  try {
    return { value: call() }
  } catch (error) {
    return { refused: refusalOf(error) }
  }
}
