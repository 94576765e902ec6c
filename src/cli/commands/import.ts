import { parseAssignmentLine } from '../assignment-lines.ts'
import { type Context, withStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { importLines } from '../import-lines.ts'
import type { ImportCounts } from '../import-types.ts'
import { type Input, openInput } from '../input.ts'
import { stringifyValue } from '../json-value.ts'
import { startProgress } from '../progress.ts'
import { parseSchedulerUnitLine } from '../scheduler-unit.ts'
import { formatCount, plural } from '../text.ts'

interface ImportCommandOptions {
  readonly format: 'scheduler-unit' | 'assignments'
}

export async function runImport(context: Context, file: string, options: ImportCommandOptions): Promise<ExitCode> {
  const input = await openInput(file, context.terminal)
  const interrupt = new AbortController()
  const stopListening = context.terminal.onInterrupt(() => {
    interrupt.abort()
    input.stream.destroy()
  })
  try {
    const counts = await withStore(context, context.options.store, {}, (store) => {
      const parse = options.format === 'assignments' ? parseAssignmentLine : parseSchedulerUnitLine
      const progress = startProgress(context.terminal.stderr, 'importing', input.bytes)
      const onProgress = (now: ImportCounts) =>
        progress.update(now.bytesRead, plural(now.created + now.existing, 'assignment'))
      return importLines(store, input.stream, {
        name: input.name,
        parse,
        onProgress,
        signal: interrupt.signal,
      }).finally(() => progress.stop())
    })
    await report(context, input, counts, interrupt.signal.aborted)
    return interrupt.signal.aborted ? exitCodes.interrupted : exitCodes.ok
  } finally {
    stopListening()
    input.stream.destroy()
  }
}

/** Said only after the store is closed: all of it is durable by then. */
async function report(context: Context, input: Input, counts: ImportCounts, interrupted: boolean): Promise<void> {
  const { created, existing, lastLine } = counts
  if (context.options.json) {
    await context.out.line(stringifyValue({ file: input.name, created, existing, lines: lastLine, interrupted }))
    return
  }
  if (interrupted) context.say(`interrupted after ${input.name}:${lastLine}; run the same import again to go on`)
  const already = existing === 0 ? '' : `, ${formatCount(existing)} there already`
  await context.out.line(`imported ${plural(created, 'assignment')}${already}`)
}
