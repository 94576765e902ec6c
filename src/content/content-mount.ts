/** Content as the `data/` part of the paths: `data/<id>` holds the content's bytes. */
import { isContentId } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Contents } from './content-store.ts'
import { contentPrefix } from './keys.ts'
import type { Mount, PathNode } from './path-store.ts'

export function contentMount(engine: Engine, contents: Contents): Mount {
  return {
    lookup: (names) => lookup(contents, names),
    list: (names) => list(engine, names),
    linked: ([id]) => {
      if (id !== undefined) contents.touch(id)
    },
  }
}

async function lookup(contents: Contents, names: readonly string[]): Promise<PathNode | undefined> {
  const [id] = names
  if (id === undefined) return { type: 'group' }
  if (names.length > 1 || !isContentId(id) || !(await contents.has(id))) return undefined
  return { type: 'bytes', read: () => contents.bytes(id) }
}

async function* list(engine: Engine, names: readonly string[]): AsyncGenerator<string> {
  if (names.length > 0) return
  for await (const entry of engine.scanAll(contentPrefix)) yield entry.key.slice(1)
}
