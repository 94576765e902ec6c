import type { InspectedFrame, InspectedSegment } from '../../wal/index.ts'
import { notFoundError } from '../cli-error.ts'
import type { Context } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { readSegments } from '../log-segments.ts'
import { type Cell, formatTable } from '../table.ts'
import { printable } from '../text.ts'

const columns = [
  { title: 'offset', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'type' },
  { title: 'sequences', align: 'right' },
  { title: 'records', align: 'right' },
  { title: 'payload', align: 'right' },
  { title: 'durable to', align: 'right' },
  { title: 'crc' },
  { title: 'state' },
] as const

/** One segment by its file name or number, or all of them. */
export async function runWalDump(context: Context, wanted: string | undefined): Promise<ExitCode> {
  let found = wanted === undefined
  for await (const segment of readSegments(context.options.store)) {
    if (wanted !== undefined && wanted !== segment.file && wanted !== String(segment.number)) continue
    found = true
    if (context.options.json) await printJson(context, segment)
    else await printTable(context, segment)
  }
  if (!found)
    throw notFoundError(`the log has no segment ${printable(wanted ?? '')}`, '`holdfast wal ls` shows the segments')
  return exitCodes.ok
}

async function printJson(context: Context, { file, frames }: InspectedSegment): Promise<void> {
  for (const frame of frames) await context.out.line(stringifyValue({ file, ...frame }))
}

async function printTable(context: Context, segment: InspectedSegment): Promise<void> {
  await context.out.line(context.outStyle.bold(printable(segment.file)))
  if (segment.headerProblem !== undefined)
    await context.out.line(context.outStyle.bad(`header: ${segment.headerProblem}`))
  await context.out.line(`${formatTable(columns, segment.frames.map(toRow), context.outStyle)}\n`)
}

function toRow(frame: InspectedFrame): Cell[] {
  const { offset, end, ok, reason, type, firstSequence, recordCount, payloadBytes, durableEnd, crc } = frame
  const state: Cell = ok ? { text: 'ok', tone: 'good' } : { text: reason ?? 'bad', tone: 'bad' }
  if (firstSequence === undefined) return [offset, end, '-', '-', '-', '-', '-', '-', state]
  const sequences = recordCount === 0 ? '-' : `${firstSequence}..${firstSequence + recordCount - 1}`
  const checksum = crc === undefined ? '-' : crc.toString(16).padStart(8, '0')
  return [offset, end, type ?? '-', sequences, recordCount, payloadBytes, durableEnd ?? '-', checksum, state]
}
