import { notFoundError } from '../cli-error.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { formatFields } from '../table.ts'

export function runLatest(context: Context, process: string): Promise<ExitCode> {
  return withReadOnlyStore(context, async (store) => {
    const latest = await store.assignments.latest(process)
    if (latest === undefined)
      throw notFoundError(`no slot of process ${process} is stored`, '`holdfast ls assignments` shows the processes')
    const { slot, id, hashChain } = latest
    if (context.options.json) {
      await context.out.line(stringifyValue({ process, slot, id, hashChain: hashChain ?? null }))
    } else {
      await context.out.line(
        formatFields(
          [
            ['slot', slot],
            ['id', id],
            ['hash-chain', hashChain ?? '-'],
          ],
          context.outStyle,
        ),
      )
    }
    return exitCodes.ok
  })
}
