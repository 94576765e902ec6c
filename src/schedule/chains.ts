/** The two hash chains in use. Byte rules: docs/format.md, "Hash chains". Pure. */
import { hash } from 'node:crypto'
import type { Value } from '../content/index.ts'
import type { Assignment, ChainFunction, ChainName, Slot } from './types.ts'

/** sha256(previous chain as raw bytes, nothing for the first ‖ the message's id as its 43 characters). */
const hyperbeam: ChainFunction = (current, previous) => {
  const id = messageIdOf(current.assignment)
  if (id === undefined) return undefined
  if (previous === undefined) return current.slot === 0 ? digest(Buffer.from(id)) : undefined
  const before = previous.assignment['hash-chain']
  return before === undefined ? undefined : digest(Buffer.concat([Buffer.from(before, 'base64url'), Buffer.from(id)]))
}

/** sha256(id of the previous assignment ‖ its chain), both as raw bytes. Nothing says what the first must be. */
const schedulerUnit: ChainFunction = (_current, previous) => {
  const id = previous?.assignment['id']
  const before = previous?.assignment['hash-chain']
  if (typeof id !== 'string' || before === undefined) return undefined
  return digest(Buffer.concat([Buffer.from(id, 'base64url'), Buffer.from(before, 'base64url')]))
}

const chains: Readonly<Record<ChainName, ChainFunction>> = { hyperbeam, 'scheduler-unit': schedulerUnit }

export function chainFunction(chain: ChainName | ChainFunction): ChainFunction {
  if (typeof chain === 'function') return chain
  const known = Object.hasOwn(chains, chain) ? chains[chain] : undefined
  if (known === undefined)
    throw new TypeError(
      `chain must be one of ${Object.keys(chains).join(', ')} or a function, not ${JSON.stringify(chain)}`,
    )
  return known
}

/** A link can only be checked between neighbours: after a gap nothing is known of the chain before it. */
export function neighbours(previous: Slot | undefined, current: Slot): boolean {
  return previous !== undefined && previous.slot + 1 === current.slot
}

function messageIdOf(assignment: Assignment): string | undefined {
  const { body } = assignment
  if (!isObject(body)) return undefined
  if (typeof body['id'] === 'string') return body['id']
  const commitments = body['commitments']
  const ids = isObject(commitments) ? Object.keys(commitments) : []
  return ids.length === 1 ? ids[0] : undefined
}

function isObject(value: Value | undefined): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function digest(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64url')
}
