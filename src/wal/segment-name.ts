export interface SegmentName {
  readonly number: number
  readonly epoch: number
}

const pattern = /^(\d{16})-(\d{8,16})\.seg$/

/** Digits are padded, so that a directory listing shows segments in the order they were written. */
export function segmentFileName(number: number, epoch: number): string {
  return `${String(number).padStart(16, '0')}-${String(epoch).padStart(8, '0')}.seg`
}

/** Undefined for a name that is not exactly what `segmentFileName` would write. */
export function parseSegmentFileName(file: string): SegmentName | undefined {
  const match = pattern.exec(file)
  if (match === null) return undefined
  const number = Number(match[1])
  const epoch = Number(match[2])
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(epoch)) return undefined
  return segmentFileName(number, epoch) === file ? { number, epoch } : undefined
}

/** Where the torn tail of a segment is kept for a person to look at. */
export function brokenFileName(segmentFile: string): string {
  return `${segmentFile}.broken`
}

export function isBrokenFileName(file: string): boolean {
  return file.endsWith('.broken') && parseSegmentFileName(file.slice(0, -'.broken'.length)) !== undefined
}
