import { describe, expect, it } from 'vitest'
import { buildChain, firstNeeded, type SegmentFile } from '../../../src/wal/chain.ts'
import { segmentFileName } from '../../../src/wal/segment-name.ts'

function valid(number: number, epoch: number, firstSequence: number): SegmentFile {
  const header = { number, epoch, firstSequence, predecessorEnd: 0, predecessorCrc: 0 }
  return {
    file: segmentFileName(number, epoch),
    number,
    epoch,
    size: 64,
    reading: { kind: 'valid', header, crc: number },
  }
}

function headless(number: number, epoch: number): SegmentFile {
  return { file: segmentFileName(number, epoch), number, epoch, size: 64, reading: { kind: 'invalid', reason: 'zero' } }
}

function names(entries: readonly { readonly file: string }[]): string[] {
  return entries.map((entry) => entry.file)
}

describe('the chain of segments', () => {
  it('is all of them when the numbers follow each other', () => {
    const files = [valid(4, 1, 10), valid(5, 2, 20), valid(6, 2, 30)]
    expect(names(buildChain('/wal', files).segments)).toEqual(names(files))
  })

  it('takes a replacement for the segment with its number', () => {
    const files = [valid(4, 1, 10), valid(5, 1, 20), valid(5, 2, 20)]
    const chain = buildChain('/wal', files)
    expect(names(chain.segments)).toEqual([segmentFileName(4, 1), segmentFileName(5, 2)])
    expect(names(chain.leftovers)).toEqual([segmentFileName(5, 1)])
    expect(chain.suspects).toEqual([])
  })

  it('leaves out what an owner wrote that had been replaced', () => {
    const files = [valid(4, 1, 10), valid(5, 1, 20), valid(5, 2, 20), valid(6, 1, 30), valid(7, 1, 40)]
    const chain = buildChain('/wal', files)
    expect(names(chain.segments)).toEqual([segmentFileName(4, 1), segmentFileName(5, 2)])
    expect(names(chain.leftovers)).toEqual([segmentFileName(5, 1), segmentFileName(6, 1), segmentFileName(7, 1)])
  })

  it('suspects files without a header only when they are newer than the newest segment', () => {
    const files = [headless(3, 1), valid(4, 1, 10), headless(4, 2), headless(5, 1)]
    const chain = buildChain('/wal', files)
    expect(names(chain.segments)).toEqual([segmentFileName(4, 1)])
    expect(names(chain.suspects)).toEqual([segmentFileName(4, 2), segmentFileName(5, 1)])
    expect(chain.damagedBefore?.file).toBe(segmentFileName(3, 1))
  })

  it('starts after a hole', () => {
    const chain = buildChain('/wal', [valid(1, 1, 1), valid(3, 1, 30), valid(4, 1, 40)])
    expect(names(chain.segments)).toEqual([segmentFileName(3, 1), segmentFileName(4, 1)])
    expect(firstNeeded('/wal', chain, 29)).toBe(0)
    expect(firstNeeded('/wal', chain, 38)).toBe(0)
    expect(firstNeeded('/wal', chain, 39)).toBe(1)
    expect(() => firstNeeded('/wal', chain, 28)).toThrow(/segment number 2 is missing from .* sequence 29/)
  })

  it('refuses another store, another name and another version outright', () => {
    const foreign: SegmentFile = {
      ...headless(9, 1),
      reading: { kind: 'foreign', reason: 'it belongs to another store' },
    }
    expect(() => buildChain('/wal', [foreign])).toThrow(expect.objectContaining({ code: 'HOLDFAST_CORRUPT' }))
    const newer: SegmentFile = { ...headless(9, 1), reading: { kind: 'unsupported', version: 2 } }
    expect(() => buildChain('/wal', [newer])).toThrow(expect.objectContaining({ code: 'HOLDFAST_FORMAT_UNSUPPORTED' }))
  })
})
