import type { Engine } from './engine.ts'
import type { ReplayObserver } from './replay.ts'

/** What rooms above take part in while a store opens and runs. */
export interface EngineHooks {
  /** Hears of every mutation that opening replays, before the engine exists. */
  readonly onReplay?: ReplayObserver
  /** In the synchronous step before a checkpoint seals: what it writes is part of that checkpoint. Must not throw. */
  readonly beforeSeal?: (engine: Engine) => void
}
