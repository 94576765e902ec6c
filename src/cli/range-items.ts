import type { Slot } from '../index.ts'

/** What a range shows, in slot order, closed by one `end`. */
export type RangeItem =
  | ({ readonly type: 'slot' } & Slot)
  /** Slots that are not stored, both ends included. */
  | { readonly type: 'gap'; readonly from: number; readonly to: number }
  /** `next` is the slot to go on from, when there is more. */
  | { readonly type: 'end'; readonly slots: number; readonly missing: number; readonly next?: number }

interface RangeBounds {
  readonly from: number
  /** Last slot that could be there; beyond it nothing is missing, it is only not there yet. */
  readonly to: number
  readonly limit: number
}

/** Puts the gaps between ascending slots in their places and stops after `limit` slots. */
export async function* markGaps(slots: AsyncIterable<Slot>, bounds: RangeBounds): AsyncGenerator<RangeItem> {
  let expected = bounds.from
  let shown = 0
  let missing = 0
  for await (const slot of slots) {
    if (shown === bounds.limit) {
      yield { type: 'end', slots: shown, missing, next: expected }
      return
    }
    if (slot.slot > expected) {
      yield { type: 'gap', from: expected, to: slot.slot - 1 }
      missing += slot.slot - expected
    }
    yield { type: 'slot', ...slot }
    shown += 1
    expected = slot.slot + 1
  }
  if (bounds.to >= expected) {
    yield { type: 'gap', from: expected, to: bounds.to }
    missing += bounds.to - expected + 1
  }
  yield { type: 'end', slots: shown, missing }
}
