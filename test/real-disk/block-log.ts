/** What a logging disk was asked to do, as bytes in a file: each event a header and the bytes of a write. */
export type LoggedFile = 'disk' | 'marks'

export interface BlockEvent {
  readonly file: LoggedFile
  /** Undefined: a flush. */
  readonly write: { readonly offset: number; readonly bytes: Buffer } | undefined
}

const headerBytes = 16
const files: readonly LoggedFile[] = ['disk', 'marks']

export function encodeEvent(file: LoggedFile, offset: number | undefined, bytes: Uint8Array | undefined): Buffer {
  const event = Buffer.alloc(headerBytes + (bytes?.length ?? 0))
  event.writeUInt8(files.indexOf(file), 0)
  event.writeUInt8(bytes === undefined ? 0 : 1, 1)
  event.writeUInt32LE(bytes?.length ?? 0, 4)
  event.writeBigUInt64LE(BigInt(offset ?? 0), 8)
  if (bytes !== undefined) event.set(bytes, headerBytes)
  return event
}

export function* decodeEvents(log: Buffer): Generator<BlockEvent> {
  for (let at = 0; at + headerBytes <= log.length; ) {
    const length = log.readUInt32LE(at + 4)
    const bytes = log.subarray(at + headerBytes, at + headerBytes + length)
    const isWrite = log.readUInt8(at + 1) === 1
    yield {
      file: files[log.readUInt8(at)] as LoggedFile,
      write: isWrite ? { offset: Number(log.readBigUInt64LE(at + 8)), bytes } : undefined,
    }
    at += headerBytes + length
  }
}
