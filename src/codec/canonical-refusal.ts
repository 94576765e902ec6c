import { types } from 'node:util'
import { limits } from '../base/index.ts'
import { isWellFormed } from './key-shapes.ts'
import { bigIntBytesMax } from './message-pack.ts'

interface Refusal {
  readonly path: string
  readonly reason: string
}

/**
 * The error for a value that has no canonical form, naming the path to what is wrong. The encoder only notices THAT it
 * cannot write a value; this walks the value again to say where, so that the normal case pays nothing for it.
 */
export function refusalError(value: unknown): TypeError {
  const refusal = findRefusal(value, '', new Set())
  // An accessor may answer differently the second time: then the place is lost, not the refusal.
  if (refusal === undefined) return new TypeError('the value has no canonical form and changes while it is read')
  const place = refusal.path === '' ? 'the value' : refusal.path
  return new TypeError(`${place} has no canonical form: ${refusal.reason}`)
}

function findRefusal(value: unknown, path: string, ancestors: Set<object>): Refusal | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'number':
      return Number.isNaN(value) ? { path, reason: 'it is NaN' } : undefined
    case 'bigint':
      return fitsBigIntExtension(value) ? undefined : { path, reason: `it needs more than ${bigIntBytesMax} bytes` }
    case 'string':
      return isWellFormed(value) ? undefined : { path, reason: 'it has a lone surrogate, which UTF-8 cannot hold' }
    case 'object':
      return value === null ? undefined : findInObject(value, path, ancestors)
    default:
      return { path, reason: value === undefined ? 'it is undefined' : `it is a ${typeof value}` }
  }
}

function findInObject(value: object, path: string, ancestors: Set<object>): Refusal | undefined {
  if (types.isUint8Array(value)) {
    return value.byteLength < 2 ** 32 ? undefined : { path, reason: 'it has 4 GiB or more' }
  }
  if (ancestors.has(value)) return { path, reason: 'it contains itself' }
  if (ancestors.size >= limits.messageDepthMax) {
    return { path, reason: `it is nested deeper than ${limits.messageDepthMax} levels` }
  }
  if (!isPlainArray(value) && !isPlainObject(value)) return { path, reason: `it is ${describeClass(value)}` }
  ancestors.add(value)
  const refusal = Array.isArray(value) ? findInArray(value, path, ancestors) : findInPlainObject(value, path, ancestors)
  ancestors.delete(value)
  return refusal
}

function findInArray(array: readonly unknown[], path: string, ancestors: Set<object>): Refusal | undefined {
  for (let i = 0; i < array.length; i++) {
    const itemPath = `${path}[${i}]`
    if (!(i in array)) return { path: itemPath, reason: 'it is a hole in an array' }
    const refusal = findRefusal(array[i], itemPath, ancestors)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function findInPlainObject(object: object, path: string, ancestors: Set<object>): Refusal | undefined {
  for (const key of Object.keys(object)) {
    const keyPath = joinPath(path, key)
    if (!isWellFormed(key)) return { path: keyPath, reason: 'its key has a lone surrogate, which UTF-8 cannot hold' }
    const refusal = findRefusal((object as Record<string, unknown>)[key], keyPath, ancestors)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function joinPath(path: string, key: string): string {
  if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

function describeClass(value: object): string {
  const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${name}` : 'not a plain object'
}

function isPlainArray(value: object): boolean {
  return Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype
}

function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** True when `value` fits in the widest big-integer extension (two's complement). */
export function fitsBigIntExtension(value: bigint): boolean {
  return value >> BigInt(bigIntBytesMax * 8 - 1) === (value < 0n ? -1n : 0n)
}
