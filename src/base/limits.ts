const KiB = 1024
const MiB = 1024 * KiB

/** Defaults and hard limits, in one place. Bytes unless the name says otherwise. */
export const limits = {
  /** A nested value whose canonical bytes reach this is stored under its own content id and replaced by a link. */
  linkThresholdBytes: 4 * KiB,
  /** Deepest nesting of a message. */
  messageDepthMax: 256,
  /** Largest record (one atomic batch of mutations) the log accepts. */
  recordBytesMax: 256 * MiB,
  /** Longest key of the ordered keyspace. */
  keyBytesMax: 16 * KiB,
  /** Hops through links before a path counts as a loop. */
  linkHopsMax: 64,
  segmentBytesDefault: 64 * MiB,
  segmentBytesMin: 512,
  checkpointBytesDefault: 64 * MiB,
  memoryBytesDefault: 256 * MiB,
  memoryBytesMin: 64 * KiB,
  partitionsDefault: 8,
  partitionsMax: 1024,
  bufferedIntervalMsDefault: 200,
} as const
