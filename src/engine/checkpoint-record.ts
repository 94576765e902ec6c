/**
 * What the engine itself keeps in the backend, under keys starting with `!`: the accounting of all entries, updated in
 * the same atomic batch as the entries, and one record per checkpoint, chained by hash. Pure.
 * Format: docs/format.md, "Checkpoints".
 */
import { hash } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import { kind, readEnvelope, writeEnvelope } from '../codec/index.ts'

export const metaPrefix = '!'
export const accountKey = '!account'

/** How many entries the backend holds, and the sum of their fingerprints modulo 2^48: a hole changes both. */
export interface Account {
  readonly entries: number
  readonly digest: number
}

export const emptyAccount: Account = { entries: 0, digest: 0 }
const digestModulus = 2 ** 48

/** Keeps an account while entries come, go and change. */
export class Accountant {
  #entries: number
  #digest: number

  constructor(account: Account) {
    this.#entries = account.entries
    this.#digest = account.digest
  }

  get account(): Account {
    return { entries: this.#entries, digest: this.#digest }
  }

  reset(account: Account): void {
    this.#entries = account.entries
    this.#digest = account.digest
  }

  /** One entry's fingerprint was replaced by another; undefined stands for "no entry". */
  replace(removed: number | undefined, added: number | undefined): void {
    if (removed !== undefined) {
      this.#entries -= 1
      this.#digest = (this.#digest - removed + digestModulus) % digestModulus
    }
    if (added !== undefined) {
      this.#entries += 1
      this.#digest = (this.#digest + added) % digestModulus
    }
  }
}

export interface CheckpointRecord {
  readonly number: number
  /** Every record up to here is in the backend. */
  readonly sequence: number
  readonly epoch: number
  readonly account: Account
  /** Hash of the checkpoint before; empty for the first. */
  readonly previousHash: string
}

export function checkpointKey(number: number): string {
  return `!checkpoint/${String(number).padStart(16, '0')}`
}

export function encodeMeta(key: string, content: object): Buffer {
  const payload = Buffer.from(JSON.stringify(content))
  const target = Buffer.alloc(payload.length + 64)
  return target.subarray(0, writeEnvelope(target, 0, key, kind.meta, payload, payload.length))
}

export function decodeMeta<T>(key: string, bytes: Uint8Array): T {
  const envelope = readEnvelope(key, bytes)
  if (envelope.kind !== kind.meta) {
    throw new HoldfastError('HOLDFAST_CORRUPT', `entry ${key} of the backend is not engine metadata`, {
      detail: { key },
    })
  }
  return JSON.parse(Buffer.from(envelope.payload).toString()) as T
}

export function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'base64url')
}
