import type { Store } from '../../index.ts'
import { formatAssignmentLine } from '../assignment-lines.ts'
import { notFoundError } from '../cli-error.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { startProgress } from '../progress.ts'
import { formatCount, plural } from '../text.ts'

interface ExportOptions {
  readonly format: 'assignments'
}

/** `options.format` has one choice so far. */
export function runExport(context: Context, given: readonly string[], _options: ExportOptions): Promise<ExitCode> {
  return withReadOnlyStore(context, async (store) => {
    await requireAll(store, given)
    const progress = startProgress(context.terminal.stderr, 'exporting', undefined)
    let processes = 0
    let slots = 0
    try {
      for await (const process of given.length === 0 ? store.assignments.processes() : new Set(given)) {
        for await (const { assignment } of store.assignments.range(process)) {
          await context.out.line(formatAssignmentLine(assignment))
          slots += 1
          progress.update(slots, formatCount(slots))
        }
        processes += 1
      }
      await context.out.flush()
    } finally {
      progress.stop()
    }
    context.say(`exported ${plural(slots, 'assignment')} of ${plural(processes, 'process', 'processes')}`)
    return exitCodes.ok
  })
}

/** Before the first line goes out: half an export would be mistaken for a whole one. */
async function requireAll(store: Store, processes: readonly string[]): Promise<void> {
  for (const process of processes) {
    if ((await store.assignments.latest(process)) === undefined) {
      throw notFoundError(`no slot of process ${process} is stored`, '`holdfast ls assignments` shows the processes')
    }
  }
}
