import { hash } from 'node:crypto'
import { Packr, Unpackr } from 'msgpackr'

/**
 * Scheduler assignments of about 2.2 KB encoded. Message i is the same in every process and on every machine, so that
 * a data set written by one process can be checked by another.
 */
export interface WorkMessage {
  readonly process: string
  readonly slot: number
  readonly [field: string]: unknown
}

export const processCount = 100
const bodyCount = 4096
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Numbers in [0, 1), the same sequence for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = randomFrom(20_250_101)
const scratch = Buffer.alloc(8192)

function text(length: number): string {
  for (let i = 0; i < length; i++) scratch[i] = alphabet.charCodeAt(Math.floor(random() * 64))
  return scratch.toString('latin1', 0, length)
}

const identifiers = Array.from({ length: 8192 }, () => text(43))
export const processes = Array.from({ length: processCount }, () => text(43))

const tagLengths = { Type: 8, 'Data-Protocol': 9, Variant: 10, Action: 11, Recipient: 43, Quantity: 12 }

// Sizes of `data` are log-uniform from 64 to 4096 bytes: many small messages, a few large ones.
const bodies = Array.from({ length: bodyCount }, (_, index) => ({
  target: processes[index % processCount],
  owner: identifiers[index],
  tags: Object.entries(tagLengths).map(([name, length]) => ({ name, value: text(length) })),
  data: text(Math.round(64 * 64 ** random())),
  signature: Buffer.from(text(512), 'latin1'),
}))

const identifier = (index: number): string => identifiers[index & 8191] ?? ''

/** Even messages go to process 0, which so ends with half of all slots; odd ones to the other 99 in turn. */
export function locate(index: number): { readonly process: string; readonly slot: number } {
  const half = index >>> 1
  if (index % 2 === 0) return { process: processes[0] ?? '', slot: half }
  return { process: processes[1 + (half % 99)] ?? '', slot: Math.floor(half / 99) }
}

export function message(index: number): WorkMessage {
  const block = index >>> 6
  const body = bodies[Math.imul(index, 2_654_435_761) >>> 20]
  return {
    path: 'assignment',
    'data-protocol': 'ao',
    variant: 'ao.N.1',
    ...locate(index),
    epoch: '0',
    'block-height': 1_600_000 + block,
    'block-hash': identifier(block),
    'block-timestamp': 1_735_689_600_000 + block * 120_000,
    timestamp: 1_735_689_600_000 + index * 37,
    'hash-chain': identifier(index * 7919),
    // The anchor makes every body differ, as in a real schedule: no store gains by keeping equal bodies once.
    body: { ...body, anchor: String(index).padStart(32, '0') },
  }
}

export function messages(from: number, count: number): WorkMessage[] {
  return Array.from({ length: count }, (_, offset) => message(from + offset))
}

/** The data set of the size measures: one short process and one tall one, of small messages. */
export const shortProcess = { process: 'short'.padEnd(43, '-'), slots: 1000 }
export const tallProcess = 'tall'.padEnd(43, '-')

export function smallMessage(process: string, slot: number): WorkMessage {
  return { path: 'assignment', process, slot, 'hash-chain': identifier(slot * 7919), data: identifier(slot) }
}

// What a careful user would do on top of a plain key-value store: encode once, name the bytes by their hash, and keep
// content and index in one atomic batch.
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false })

export const decode = (bytes: Uint8Array): WorkMessage => unpackr.unpack(bytes) as WorkMessage

export interface Encoded {
  readonly bytes: Buffer
  readonly id: string
  readonly key: string
}

export function encode(work: WorkMessage): Encoded {
  const bytes = packr.pack(work)
  return { bytes, id: hash('sha256', bytes, 'base64url'), key: indexKey(work.process, work.slot) }
}

export const contentKey = (id: string): string => `c/${id}`
export const indexKey = (process: string, slot: number): string => `i/${process}/${String(slot).padStart(10, '0')}`
export const slotOfKey = (key: string): number => Number(key.slice(-10))
/** The keys of a process lie in [gte, lt): `0` follows `/`. */
export const indexRange = (process: string, from = 0) => ({ gte: indexKey(process, from), lt: `i/${process}0` })
