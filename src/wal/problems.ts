import { type ErrorDetail, HoldfastError } from '../base/index.ts'

/** Damage to bytes of the log that were safely on disk once. */
export function damaged(path: string, what: string, detail: ErrorDetail = {}): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `the log is damaged: ${path}: ${what}; restore the file or the store from a backup`,
    { detail: { path, ...detail } },
  )
}

export function unsupportedSegment(path: string, version: number): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_FORMAT_UNSUPPORTED',
    `${path} has log format version ${version}, which this release does not know; open the store with a newer one`,
    { detail: { path, version } },
  )
}

/** `sequences 4 to 9`, for messages. */
export function sequencesFrom(first: number, last: number): string {
  return last > first ? `sequences ${first} to ${last}` : `sequence ${first}`
}
