/** Why a store cannot be opened. */
import { HoldfastError } from '../base/index.ts'

export function notFound(location: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_NOT_FOUND',
    `there is no store at ${location}; check the path, or open it with createIfMissing`,
    {
      detail: { location },
    },
  )
}

export function existsError(location: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_EXISTS',
    `there is a store at ${location} already; choose another directory or drop errorIfExists`,
    {
      detail: { location },
    },
  )
}

export function notAStore(location: string, why: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_EXISTS',
    `${location} is not a store and cannot become one: ${why}; choose an empty directory`,
    {
      detail: { location },
    },
  )
}

export function superblockMissing(file: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `${file} is missing although the store's data are there; restore it from a backup`,
    {
      detail: { file },
    },
  )
}
