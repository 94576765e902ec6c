/** An opened engine and how to close it. */
import type { Account } from './checkpoint-record.ts'
import type { Checkpointer } from './checkpointer.ts'
import type { Engine } from './engine.ts'
import type { Layout } from './layout.ts'
import type { CheckpointPointer, Superblock } from './superblock.ts'

export interface OpenHandleParts {
  readonly engine: Engine
  readonly layout: Layout
  /** As this opening found (and, when writable, advanced) it. */
  readonly superblock: Superblock
  /** Undefined on a read-only engine. */
  readonly checkpointer: Checkpointer | undefined
  readonly memoryBytes: number
  /** Accounting as opening found it. */
  readonly account: Account
  readonly cleanups: (() => Promise<void>)[]
}

export class OpenEngine {
  readonly engine: Engine
  readonly layout: Layout
  readonly superblock: Superblock
  readonly checkpointer: Checkpointer | undefined
  readonly memoryBytes: number
  readonly #account: Account
  readonly #cleanups: (() => Promise<void>)[]
  #closing: Promise<void> | undefined

  constructor(parts: OpenHandleParts) {
    this.engine = parts.engine
    this.layout = parts.layout
    this.superblock = parts.superblock
    this.checkpointer = parts.checkpointer
    this.memoryBytes = parts.memoryBytes
    this.#account = parts.account
    this.#cleanups = parts.cleanups
  }

  get publishedCheckpoint(): CheckpointPointer {
    return (this.checkpointer?.superblock ?? this.superblock).checkpoint
  }

  get account(): Account {
    return this.checkpointer?.account ?? this.#account
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { engine, checkpointer } = this
    const failures: unknown[] = []
    // Such a store told everybody when it failed; closing it just lets go.
    const wasPoisoned = engine.status === 'poisoned'
    if (engine.status === 'open' && checkpointer !== undefined) {
      await checkpointer.checkpoint().catch((error: unknown) => failures.push(error))
    }
    checkpointer?.abandon()
    await checkpointer?.idle()
    engine.markClosed()
    for (const cleanup of this.#cleanups.reverse()) await cleanup().catch((error: unknown) => failures.push(error))
    if (failures.length > 0 && !wasPoisoned) throw failures[0]
  }
}
