/** Stable error codes. Messages may change in any release; codes only in a major one. */
export type ErrorCode =
  | 'HOLDFAST_LOCKED'
  | 'HOLDFAST_READ_ONLY'
  | 'HOLDFAST_CLOSED'
  | 'HOLDFAST_POISONED'
  | 'HOLDFAST_IO'
  | 'HOLDFAST_NO_SPACE'
  | 'HOLDFAST_CORRUPT'
  | 'HOLDFAST_FORMAT_UNSUPPORTED'
  | 'HOLDFAST_NOT_FOUND'
  | 'HOLDFAST_EXISTS'
  | 'HOLDFAST_SLOT_CONFLICT'
  | 'HOLDFAST_PREVIOUS_MISMATCH'
  | 'HOLDFAST_INVALID_PROCESS'
  | 'HOLDFAST_INVALID_SLOT'
  | 'HOLDFAST_INVALID_ID'
  | 'HOLDFAST_INVALID_PATH'
  | 'HOLDFAST_LINK_LOOP'
  | 'HOLDFAST_MISSING_CONTENT'
  | 'HOLDFAST_VALUE_TOO_LARGE'
  | 'HOLDFAST_SHAPE_MISMATCH'
  | 'HOLDFAST_LEASE_LOST'
  | 'HOLDFAST_TIMEOUT'
  | 'HOLDFAST_WATCH_LOST'
  | 'HOLDFAST_ABORTED'
  | 'HOLDFAST_ASSERTION'

export type ErrorDetail = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * The one error class of holdfast. Compare `code`, not the message and not `instanceof`.
 * `detail` names the file, slot, key or sequence concerned; `cause` holds the underlying error if there is one.
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HoldfastError'
    this.code = code
    this.detail = options.detail ?? {}
  }
}

export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof HoldfastError && error.code === code
}

/** The `code` of a system error such as `'ENOENT'`; undefined for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Wraps a failed disk call: `HOLDFAST_NO_SPACE` for a full disk or quota, `HOLDFAST_IO` for everything else. */
export function ioError(action: string, path: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause
  const system = systemCode(cause)
  const full = system === 'ENOSPC' || system === 'EDQUOT'
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new HoldfastError(full ? 'HOLDFAST_NO_SPACE' : 'HOLDFAST_IO', `could not ${action} ${path}: ${reason}`, {
    detail: { path, action, systemCode: system },
    cause,
  })
}
