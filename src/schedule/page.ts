/** A page of slots with the gaps it crosses. */
import type { Page, Slot } from './types.ts'

const gapsListedMax = 10_000

/** `slots` may answer one more than `limit`: that one proves that more exist. */
export async function collectPage(
  slots: AsyncIterable<Slot>,
  from: number,
  last: number,
  limit: number,
): Promise<Page> {
  const page: Slot[] = []
  const gaps: number[] = []
  let expected = from
  for await (const slot of slots) {
    addGaps(gaps, expected, slot.slot)
    if (page.length === limit) return { slots: page, gaps, continues: true, next: slot.slot }
    page.push(slot)
    expected = slot.slot + 1
  }
  addGaps(gaps, expected, last + 1)
  return { slots: page, gaps, continues: false }
}

function addGaps(gaps: number[], from: number, to: number): void {
  for (let slot = from; slot < to && gaps.length < gapsListedMax; slot++) gaps.push(slot)
}
