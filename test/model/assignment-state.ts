/** Assignments and locations in the model, and those that commands choose from. */
import type { Assignment, Page } from '../../src/index.ts'
import { type Item, large, messageItem, put } from './content-state.ts'
import { Refusal } from './operation.ts'
import { type Assigned, type State, withEntry } from './state.ts'

export const processes = ['P'.repeat(43), 'Q'.repeat(43)] as const
export const slotsMax = 7
export const variants = 3

/** The content of a slot in one of its variants; the last one is large. */
export const assignments: readonly (readonly (readonly Item[])[])[] = processes.map((process) =>
  Array.from({ length: slotsMax }, (_, slot) =>
    Array.from({ length: variants }, (__, variant) => {
      const chain = variant === 1 ? { 'hash-chain': `chain ${slot}` } : {}
      const body = variant === variants - 1 ? { large } : { text: `${variant}`.repeat(120 * variant) }
      return messageItem(`${process[0]}/${slot} variant ${variant}`, { process, slot, variant, ...chain, ...body })
    }),
  ),
)

export function assignmentItem(process: number, slot: number, variant: number): Item {
  return assignments[process]?.[slot]?.[variant] as Item
}

export interface Wanted {
  readonly process: number
  readonly slot: number
  readonly variant: number
}

export interface WriteRules {
  readonly overwrite: boolean
  /** `expectedPrevious`: the id of the head as the model has it, something else, or not given. */
  readonly previous: 'right' | 'wrong' | undefined
}

export interface WrittenTo {
  readonly state: State
  readonly answer: { id: string; process: string; slot: number; created: boolean }
}

export function assign(state: State, wanted: Wanted, rules: WriteRules): WrittenTo {
  const process = processes[wanted.process] as string
  const item = assignmentItem(wanted.process, wanted.slot, wanted.variant)
  const taken = state.slots.get(process)?.get(wanted.slot)
  const answer = { id: item.id, process, slot: wanted.slot, created: true }
  if (taken?.id === item.id) return { state, answer: { ...answer, created: false } }
  if (taken !== undefined && !rules.overwrite) throw new Refusal('HOLDFAST_SLOT_CONFLICT')
  if (rules.previous === 'wrong') throw new Refusal('HOLDFAST_PREVIOUS_MISMATCH')
  const chain = (item.value as Assignment)['hash-chain']
  const slots = withEntry(state.slots.get(process) ?? new Map<number, Assigned>(), wanted.slot, { id: item.id, chain })
  return { state: { ...put(state, item), slots: withEntry(state.slots, process, slots) }, answer }
}

export function headOf(
  state: State,
  process: string,
): { slot: number; id: string; hashChain: string | undefined } | undefined {
  const slots = state.slots.get(process)
  if (slots === undefined) return undefined
  const slot = Math.max(...slots.keys())
  const { id, chain } = slots.get(slot) as Assigned
  return { slot, id, hashChain: chain }
}

export function slotsOf(state: State, process: string): number[] {
  return [...(state.slots.get(process)?.keys() ?? [])].sort((a, b) => a - b)
}

/** What `read` answers, or the content of a slot in a page. */
export function assignmentAt(state: State, process: string, slot: number): unknown {
  const assigned = state.slots.get(process)?.get(slot)
  return assigned === undefined ? undefined : state.contents.get(assigned.id)?.value
}

function slotAt(state: State, process: string, slot: number): Page['slots'][number] {
  const { id } = (state.slots.get(process) as ReadonlyMap<number, Assigned>).get(slot) as Assigned
  return { slot, id, assignment: assignmentAt(state, process, slot) as Assignment }
}

export interface Span {
  readonly from: number
  readonly to: number
  readonly limit: number
}

export function rangeOf(state: State, process: string, { from, to, limit }: Span, reverse: boolean): unknown[] {
  const within = slotsOf(state, process).filter((slot) => slot >= from && slot <= to)
  if (reverse) within.reverse()
  return within.slice(0, limit).map((slot) => slotAt(state, process, slot))
}

export function pageOf(state: State, process: string, { from, to, limit }: Span): Page {
  const last = Math.min(to, headOf(state, process)?.slot ?? -1)
  if (from > last) return { slots: [], gaps: [], continues: false }
  const within = slotsOf(state, process).filter((slot) => slot >= from && slot <= last)
  const next = within[limit]
  const gaps: number[] = []
  for (let slot = from; slot < (next ?? last + 1); slot++) if (!within.includes(slot)) gaps.push(slot)
  const slots = within.slice(0, limit).map((slot) => slotAt(state, process, slot))
  return next === undefined ? { slots, gaps, continues: false } : { slots, gaps, continues: true, next }
}

export function prune(state: State, process: string, below: number): { state: State; removed: number } {
  const head = headOf(state, process)?.slot ?? -1
  const gone = slotsOf(state, process).filter((slot) => slot < below && slot < head)
  if (gone.length === 0) return { state, removed: 0 }
  const kept = new Map([...(state.slots.get(process) ?? [])].filter(([slot]) => !gone.includes(slot)))
  return { state: { ...state, slots: withEntry(state.slots, process, kept) }, removed: gone.length }
}
