/**
 * LevelDB's settings for a store whose memory tier may take `memoryBytes`. Larger write buffers mean fewer merges
 * (random keys are rewritten about ten times), but also a longer log to replay at the next open and more memory; table files are
 * memory-mapped, so file size times open files bounds the resident pages. Measured in docs/benchmarks.md.
 */
const MiB = 1024 * 1024

export interface LevelTuning {
  readonly writeBufferBytes: number
  readonly maxFileBytes: number
  readonly maxOpenFiles: number
}

export function levelTuning(memoryBytes: number): LevelTuning {
  if (memoryBytes < 128 * MiB) return { writeBufferBytes: 4 * MiB, maxFileBytes: 2 * MiB, maxOpenFiles: 74 }
  const writeBufferBytes = Math.min(32 * MiB, Math.floor(memoryBytes / 8))
  return { writeBufferBytes, maxFileBytes: 8 * MiB, maxOpenFiles: 512 }
}
