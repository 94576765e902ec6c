import type { Engine } from '../engine/index.ts'
import { decodeTarget, indexPrefix, locationPrefix } from './keys.ts'

/** Content that assignments and locations refer to: what garbage collection must keep. */
export async function* scheduleRoots(engine: Engine): AsyncGenerator<string, void, undefined> {
  for (const prefix of [indexPrefix, locationPrefix]) {
    for await (const entry of engine.scanAll(prefix)) {
      const target = engine.payload(entry) ?? (await engine.payloadFromBackend(entry.key))
      if (target !== undefined) yield decodeTarget(target)
    }
  }
}
