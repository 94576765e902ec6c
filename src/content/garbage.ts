/** Mark and sweep of content that nothing links to or pins. Writers go on: what they touch meanwhile stays. */
import { kind, linksOf } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Contents } from './content-store.ts'
import { contentDomain, contentKey, contentPrefix, pathDomain, pinPrefix } from './keys.ts'
import type { GcOptions, GcReport } from './types.ts'

const sweepBatch = 512
const idPattern = /^data\/([A-Za-z0-9_-]{43})$/

/** Content to be removed, unless somebody touches it first. */
interface Garbage {
  readonly length: number
  readonly links: readonly string[]
  /** How many other garbage contents link to it. */
  parents: number
}

/** `roots`: the content that other structures refer to. */
export function collectGarbage(
  engine: Engine,
  contents: Contents,
  roots: () => AsyncIterable<string>,
  options: GcOptions = {},
): Promise<GcReport> {
  return contents.collect(async (touched) => {
    const marked = await mark(engine, roots())
    const { garbage, examined } = await findGarbage(engine, marked)
    const sweep = new Sweep(engine, garbage, touched)
    if (options.dryRun === true) sweep.spare()
    else await sweep.run()
    let bytes = 0
    for (const { length } of garbage.values()) bytes += length
    return { ok: true, problems: [], examined, removed: garbage.size, bytes }
  })
}

async function findGarbage(
  engine: Engine,
  marked: ReadonlySet<string>,
): Promise<{ garbage: Map<string, Garbage>; examined: number }> {
  const garbage = new Map<string, Garbage>()
  let examined = 0
  for await (const entry of engine.scanAll(contentPrefix)) {
    examined++
    const id = entry.key.slice(1)
    if (marked.has(id)) continue
    const { length } = entry
    garbage.set(id, { length, links: await linksOfEntry(engine, entry), parents: 0 })
  }
  for (const { links } of garbage.values()) {
    for (const link of links) {
      const child = garbage.get(link)
      if (child !== undefined) child.parents++
    }
  }
  return { garbage, examined }
}

/**
 * Removes garbage batch by batch, a message always before or with what it links to: so whatever is still there is
 * whole, and somebody who pins or links it meanwhile gets all of it. Takes what was spared out of `garbage`.
 */
class Sweep {
  readonly #engine: Engine
  readonly #garbage: Map<string, Garbage>
  readonly #touched: ReadonlySet<string>

  constructor(engine: Engine, garbage: Map<string, Garbage>, touched: ReadonlySet<string>) {
    this.#engine = engine
    this.#garbage = garbage
    this.#touched = touched
  }

  async run(): Promise<void> {
    const order = this.#parentsFirst()
    const removed = new Set<string>()
    for (let from = 0; from < order.length; from += sweepBatch) {
      const batch = order.slice(from, from + sweepBatch)
      await this.#engine.write(undefined, () => {
        this.spare(removed)
        for (const id of batch) {
          if (!this.#garbage.has(id)) continue
          this.#engine.delete(contentKey(id), contentDomain)
          removed.add(id)
        }
      })
    }
    this.spare(removed)
  }

  #parentsFirst(): string[] {
    const order: string[] = []
    for (const [id, { parents }] of this.#garbage) if (parents === 0) order.push(id)
    // Grows while it is walked. Links cannot form a circle: they are hashes.
    for (const id of order) {
      for (const link of this.#garbage.get(id)?.links ?? []) {
        const child = this.#garbage.get(link)
        if (child !== undefined && --child.parents === 0) order.push(link)
      }
    }
    return order
  }

  /** What was touched, and all that it links to, is no garbage any more. What was removed before stays counted. */
  spare(removed: ReadonlySet<string> = new Set()): void {
    const pending = [...this.#touched]
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const spared = this.#garbage.get(id)
      if (spared === undefined || removed.has(id)) continue
      this.#garbage.delete(id)
      pending.push(...spared.links)
    }
  }
}

/** Ids reachable from the roots, pins and path links, through nested content. */
async function mark(engine: Engine, roots: AsyncIterable<string>): Promise<Set<string>> {
  const marked = new Set<string>()
  for await (const id of roots) marked.add(id)
  for await (const entry of engine.scanAll(pinPrefix)) marked.add(entry.key.slice(1))
  for await (const entry of engine.scanAll(pathDomain.slice(0, 1))) {
    const target = entry.kind === kind.pathLink ? idPattern.exec((engine.payload(entry) as Buffer).toString()) : null
    if (target !== null) marked.add(target[1] as string)
  }
  const pending = [...marked]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const entry = await engine.get(contentKey(id))
    if (entry === undefined) continue
    for (const child of await linksOfEntry(engine, entry)) {
      if (marked.has(child)) continue
      marked.add(child)
      pending.push(child)
    }
  }
  return marked
}

async function linksOfEntry(engine: Engine, entry: Entry): Promise<string[]> {
  if (entry.kind !== kind.contentMessage) return []
  const payload = engine.payload(entry) ?? (await engine.payloadFromBackend(entry.key))
  return payload === undefined ? [] : linksOf(payload)
}
