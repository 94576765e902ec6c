import type { Slot } from '../../index.ts'
import type { SlotRange } from '../arguments.ts'
import { notFoundError } from '../cli-error.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { markGaps, type RangeItem } from '../range-items.ts'
import { plural, printable } from '../text.ts'

interface RangeCommandOptions {
  readonly limit: number
}

/** Prints slots as they are read: a range may be longer than memory. */
export function runRange(
  context: Context,
  process: string,
  range: SlotRange,
  options: RangeCommandOptions,
): Promise<ExitCode> {
  return withReadOnlyStore(context, async (store) => {
    const latest = await store.assignments.latest(process)
    if (latest === undefined) {
      throw notFoundError(`no slot of process ${process} is stored`, '`holdfast ls assignments` shows the processes')
    }
    const bounds = { from: range.from ?? 0, to: Math.min(range.to ?? latest.slot, latest.slot), limit: options.limit }
    const title = `${'slot'.padStart(10)}  ${'content id'.padEnd(43)}  hash-chain`
    if (!context.options.json) await context.out.line(context.outStyle.bold(title))
    for await (const item of markGaps(store.assignments.range(process, range), bounds)) {
      if (context.options.json) await context.out.line(stringifyValue(item))
      else if (item.type === 'end') await sayEnd(context, process, range, item)
      else await context.out.line(formatItem(context, item))
    }
    return exitCodes.ok
  })
}

function formatItem(context: Context, item: Exclude<RangeItem, { type: 'end' }>): string {
  if (item.type === 'slot') return formatSlot(item)
  const slots = item.from === item.to ? `${item.from}` : `${item.from}..${item.to}`
  return context.outStyle.bad(`${slots.padStart(10)}  missing (${plural(item.to - item.from + 1, 'slot')})`)
}

function formatSlot({ slot, id, assignment }: Slot): string {
  return `${String(slot).padStart(10)}  ${id}  ${printable(assignment['hash-chain'] ?? '-')}`
}

/** The table goes out first, so that the last words stand below it. */
async function sayEnd(
  context: Context,
  process: string,
  range: SlotRange,
  end: RangeItem & { type: 'end' },
): Promise<void> {
  await context.out.flush()
  const missing = end.missing === 0 ? '' : `, ${plural(end.missing, 'slot')} missing`
  context.say(`${plural(end.slots, 'slot')}${missing}`)
  if (end.next !== undefined) context.say(`more: holdfast range ${process} ${end.next}..${range.to ?? ''}`)
}
