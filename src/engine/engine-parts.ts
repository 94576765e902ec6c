import type { Clock } from '../base/index.ts'
import type { MemoryTier } from '../memory/index.ts'
import type { Log, WalLocation } from '../wal/index.ts'
import type { BackendAccess } from './backend-access.ts'
import type { RecoveryReport } from './types.ts'

export interface EngineParts {
  readonly location: string
  readonly tier: MemoryTier
  readonly access: BackendAccess
  readonly clock: Clock
  readonly recovery: RecoveryReport
  /** Undefined on a read-only engine. */
  readonly wal: Log | undefined
  readonly logFiles: WalLocation
  readonly defaultLevel: number
  /** The log keeps nothing and the backend never gets anything: whatever is not in memory is gone. Default false. */
  readonly isVolatile?: boolean
}

/** What the engine needs of the checkpointer. */
export interface Checkpoints {
  afterWrite(): void
  gate(): Promise<void> | undefined
  /** Whether a writer would have to wait at the gate. */
  readonly pressed: boolean
  abandon(): void
}
