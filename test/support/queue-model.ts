/** What a queue must hold, in plain arrays: where each item is, and in which order they come out. */
export interface LeasedItem {
  readonly value: string
  readonly deliveries: number
  readonly deadline: number
}

export interface ReturnedItem {
  readonly value: string
  readonly deliveries: number
  readonly at: number
}

export interface QueueState {
  readonly fresh: readonly string[]
  readonly returned: readonly ReturnedItem[]
  /** In order of leasing. */
  readonly leased: readonly LeasedItem[]
  readonly dead: readonly string[]
}

export const emptyQueue: QueueState = { fresh: [], returned: [], leased: [], dead: [] }

export function isEmpty({ fresh, returned, leased, dead }: QueueState): boolean {
  return fresh.length + returned.length + leased.length + dead.length === 0
}

/** Leases that have run out, the first to do so first. */
function lapsed({ leased }: QueueState, now: number, fits: (item: LeasedItem) => boolean): LeasedItem[] {
  return leased.filter((item) => item.deadline <= now && fits(item)).sort((a, b) => a.deadline - b.deadline)
}

const due = (state: QueueState, now: number, max: number): LeasedItem[] =>
  lapsed(state, now, ({ deliveries }) => deliveries < max)
const spent = (state: QueueState, now: number, max: number): LeasedItem[] =>
  lapsed(state, now, ({ deliveries }) => deliveries >= max)

/** What is next, out of which part. */
export function headOf(
  state: QueueState,
  now: number,
  max: number,
): { readonly value: string; readonly from: 'returned' | 'leased' | 'fresh' } | undefined {
  const [back] = state.returned
  const [lost] = due(state, now, max)
  if (back !== undefined && (lost === undefined || back.at <= lost.deadline))
    return { value: back.value, from: 'returned' }
  if (lost !== undefined) return { value: lost.value, from: 'leased' }
  const [value] = state.fresh
  return value === undefined ? undefined : { value, from: 'fresh' }
}

export function deadIn(state: QueueState, now: number, max: number): string[] {
  return [...state.dead, ...spent(state, now, max).map(({ value }) => value)]
}

/** Whenever the next item is looked for, those that died of themselves are put in their place. */
function buried(state: QueueState, now: number, max: number): QueueState {
  const gone = spent(state, now, max)
  if (gone.length === 0) return state
  return {
    ...state,
    leased: state.leased.filter((item) => !gone.includes(item)),
    dead: [...state.dead, ...gone.map(({ value }) => value)],
  }
}

export function takeFrom(
  before: QueueState,
  now: number,
  max: number,
): { readonly state: QueueState; readonly item: { readonly value: string; readonly deliveries: number } | undefined } {
  const state = buried(before, now, max)
  const head = headOf(state, now, max)
  if (head === undefined) return { state, item: undefined }
  if (head.from === 'fresh')
    return { state: { ...state, fresh: state.fresh.slice(1) }, item: { value: head.value, deliveries: 0 } }
  if (head.from === 'returned')
    return { state: { ...state, returned: state.returned.slice(1) }, item: state.returned[0] }
  const [item] = due(state, now, max)
  return { state: { ...state, leased: state.leased.filter((other) => other !== item) }, item }
}

/** Everything that can be taken, in that order. */
export function availableIn(state: QueueState, now: number, max: number): string[] {
  const values: string[] = []
  for (let rest = state; ; ) {
    const { state: after, item } = takeFrom(rest, now, max)
    if (item === undefined) return values
    values.push(item.value)
    rest = after
  }
}

export function leaseFrom(
  before: QueueState,
  now: number,
  max: number,
  leaseMs: number,
): { readonly state: QueueState; readonly item: LeasedItem | undefined } {
  const { state, item } = takeFrom(before, now, max)
  if (item === undefined) return { state, item }
  const leased = { value: item.value, deliveries: item.deliveries + 1, deadline: now + leaseMs }
  return { state: { ...state, leased: [...state.leased, leased] }, item: leased }
}

export function ack(state: QueueState, item: LeasedItem): QueueState {
  return { ...state, leased: state.leased.filter((other) => other !== item) }
}

export function nack(state: QueueState, item: LeasedItem, now: number, max: number): QueueState {
  const { value, deliveries } = item
  const rest = ack(state, item)
  if (deliveries >= max) return { ...rest, dead: [...rest.dead, value] }
  return { ...rest, returned: [...rest.returned, { value, deliveries, at: now }] }
}

export function redeliver(
  before: QueueState,
  now: number,
  max: number,
): { readonly state: QueueState; readonly count: number } {
  const { dead, ...rest } = buried(before, now, max)
  return { state: { ...rest, dead: [], fresh: [...rest.fresh, ...dead] }, count: dead.length }
}
