import { describe, expect, test } from 'vitest'
import { markGaps } from '../../../src/cli/range-items.ts'
import type { Slot } from '../../../src/schedule/index.ts'

async function* slots(...numbers: number[]): AsyncGenerator<Slot> {
  for (const slot of numbers) yield { slot, id: 'id', assignment: { process: 'p', slot } }
}

async function show(numbers: number[], from: number, to: number, limit = 100): Promise<string[]> {
  const shown: string[] = []
  for await (const item of markGaps(slots(...numbers), { from, to, limit })) {
    if (item.type === 'slot') shown.push(`${item.slot}`)
    else if (item.type === 'gap') shown.push(`gap ${item.from}-${item.to}`)
    else shown.push(`end ${item.slots} ${item.missing} ${item.next ?? 'all'}`)
  }
  return shown
}

describe('a range', () => {
  test('marks gaps before, between and after its slots', async () => {
    expect(await show([2, 3, 7], 0, 9)).toEqual(['gap 0-1', '2', '3', 'gap 4-6', '7', 'gap 8-9', 'end 3 7 all'])
  })

  test('has no gap when every slot is there', async () => {
    expect(await show([0, 1], 0, 1)).toEqual(['0', '1', 'end 2 0 all'])
  })

  test('stops at the limit and says where to go on', async () => {
    expect(await show([0, 1, 5], 0, 9, 2)).toEqual(['0', '1', 'end 2 0 2'])
    expect(await show([0, 1], 0, 1, 2)).toEqual(['0', '1', 'end 2 0 all'])
  })

  test('without slots is one gap up to the last slot there could be', async () => {
    expect(await show([], 3, 5)).toEqual(['gap 3-5', 'end 0 3 all'])
    expect(await show([], 6, 5)).toEqual(['end 0 0 all'])
  })
})
