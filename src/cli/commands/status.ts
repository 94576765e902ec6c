import { hasCode } from '../../base/index.ts'
import type { RecoveryReport, Stats } from '../../index.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { directoryBytes, readStoreFacts, type StoreFacts } from '../store-facts.ts'
import { type Cell, formatFields } from '../table.ts'
import { formatBytes, formatCount, plural } from '../text.ts'

interface Sizes {
  readonly walBytes: number
  readonly backendBytes: number
}

/** A store that is in use is described from outside, as far as that goes, and the exit code says so. */
export async function runStatus(context: Context): Promise<ExitCode> {
  const facts = await readStoreFacts(context.options.store)
  const sizes = {
    walBytes: await directoryBytes(facts.layout.wal),
    backendBytes: await directoryBytes(facts.layout.level),
  }
  try {
    await withReadOnlyStore(context, async (store) => {
      await print(context, facts, sizes, { stats: store.stats(), recovery: store.recovery })
    })
    return exitCodes.ok
  } catch (error) {
    if (!hasCode(error, 'HOLDFAST_LOCKED')) throw error
    await print(context, facts, sizes, undefined)
    await context.out.flush()
    throw error
  }
}

interface Opened {
  readonly stats: Stats
  readonly recovery: RecoveryReport
}

async function print(context: Context, facts: StoreFacts, sizes: Sizes, opened: Opened | undefined): Promise<void> {
  if (context.options.json) await context.out.line(stringifyValue(toJson(facts, sizes, opened)))
  else await context.out.line(formatFields([...outside(facts, sizes), ...inside(opened)], context.outStyle))
}

function toJson({ layout, superblock, format, holder }: StoreFacts, sizes: Sizes, opened: Opened | undefined): object {
  const { storeId, epoch, checkpoint } = superblock
  const recovery = opened?.recovery
  const stats = opened?.stats
  return {
    path: layout.location,
    format,
    storeId,
    epoch,
    openedBy: holder ?? null,
    ...sizes,
    checkpoint: checkpoint === null ? null : { number: checkpoint.number, sequence: checkpoint.sequence },
    ...(stats === undefined
      ? {}
      : {
          lastSequence: stats.lastSequence,
          durableSequence: stats.durableSequence,
          storedEntries: stats.storedEntries,
          dirtyEntries: stats.dirtyEntries,
        }),
    ...(recovery === undefined
      ? {}
      : {
          clean: recovery.clean,
          recordsReplayed: recovery.recordsReplayed,
          segments: recovery.segmentsRead,
          tornBytes: recovery.tornBytes,
        }),
  }
}

type Field = readonly [name: string, value: Cell]

function outside({ layout, superblock, format, holder }: StoreFacts, sizes: Sizes): Field[] {
  const { storeId, epoch, checkpoint } = superblock
  return [
    ['path', layout.location],
    ['format', `${format}`],
    ['store id', storeId],
    ['open by', openedBy(holder)],
    ['epoch', formatCount(epoch)],
    [
      'checkpoint',
      checkpoint === null
        ? 'none yet'
        : `number ${formatCount(checkpoint.number)}, sequence ${formatCount(checkpoint.sequence)}`,
    ],
    ['log on disk', formatBytes(sizes.walBytes)],
    ['backend on disk', formatBytes(sizes.backendBytes)],
  ]
}

function openedBy(holder: number | undefined): string {
  if (holder === undefined) return 'nobody'
  return holder === 0 ? 'a process that cannot be told' : `process ${holder}`
}

function inside(opened: Opened | undefined): Field[] {
  if (opened === undefined) return []
  const { stats, recovery } = opened
  const torn = recovery.tornBytes === 0 ? '' : `; ${formatBytes(recovery.tornBytes)} of an unacknowledged torn tail`
  return [
    ['last sequence', formatCount(stats.lastSequence)],
    ['durable sequence', formatCount(stats.durableSequence)],
    ['segments', formatCount(recovery.segmentsRead)],
    [
      'entries',
      `${formatCount(stats.storedEntries)} in the backend, ${formatCount(stats.dirtyEntries)} in the log alone`,
    ],
    [
      'last close',
      recovery.clean ? 'clean' : `not clean: ${plural(recovery.recordsReplayed, 'record')} to replay${torn}`,
    ],
  ]
}
