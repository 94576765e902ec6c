/**
 * The superblock: one small text file that says what this directory is. Format: docs/format.md, "Superblock".
 * Pure; read and written by `open` and the checkpointer, always whole and atomically.
 */
import { crc32, HoldfastError } from '../base/index.ts'

export const formatVersion = 1
const magic = 'holdfast'

export interface CheckpointPointer {
  readonly number: number
  readonly sequence: number
  /** SHA-256 (base64url) of the checkpoint record in the backend. */
  readonly hash: string
}

export interface Superblock {
  /** 16 random bytes, hexadecimal: salts the log so that another store's segments never validate here. */
  readonly storeId: string
  /** Number of the latest opening; fences off an owner that lost its lock. */
  readonly epoch: number
  /** False until creation finished: such a store never acknowledged anything and is created anew. */
  readonly initialised: boolean
  /** Newest published checkpoint, number 0 at creation, and the one before it (the log reaches back to that one). */
  readonly checkpoint: CheckpointPointer
  readonly previousCheckpoint: CheckpointPointer | null
}

export function encodeSuperblock(superblock: Superblock): Buffer {
  const head = `${magic} ${formatVersion}\n${JSON.stringify(superblock)}\n`
  return Buffer.from(`${head}${checksum(head)}\n`)
}

export function decodeSuperblock(bytes: Uint8Array, file: string): Superblock {
  const text = Buffer.from(bytes).toString('latin1')
  const lines = text.split('\n')
  const version = /^holdfast ([0-9]{1,9})$/.exec(lines[0] ?? '')
  if (version === null) throw damaged(file, "its first line is not a superblock's")
  // Before the checksum: a newer format may lay out everything after the first line in another way.
  if (Number(version[1]) !== formatVersion) {
    throw new HoldfastError(
      'HOLDFAST_FORMAT_UNSUPPORTED',
      `${file} has format version ${version[1]}; this release reads version ${formatVersion}. Open the store with the release that wrote it`,
      { detail: { file, found: Number(version[1]), supported: formatVersion } },
    )
  }
  const intact = lines.length === 4 && lines[3] === '' && lines[2] === checksum(`${lines[0]}\n${lines[1]}\n`)
  if (!intact) throw damaged(file, 'its checksum does not match')
  return shapeOf(JSON.parse(lines[1] ?? '') as Superblock, file)
}

function checksum(head: string): string {
  return crc32(Buffer.from(head, 'latin1')).toString(16).padStart(8, '0')
}

function shapeOf(parsed: Superblock, file: string): Superblock {
  const valid =
    typeof parsed === 'object' &&
    parsed !== null &&
    /^[0-9a-f]{32}$/.test(parsed.storeId) &&
    Number.isSafeInteger(parsed.epoch) &&
    parsed.epoch >= 0 &&
    typeof parsed.initialised === 'boolean' &&
    typeof parsed.checkpoint === 'object' &&
    parsed.checkpoint !== null
  if (!valid) throw damaged(file, 'a field is missing or malformed')
  return parsed
}

function damaged(file: string, why: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `${file} is damaged (${why}), so the store cannot be opened. Restore this file, or the store, from a backup`,
    { detail: { file } },
  )
}
