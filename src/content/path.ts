/** Paths as callers write them, normalised to a list of names. Pure. */
import { HoldfastError, limits } from '../base/index.ts'
import { isWellFormed } from '../codec/index.ts'
import type { Path } from './types.ts'

const nameBytesMax = 1024
const depthMax = 256
/** So that the key of every entry stays within `limits.keyBytesMax`. */
const pathBytesMax = limits.keyBytesMax - 16

/** `'/a//b/'`, `['a', 'b']` and `['a', ['b']]` are all `['a', 'b']`. HOLDFAST_INVALID_PATH for what cannot be a name. */
export function parsePath(path: Path): string[] {
  const names: string[] = []
  collect(path, names)
  if (names.length > depthMax) throw invalidPath(names.join('/').slice(0, 200), `it has more than ${depthMax} names`)
  if (Buffer.byteLength(names.join('/')) > pathBytesMax) {
    throw invalidPath(names.join('/').slice(0, 200), `it is longer than ${pathBytesMax} bytes`)
  }
  return names
}

export function formatPath(names: readonly string[]): string {
  return names.join('/')
}

export function invalidPath(path: string, why: string): HoldfastError {
  return new HoldfastError('HOLDFAST_INVALID_PATH', `the path ${JSON.stringify(path)} is not allowed here: ${why}`, {
    detail: { path },
  })
}

function collect(path: unknown, names: string[]): void {
  if (typeof path === 'string') {
    for (const name of path.split('/')) if (name !== '') names.push(checkedName(name))
  } else if (typeof path === 'number') {
    if (!Number.isSafeInteger(path) || path < 0)
      throw invalidPath(String(path), 'a number in a path is a non-negative safe integer')
    names.push(String(path))
  } else if (Array.isArray(path)) {
    for (const part of path) collect(part, names)
  } else {
    throw new TypeError('a path is a string, or an array of strings, numbers and paths')
  }
}

function checkedName(name: string): string {
  if (name === '.' || name === '..') throw invalidPath(name, 'paths have no . and .. names; write the full path')
  if (name.includes('\u0000')) throw invalidPath(name, 'a name cannot contain the NUL character')
  if (!isWellFormed(name)) throw invalidPath(name, 'a name must be well-formed Unicode')
  if (Buffer.byteLength(name) > nameBytesMax)
    throw invalidPath(name.slice(0, 100), `a name is at most ${nameBytesMax} bytes long`)
  return name
}
