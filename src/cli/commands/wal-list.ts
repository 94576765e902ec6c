import type { InspectedSegment } from '../../wal/index.ts'
import type { Context } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { readSegments, recordsOf, sequencesOf } from '../log-segments.ts'
import { type Cell, formatTable } from '../table.ts'
import { formatBytes, formatCount } from '../text.ts'

const columns = [
  { title: 'segment' },
  { title: 'sequences', align: 'right' },
  { title: 'records', align: 'right' },
  { title: 'frames', align: 'right' },
  { title: 'used', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'state' },
] as const

/** A torn tail is what a crash leaves, not damage: which of the two it is, `verify` decides. */
export async function runWalList(context: Context): Promise<ExitCode> {
  const rows: Cell[][] = []
  for await (const segment of readSegments(context.options.store)) {
    if (context.options.json) await context.out.line(stringifyValue(toJson(segment)))
    else rows.push(toRow(segment))
  }
  if (!context.options.json) await context.out.line(formatTable(columns, rows, context.outStyle))
  return exitCodes.ok
}

function toRow(segment: InspectedSegment): Cell[] {
  const sequences = sequencesOf(segment)
  return [
    segment.file,
    sequences === undefined ? '-' : `${sequences.first}..${sequences.last}`,
    formatCount(recordsOf(segment)),
    formatCount(segment.frames.filter((frame) => frame.ok).length),
    formatBytes(segment.intactEnd),
    formatBytes(segment.fileBytes),
    stateOf(segment),
  ]
}

function stateOf({ headerProblem, tornAt }: InspectedSegment): Cell {
  if (headerProblem !== undefined) return { text: `header: ${headerProblem}`, tone: 'bad' }
  return tornAt === undefined ? { text: 'ok', tone: 'good' } : { text: `torn at ${tornAt}`, tone: 'bad' }
}

function toJson(segment: InspectedSegment): object {
  const { file, number, epoch, fileBytes, intactEnd, headerProblem, tornAt } = segment
  const sequences = sequencesOf(segment)
  return {
    file,
    number,
    epoch,
    firstSequence: sequences?.first ?? null,
    lastSequence: sequences?.last ?? null,
    records: recordsOf(segment),
    frames: segment.frames.filter((frame) => frame.ok).length,
    intactEnd,
    fileBytes,
    headerProblem: headerProblem ?? null,
    tornAt: tornAt ?? null,
  }
}
