import { type ErrorCode, HoldfastError, ioError, systemCode } from '../base/index.ts'

/** classic-level reports system errors as text only; these are the ones that say nothing about the data. */
const noSpace = /no space left on device|disk quota exceeded/i
const environment =
  /permission denied|too many open files|read-only file system|input\/output error|cannot allocate memory/i

/** An error of Node's own disk calls rather than of LevelDB. */
function isSystemError(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(systemCode(error) ?? '')
}

/** What LevelDB itself said: abstract-level wraps it in "Database failed to open" and the like. */
function root(error: unknown): { code: string | undefined; message: string } {
  let inner = error
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  return { code: systemCode(inner), message: inner instanceof Error ? inner.message : String(inner) }
}

/** For a failed `open`: anything that is not a lock, a full disk or missing rights means the data are unusable. */
export function levelOpenError(error: unknown, location: string): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (isSystemError(error)) return ioError('open', location, error)
  const { code, message } = root(error)
  const detail = { location }
  if (code === 'LEVEL_LOCKED') return levelLockedError(location, error)
  if (noSpace.test(message) || environment.test(message)) {
    const full = noSpace.test(message)
    const text = `LevelDB at ${location} cannot be opened: ${message}; nothing is known to be damaged, fix this and open again`
    return new HoldfastError(full ? 'HOLDFAST_NO_SPACE' : 'HOLDFAST_IO', text, { detail, cause: error })
  }
  return levelDamagedError(location, message, error)
}

export function levelLockedError(location: string, cause?: unknown): HoldfastError {
  const text = `LevelDB at ${location} is open already, in this or another process; close it there first`
  return new HoldfastError('HOLDFAST_LOCKED', text, { detail: { location }, cause })
}

export function levelDamagedError(location: string, reason: string, cause?: unknown): HoldfastError {
  const text = `LevelDB at ${location} cannot be opened: ${reason}; restore a backup`
  return new HoldfastError('HOLDFAST_CORRUPT', text, { detail: { location }, cause })
}

/** For anything that failed after the open. */
export function levelError(action: string, location: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (isSystemError(error)) return ioError(action, location, error)
  const { code, message } = root(error)
  const text = `could not ${action} LevelDB at ${location}: ${message}`
  return new HoldfastError(runtimeCode(code, message), text, { detail: { location, action }, cause: error })
}

function runtimeCode(code: string | undefined, message: string): ErrorCode {
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_ITERATOR_NOT_OPEN') return 'HOLDFAST_CLOSED'
  // The blocking read reports corruption by code too, but everything else without any.
  if (code === 'LEVEL_CORRUPTION' || message.startsWith('Corruption:')) return 'HOLDFAST_CORRUPT'
  return noSpace.test(message) ? 'HOLDFAST_NO_SPACE' : 'HOLDFAST_IO'
}
