import type { Clock } from '../base/index.ts'
import type { MemoryTier } from '../memory/index.ts'
import type { Wal, WalLocation } from '../wal/index.ts'
import type { BackendAccess } from './backend-access.ts'
import type { RecoveryReport } from './types.ts'

export interface EngineParts {
  readonly location: string
  readonly tier: MemoryTier
  readonly access: BackendAccess
  readonly clock: Clock
  readonly recovery: RecoveryReport
  /** Undefined on a read-only engine. */
  readonly wal: Wal | undefined
  readonly logFiles: WalLocation
  readonly defaultLevel: number
}

/** What the engine needs of the checkpointer. */
export interface Checkpoints {
  afterWrite(): void
  gate(): Promise<void> | undefined
  abandon(): void
}
