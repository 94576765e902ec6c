import { join } from 'node:path'
import { HoldfastError } from '../base/index.ts'
import { buildChain, type Chain, type ChainSegment, listSegmentFiles } from './chain.ts'
import type { WalLocation } from './options.ts'
import { segmentSalt } from './segment-header.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentScan } from './segment-scan.ts'

export interface WalProblem {
  /** `log-damage`, `log-header` or `log-unreadable`. */
  readonly code: string
  readonly where: string
  readonly message: string
}

export interface WalVerification {
  readonly segments: number
  readonly records: number
  readonly bytes: number
  readonly problems: readonly WalProblem[]
}

export interface VerifyWalOptions extends WalLocation {
  /** For a log that is being written: its durable sequence; what comes after is not looked at. */
  readonly throughSequence?: number
}

interface Tally {
  segments: number
  records: number
  bytes: number
  readonly problems: WalProblem[]
}

/** Reads every retained segment again, those that recovery would not need included. Collects what it finds wrong. */
export async function verifyWal(options: VerifyWalOptions): Promise<WalVerification> {
  const tally: Tally = { segments: 0, records: 0, bytes: 0, problems: [] }
  const { files } = await listSegmentFiles(options)
  let chain: Chain
  try {
    chain = buildChain(options.directory, files)
  } catch (error) {
    tally.problems.push(problemOf(error, options.directory))
    return tally
  }
  if (chain.damagedBefore !== undefined) {
    const where = join(options.directory, chain.damagedBefore.file)
    tally.problems.push({ code: 'log-header', where, message: `the header of ${where} is damaged` })
  }
  for (const [index, segment] of chain.segments.entries()) {
    try {
      await verifySegment(options, segment, chain.segments[index + 1], tally)
    } catch (error) {
      tally.problems.push(problemOf(error, join(options.directory, segment.file)))
    }
  }
  return tally
}

async function verifySegment(
  options: VerifyWalOptions,
  segment: ChainSegment,
  next: ChainSegment | undefined,
  tally: Tally,
): Promise<void> {
  const through = options.throughSequence ?? Number.POSITIVE_INFINITY
  const salt = segmentSalt(options.storeId, segment.header)
  const reader = await SegmentReader.open(options.fileSystem, options.directory, segment.file, salt)
  // Trimmed away since the directory was listed.
  if (reader === undefined) return
  try {
    const scan = new SegmentScan(reader, segment, next)
    tally.segments++
    while (next !== undefined || scan.nextSequence <= through) {
      const frame = await scan.next()
      if (frame === undefined) break
      tally.bytes += frame.end - frame.header.position
      scan.eachRecord(frame, () => {
        tally.records++
      })
    }
    if (next !== undefined) return
    if (options.throughSequence === undefined) await scan.settleEnd()
    else scan.requireThrough(options.throughSequence)
  } finally {
    await reader.close()
  }
}

function problemOf(error: unknown, where: string): WalProblem {
  if (!(error instanceof HoldfastError)) throw error
  const offset = error.detail['offset']
  return {
    code: error.code === 'HOLDFAST_IO' || error.code === 'HOLDFAST_NO_SPACE' ? 'log-unreadable' : 'log-damage',
    where: typeof offset === 'number' ? `${where}:${offset}` : where,
    message: error.message,
  }
}
