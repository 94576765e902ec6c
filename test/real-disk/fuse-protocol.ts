/**
 * The kernel's side of a file system in user space, as far as a store needs it: requests read from /dev/fuse, replies
 * written back. Numbers and layouts are those of the kernel's interface, version 7.31, little-endian.
 */
import type { VolumeNode } from './volume.ts'

export const operation = {
  lookup: 1,
  forget: 2,
  getAttributes: 3,
  setAttributes: 4,
  makeDirectory: 9,
  unlink: 10,
  removeDirectory: 11,
  rename: 12,
  open: 14,
  read: 15,
  write: 16,
  statFileSystem: 17,
  release: 18,
  sync: 20,
  flush: 25,
  init: 26,
  openDirectory: 27,
  readDirectory: 28,
  releaseDirectory: 29,
  syncDirectory: 30,
  create: 35,
  interrupt: 36,
  destroy: 38,
  forgetMany: 42,
  rename2: 45,
} as const

export const errno = { ENOENT: 2, EIO: 5, EEXIST: 17, ENOTDIR: 20, EINVAL: 22, ENOSYS: 38, ENOTEMPTY: 39 } as const

export interface Request {
  readonly operation: number
  readonly unique: bigint
  readonly node: number
  readonly body: Buffer
}

const requestHeaderBytes = 40
const replyHeaderBytes = 16
export const maxWriteBytes = 128 * 1024
export const requestBytesMax = maxWriteBytes + 4096

export function parseRequest(bytes: Buffer): Request {
  return {
    operation: bytes.readUInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    node: Number(bytes.readBigUInt64LE(16)),
    body: bytes.subarray(requestHeaderBytes),
  }
}

export function reply(request: Request, body: Uint8Array | undefined, error = 0): Buffer {
  const bytes = Buffer.alloc(replyHeaderBytes + (body?.length ?? 0))
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeInt32LE(-error, 4)
  bytes.writeBigUInt64LE(request.unique, 8)
  if (body !== undefined) bytes.set(body, replyHeaderBytes)
  return bytes
}

export function initReply(): Buffer {
  const body = Buffer.alloc(64)
  body.writeUInt32LE(7, 0)
  body.writeUInt32LE(31, 4)
  body.writeUInt32LE(maxWriteBytes, 8)
  const bigWrites = 1 << 5
  body.writeUInt32LE(bigWrites, 12)
  body.writeUInt16LE(12, 16)
  body.writeUInt16LE(9, 18)
  body.writeUInt32LE(maxWriteBytes, 20)
  body.writeUInt32LE(1, 24)
  return body
}

export interface Attributes {
  readonly number: number
  readonly node: VolumeNode
  readonly modified: { readonly seconds: bigint; readonly nanoseconds: number }
}

const attributeBytes = 88

function writeAttributes(target: Buffer, at: number, { number, node, modified }: Attributes): void {
  const isFile = node.kind === 'file'
  const size = isFile ? node.now.size : 4096
  target.writeBigUInt64LE(BigInt(number), at)
  target.writeBigUInt64LE(BigInt(size), at + 8)
  target.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), at + 16)
  for (const [i, time] of [modified, modified, modified].entries()) {
    target.writeBigUInt64LE(time.seconds, at + 24 + 8 * i)
    target.writeUInt32LE(time.nanoseconds, at + 48 + 4 * i)
  }
  target.writeUInt32LE(isFile ? 0o100644 : 0o040755, at + 60)
  target.writeUInt32LE(isFile ? 1 : 2, at + 64)
  target.writeUInt32LE(4096, at + 80)
}

/** Nothing is remembered by the kernel: after a crash everything may be different. */
export function attributeReply(attributes: Attributes): Buffer {
  const body = Buffer.alloc(16 + attributeBytes)
  writeAttributes(body, 16, attributes)
  return body
}

export function entryReply(attributes: Attributes): Buffer {
  const body = Buffer.alloc(40 + attributeBytes)
  body.writeBigUInt64LE(BigInt(attributes.number), 0)
  writeAttributes(body, 40, attributes)
  return body
}

export function openReply(direct: boolean): Buffer {
  const body = Buffer.alloc(16)
  body.writeUInt32LE(direct ? 1 : 0, 8)
  return body
}

export function statReply(): Buffer {
  const body = Buffer.alloc(80)
  for (const field of [0, 8, 16, 24, 32]) body.writeBigUInt64LE(1_000_000n, field)
  for (const field of [40, 44, 48]) body.writeUInt32LE(field === 44 ? 255 : 4096, field)
  return body
}

/** As many entries from `offset` on as fit. */
export function directoryReply(
  entries: readonly (readonly [string, number, VolumeNode])[],
  offset: number,
  size: number,
): Buffer {
  const parts: Buffer[] = []
  let used = 0
  for (const [index, [name, number, node]] of entries.entries()) {
    if (index < offset) continue
    const nameBytes = Buffer.from(name)
    const entry = Buffer.alloc(Math.ceil((24 + nameBytes.length) / 8) * 8)
    entry.writeBigUInt64LE(BigInt(number), 0)
    entry.writeBigUInt64LE(BigInt(index + 1), 8)
    entry.writeUInt32LE(nameBytes.length, 16)
    entry.writeUInt32LE(node.kind === 'file' ? 8 : 4, 20)
    nameBytes.copy(entry, 24)
    if (used + entry.length > size) break
    used += entry.length
    parts.push(entry)
  }
  return Buffer.concat(parts)
}

/** The names, each ended by a zero, that end a request. */
export function namesIn(body: Buffer, at: number): string[] {
  return body.subarray(at).toString('utf8').split('\0').slice(0, -1)
}
