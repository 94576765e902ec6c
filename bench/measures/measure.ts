import type { PeerStore } from '../peers/index.ts'
import { percentile } from '../statistics.ts'

/** What one process is asked to do; sent to it as JSON. */
export interface Job {
  readonly peer: string
  /** A measure, or the name of a filler. */
  readonly measure: string
  readonly directory: string
  readonly run: number
  readonly seconds: number
  /** Messages in the data set, or written at most. */
  readonly count: number
  /** Slots of the tall process. */
  readonly tall: number
}

/** What one process found. `value` is in the unit of its measure. */
export interface Figures {
  readonly value: number
  readonly p50us?: number
  readonly p99us?: number
  readonly [fact: string]: number | string | boolean | undefined
}

export interface Context {
  readonly job: Job
  /** Opens the peer's store; the time is kept as `openMs`. */
  readonly store: PeerStore
  readonly openMs: number
}

/** What must lie on disk before the measured process starts. */
export type DataSet =
  | { readonly kind: 'none' }
  /** `count` messages of the workload, closed cleanly; shared by the measures and runs. */
  | { readonly kind: 'workload' }
  /** The short and the tall process of small messages, closed cleanly; shared. */
  | { readonly kind: 'tall' }
  /** `count` messages acknowledged durably, then kill -9; made anew for every run. */
  | { readonly kind: 'killed'; readonly count?: number }

export interface Measure {
  readonly name: string
  /** One line for the heading of its table. */
  readonly title: string
  readonly group: 'writes' | 'reads' | 'recovery' | 'memory'
  readonly unit: 'msg/s' | 'reads/s' | 'ms' | 'us' | 'MiB'
  readonly better: 'higher' | 'lower'
  readonly peers: readonly string[]
  readonly data: DataSet
  /** The page cache is dropped before the measured process starts; needs root. */
  readonly cold?: boolean
  /** Resident memory of the process is sampled from outside, all the time. */
  readonly sampled?: boolean
  readonly open: {
    readonly mode: 'durable' | 'lazy'
    readonly holdCheckpoints?: boolean
    readonly memoryBytes?: number
  }
  /** Messages to write at most, if the measure sets it itself. */
  readonly count?: number
  run(context: Context): Promise<Figures>
}

/** Rate and latencies of timed operations; latencies in milliseconds. */
export function rate(operations: number, elapsedMs: number, latencies: readonly number[]): Figures {
  return {
    value: (operations / elapsedMs) * 1000,
    operations,
    elapsedMs,
    p50us: percentile(latencies, 0.5) * 1000,
    p99us: percentile(latencies, 0.99) * 1000,
  }
}
