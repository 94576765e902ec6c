/** Why an engine refuses. */
import { HoldfastError } from '../base/index.ts'

export function closedError(location: string): HoldfastError {
  return new HoldfastError('HOLDFAST_CLOSED', `the store at ${location} is closed; open it again`, {
    detail: { location },
  })
}

export function poisonedError(location: string, cause: unknown): HoldfastError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new HoldfastError(
    'HOLDFAST_POISONED',
    `the store at ${location} refuses writes since an earlier failure (${reason}); close it and open it again to recover`,
    { detail: { location }, cause },
  )
}

export function readOnlyError(location: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_READ_ONLY',
    `the store at ${location} was opened read-only; open it without readOnly to write`,
    {
      detail: { location },
    },
  )
}

/** A promise where a finished result belongs. It comes from a transaction that is undone: its own outcome no longer matters. */
export function notSynchronous(promise: unknown): TypeError {
  Promise.resolve(promise).catch(() => undefined)
  return new TypeError('the function given to transact must be synchronous, but it returned a promise')
}
