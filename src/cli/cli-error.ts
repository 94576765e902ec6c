import type { ErrorCode, ErrorDetail } from '../base/index.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/** `CLI_…` codes belong to the command line; everything else is a code of the store. */
export type CliErrorCode = ErrorCode | 'CLI_USAGE' | 'CLI_INPUT' | 'CLI_NOT_FOUND' | 'CLI_INTERRUPTED'

interface CliErrorOptions {
  readonly exitCode?: ExitCode
  /** What a person can do about it. */
  readonly next?: string
  readonly detail?: ErrorDetail
  readonly cause?: unknown
}

/** A failure the command line can explain by itself: wrong arguments, unreadable input, nothing found. */
export class CliError extends Error {
  readonly code: CliErrorCode
  readonly exitCode: ExitCode
  readonly next: string | undefined
  readonly detail: ErrorDetail

  constructor(code: CliErrorCode, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.code = code
    this.exitCode = options.exitCode ?? exitCodes.error
    this.next = options.next
    this.detail = options.detail ?? {}
  }
}

export function usageError(message: string): CliError {
  return new CliError('CLI_USAGE', message, { exitCode: exitCodes.usage })
}

export function notFoundError(message: string, next?: string): CliError {
  const options = next === undefined ? {} : { next }
  return new CliError('CLI_NOT_FOUND', message, { exitCode: exitCodes.notFound, ...options })
}
