import { type ErrorCode, HoldfastError } from '../base/index.ts'

/** For one who waited for a record when the log failed. */
export function indeterminate(sequence: number, cause: Error): HoldfastError {
  const code: ErrorCode = cause instanceof HoldfastError ? cause.code : 'HOLDFAST_IO'
  return new HoldfastError(
    code,
    `the write with sequence ${sequence} may or may not have been stored; reopen the store to find out (${cause.message})`,
    { detail: { sequence, indeterminate: true }, cause },
  )
}

/** For one who comes after the log has failed; nothing of the call has been stored. */
export function poisoned(cause: Error): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_POISONED',
    `the log takes no more writes since an earlier one failed; close the store and open it again (${cause.message})`,
    { cause },
  )
}

export function closed(): HoldfastError {
  return new HoldfastError('HOLDFAST_CLOSED', 'the log is closed; open the store again to write')
}
