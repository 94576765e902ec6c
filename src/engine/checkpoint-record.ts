/**
 * What the engine itself keeps in the backend, under keys starting with `!`: the accounting of all entries, kept in
 * the same atomic batches as the entries, and one record per checkpoint, chained by hash. Pure.
 * Format: docs/format.md, "Checkpoints".
 */
import { hash } from 'node:crypto'
import { HoldfastError } from '../base/index.ts'
import { kind, readEnvelope, writeEnvelope } from '../codec/index.ts'

const digestModulus = 2 ** 48

export const metaPrefix = '!'
export const batchPrefix = '!batch/'

/** How many entries the backend holds, and the sum of their fingerprints modulo 2^48: a hole changes both. */
export interface Account {
  readonly entries: number
  readonly digest: number
}

export const emptyAccount: Account = { entries: 0, digest: 0 }

/**
 * What one batch of a checkpoint under way changed. It is written in that batch, so it is there if and only if the
 * entries are: whichever batches a crash leaves, adding up those that are there gives the accounting that fits.
 */
export interface BatchChange {
  /** Number of the published checkpoint that this one follows; what was left behind of others does not count. */
  readonly after: number
  /** Checkpoints may be interrupted several times in a row: each attempt starts from what the one before left. */
  readonly attempt: number
  readonly base: Account
  readonly entries: number
  readonly digest: number
}

export interface Standing {
  /** Attempts at the checkpoint after the published one so far. */
  readonly attempt: number
  readonly account: Account
}

export function batchKey(index: number): string {
  return `${batchPrefix}${String(index).padStart(8, '0')}`
}

/** The accounting that fits the entries now. */
export function standingOf(published: CheckpointRecord, changes: readonly BatchChange[]): Standing {
  const current = changes.filter((change) => change.after === published.number)
  const attempt = current.reduce((latest, change) => Math.max(latest, change.attempt), 0)
  const latest = current.filter((change) => change.attempt === attempt)
  let { entries, digest } = latest[0]?.base ?? published.account
  for (const change of latest) {
    entries += change.entries
    digest = (digest + change.digest) % digestModulus
  }
  return { attempt, account: { entries, digest } }
}

/** What changed from one account to a later one. */
export function changeBetween(before: Account, after: Account): Account {
  return {
    entries: after.entries - before.entries,
    digest: (after.digest - before.digest + digestModulus) % digestModulus,
  }
}

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

/** What a new store begins with. */
export const firstCheckpoint: CheckpointRecord = {
  number: 0,
  sequence: 0,
  epoch: 0,
  account: emptyAccount,
  previousHash: '',
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
