/** Keys and head records of assignments. Format: docs/format.md, "Keys" and "Heads". Pure. */
import { HoldfastError } from '../base/index.ts'
import { digestBytes, digestToId } from '../codec/index.ts'

export const indexPrefix = 'a'
export const headPrefix = 'h'
export const headDomain = 'h'
export const locationPrefix = 'l'
export const locationDomain = 'l'

const slotDigits = 16
/** Sorts after every slot of a process: `:` follows `9`. */
const afterDigits = ':'

export function indexDomain(process: string): string {
  return `${indexPrefix}${process}/`
}

/** Slots as fixed-width decimals sort by value. */
export function indexKey(process: string, slot: number): string {
  return `${indexPrefix}${process}/${String(slot).padStart(slotDigits, '0')}`
}

/** Keys of the slots from..to, both included: [gte, lt). */
export function indexRange(process: string, from: number, to: number): { gte: string; lt: string } {
  const lt = to >= Number.MAX_SAFE_INTEGER ? indexDomain(process) + afterDigits : indexKey(process, to + 1)
  return { gte: indexKey(process, from), lt }
}

export function parseIndexKey(key: string): { process: string; slot: number } {
  const slash = key.indexOf('/')
  return { process: key.slice(1, slash), slot: Number(key.slice(slash + 1)) }
}

export function headKey(process: string): string {
  return headPrefix + process
}

export function locationKey(address: string): string {
  return locationPrefix + address
}

/** What is kept of each process beside its slots, so that `latest` is one read whatever its length. */
export interface Head {
  /** Highest slot and its content. */
  readonly slot: number
  readonly id: string
  readonly hashChain: string | undefined
  /** Slots present: tells `verify` of one that vanished. */
  readonly count: number
}

const headFixedBytes = 8 + 8 + 1 + digestBytes

/** More than `encodeHead` can write for this hash chain. */
export function headBytesMax(hashChain: string | undefined): number {
  return headFixedBytes + (hashChain?.length ?? 0) * 3
}

/** Writes slot u64 | count u64 | 1 when a hash chain follows | digest 32 | hash chain, UTF-8. Answers the length. */
export function encodeHead(head: Head, target: Buffer): number {
  writeU64(target, head.slot, 0)
  writeU64(target, head.count, 8)
  target[16] = head.hashChain === undefined ? 0 : 1
  target.write(head.id, 17, 'base64url')
  if (head.hashChain === undefined) return headFixedBytes
  return headFixedBytes + target.write(head.hashChain, headFixedBytes, 'utf8')
}

export function decodeHead(bytes: Buffer, process: string): Head {
  if (bytes.length < headFixedBytes) {
    throw new HoldfastError('HOLDFAST_CORRUPT', `the head record of process ${process} is too short; run verify`, {
      detail: { process },
    })
  }
  return Object.freeze({
    slot: readU64(bytes, 0),
    count: readU64(bytes, 8),
    id: digestToId(bytes, 17),
    hashChain: bytes[16] === 0 ? undefined : bytes.toString('utf8', headFixedBytes),
  })
}

/** Writes the 32 bytes of a content id that is one. Answers their number. */
export function encodeTarget(id: string, target: Buffer): number {
  return target.write(id, 0, 'base64url')
}

export function decodeTarget(bytes: Buffer): string {
  return digestToId(bytes, 0)
}

function writeU64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, offset)
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4)
}

function readU64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32
}
