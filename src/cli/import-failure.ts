import { HoldfastError } from '../base/index.ts'
import type { Assignment, Store } from '../index.ts'
import { CliError } from './cli-error.ts'
import { explainError } from './explain-error.ts'
import { exitCodes } from './exit-codes.ts'
import type { ImportCounts, ImportItem, ImportPosition } from './import-types.ts'
import { FormatError } from './line-format.ts'
import { LineError } from './read-lines.ts'
import { plural } from './text.ts'

/** The error for a line that cannot be read; errors that are not about the line stay what they are. */
export function explainLine(error: unknown, position: ImportPosition): unknown {
  if (error instanceof LineError) return badLine(error, { ...position, line: error.lineNumber })
  return error instanceof FormatError ? badLine(error, position) : error
}

function badLine(error: Error, { name, line, counts }: ImportPosition): CliError {
  return new CliError('CLI_INPUT', `${name}:${line} ${error.message}; ${soFar(counts)}`, {
    next: 'correct the line and run the same import again: what is stored already stays as it is',
    detail: { file: name, line },
    cause: error,
  })
}

/** The error for a batch the store refused, naming the line it refused if it was one. */
export function explainBatch(
  error: unknown,
  batch: readonly ImportItem[],
  store: Store,
  position: ImportPosition,
): CliError {
  const { name, counts } = position
  const { code, message, next, exitCode } = explainError(error)
  const conflict = error instanceof HoldfastError && error.code === 'HOLDFAST_SLOT_CONFLICT'
  const line = conflict ? conflictingLine(error, batch, store) : refusedLine(batch, store)
  const first = batch[0]?.line ?? position.line
  const place = line ?? (first === position.line ? first : `${first}..${position.line}`)
  return new CliError(
    error instanceof HoldfastError ? error.code : 'CLI_INPUT',
    `${name}:${place} ${message}; ${soFar(counts)}`,
    {
      exitCode: exitCode === exitCodes.usage ? exitCodes.error : exitCode,
      ...(next === undefined || code === 'CLI_UNEXPECTED' ? {} : { next }),
      detail: { file: name, line },
      cause: error,
    },
  )
}

/** The line with the content that was refused. Stores compare assignments with process and slot in their plain form. */
function conflictingLine(error: HoldfastError, batch: readonly ImportItem[], store: Store): number | undefined {
  const { slot, refused } = error.detail
  const rivals = batch.filter(({ assignment }) => Number(assignment.slot) === slot)
  return rivals.find(({ assignment }) => store.content.id(plainForm(assignment)) === refused)?.line
}

function plainForm(assignment: Assignment): Assignment {
  const { process, slot } = assignment
  const name = typeof process === 'string' ? process : Buffer.from(process).toString('base64url')
  return { ...assignment, process: name, slot: Number(slot) }
}

/** The first line with no canonical form. */
function refusedLine(batch: readonly ImportItem[], store: Store): number | undefined {
  return batch.find(({ assignment }) => {
    try {
      store.content.id(assignment)
      return false
    } catch {
      return true
    }
  })?.line
}

function soFar(counts: ImportCounts): string {
  const { created, existing, lastLine } = counts
  if (lastLine === 0) return 'nothing was imported'
  const already = existing === 0 ? '' : ` and ${plural(existing, 'assignment')} there already`
  return `lines up to ${lastLine} are stored (${plural(created, 'assignment')} imported${already}), nothing after them`
}
