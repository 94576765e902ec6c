import { type ErrorCode, type ErrorDetail, HoldfastError, systemCode } from '../base/index.ts'
import { CliError } from './cli-error.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/** A failure in the words of the command line. */
export interface Explanation {
  readonly exitCode: ExitCode
  readonly code: string
  readonly message: string
  readonly next: string | undefined
  readonly detail: ErrorDetail
}

const exitCodeByCode: Partial<Record<ErrorCode, ExitCode>> = {
  HOLDFAST_LOCKED: exitCodes.locked,
  HOLDFAST_NOT_FOUND: exitCodes.notFound,
  HOLDFAST_CORRUPT: exitCodes.integrity,
  HOLDFAST_MISSING_CONTENT: exitCodes.integrity,
  HOLDFAST_INVALID_PROCESS: exitCodes.usage,
  HOLDFAST_INVALID_SLOT: exitCodes.usage,
  HOLDFAST_INVALID_ID: exitCodes.usage,
  HOLDFAST_INVALID_PATH: exitCodes.usage,
}

const nextByCode: Partial<Record<ErrorCode, string>> = {
  HOLDFAST_LOCKED:
    'wait for the other process to finish or stop it, then run this again; a backup of the store can be read meanwhile',
  HOLDFAST_READ_ONLY: 'this command changes the store: check the permissions of its directory',
  HOLDFAST_POISONED: 'find out why the disk refused a write, then run this again: opening the store recovers it',
  HOLDFAST_IO: 'check the disk, its mount and the permissions of the store, then run this again',
  HOLDFAST_NO_SPACE:
    'free some space on the disk or raise the quota, then run this again: nothing acknowledged is lost',
  HOLDFAST_CORRUPT:
    'keep a copy of the directory as it is, run `holdfast verify`, and restore the latest good backup if damage shows',
  HOLDFAST_FORMAT_UNSUPPORTED: 'use the version of holdfast that wrote this store, or a newer one',
  HOLDFAST_NOT_FOUND: 'check --store; `holdfast import` and `holdfast demo` create a store',
  HOLDFAST_EXISTS: 'name another directory with --store',
  HOLDFAST_SLOT_CONFLICT: 'one of the two schedules is wrong: compare both contents with `holdfast get ID`',
  HOLDFAST_MISSING_CONTENT: 'run `holdfast verify` to see everything that is missing',
  HOLDFAST_INVALID_PROCESS: 'a process is 43 base64url characters: `holdfast ls` shows the ones there are',
  HOLDFAST_INVALID_PATH: '`holdfast ls` shows the paths there are',
  HOLDFAST_ASSERTION: 'run it again with --debug and report what it prints',
}

const nextBySystemCode: Readonly<Record<string, string>> = {
  ENOENT: 'check the path',
  EACCES: 'check the permissions',
  EISDIR: 'name a file, not a directory',
}

export function explainError(error: unknown): Explanation {
  if (error instanceof CliError) {
    const { exitCode, code, message, next, detail } = error
    return { exitCode, code, message, next, detail }
  }
  if (error instanceof HoldfastError) {
    const exitCode = exitCodeByCode[error.code] ?? exitCodes.error
    return { exitCode, code: error.code, message: error.message, next: nextByCode[error.code], detail: error.detail }
  }
  const system = systemCode(error)
  const message = error instanceof Error ? error.message : String(error)
  if (system !== undefined) {
    return { exitCode: exitCodes.error, code: system, message, next: nextBySystemCode[system], detail: {} }
  }
  const next = 'this should not happen: run it again with --debug and report what it prints'
  return { exitCode: exitCodes.error, code: 'CLI_UNEXPECTED', message, next, detail: {} }
}

/** What stderr shows: message, code, what to do next; the stack only when asked for. */
export function formatExplanation(explanation: Explanation): string {
  const lines = [`holdfast: ${explanation.message}`, `  code: ${explanation.code}`]
  if (explanation.next !== undefined) lines.push(`  next: ${explanation.next}`)
  return lines.join('\n')
}

/** The stack of an error and of everything that caused it. */
export function formatStack(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const stack = error.stack ?? `${error.name}: ${error.message}`
  return error.cause === undefined ? stack : `${stack}\ncaused by ${formatStack(error.cause)}`
}
