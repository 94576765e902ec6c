import { type Context, withStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { formatFields } from '../table.ts'
import { formatBytes, formatCount, formatDuration } from '../text.ts'

export function runCheckpoint(context: Context): Promise<ExitCode> {
  return withStore(context, context.options.store, { createIfMissing: false }, async (store) => {
    const report = await store.checkpoint()
    if (context.options.json) {
      await context.out.line(stringifyValue(report))
      return exitCodes.ok
    }
    const fields = formatFields(
      [
        ['checkpoint', formatCount(report.number)],
        ['sequence', formatCount(report.sequence)],
        ['entries moved', `${formatCount(report.entries)} (${formatBytes(report.bytes)})`],
        ['segments removed', formatCount(report.segmentsRemoved)],
        ['took', formatDuration(report.durationMs)],
      ],
      context.outStyle,
    )
    await context.out.line(fields)
    return exitCodes.ok
  })
}
