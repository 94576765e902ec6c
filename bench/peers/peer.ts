import type { WorkMessage } from '../workload.ts'

type Awaitable<T> = T | Promise<T>

/** How an adapter opens its store for a measure. */
export interface OpenFor {
  /** `durable`: a write is acknowledged after a sync. `lazy`: as the peer does without one. */
  readonly mode: 'durable' | 'lazy'
  /** Holdfast only: keep checkpoints from running. */
  readonly holdCheckpoints?: boolean
  /** Holdfast only: budget of the memory tier. */
  readonly memoryBytes?: number
}

/** One store under measurement; content and index of a message are written atomically by every adapter. */
export interface PeerStore {
  write(work: WorkMessage): Awaitable<unknown>
  writeMany(list: readonly WorkMessage[]): Awaitable<unknown>
  /** Decoded message. A promise only when the peer has no synchronous read. */
  get(process: string, slot: number): Awaitable<WorkMessage | undefined>
  range(process: string, from: number, count: number): Awaitable<readonly WorkMessage[]>
  latest(process: string): Awaitable<number>
  /** All messages of a process in order, where the store has a way of its own; otherwise ranges are chained. */
  scan?(process: string): AsyncIterable<WorkMessage>
  /** Figures of the store itself, put beside the measured ones. */
  facts?(): Record<string, number | string | boolean>
  close(): Awaitable<unknown>
}

export interface Peer {
  readonly name: string
  /** Must load for the peer to take part. */
  readonly module: string
  /** Peer whose data set this one reads; default its own. */
  readonly dataOf?: string
  /** Keeps nothing on disk: shown as a ceiling, not counted among the rivals. */
  readonly memoryOnly?: boolean
  /** The project itself: its data sets are built anew whenever the harness starts, as the format may have changed. */
  readonly ours?: boolean
  open(directory: string, how: OpenFor): Promise<PeerStore>
}

/**
 * Peers are loaded by name, so that the project type-checks and runs without them. Their types are then unknown;
 * each adapter states the few calls it makes.
 */
export async function load<T>(module: string): Promise<T> {
  return (await import(module)) as T
}

/**
 * Group commit as an application would add it on top of a batch call: while one batch is being synced, later writes
 * queue for the next. A peer whose batch call blocks needs the event loop to turn once, or the queue never fills.
 */
export function coalesce(store: PeerStore, blocking = false): PeerStore {
  let queue: { work: WorkMessage; done: () => void; failed: (error: unknown) => void }[] = []
  let running = false
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const drain = async () => {
    if (blocking) await turn()
    while (queue.length > 0) {
      const group = queue
      queue = []
      try {
        await store.writeMany(group.map((entry) => entry.work))
        for (const entry of group) entry.done()
      } catch (error) {
        for (const entry of group) entry.failed(error)
      }
      if (blocking && queue.length === 0) await turn()
    }
    running = false
  }
  const write = (work: WorkMessage) =>
    new Promise<void>((done, failed) => {
      queue.push({ work, done, failed })
      if (running) return
      running = true
      queueMicrotask(() => void drain())
    })
  return { ...store, write }
}
