/** Mark and sweep of content that nothing links to or pins. Writers go on: what they touch meanwhile stays. */
import { kind, linksOf } from '../codec/index.ts'
import type { Engine } from '../engine/index.ts'
import type { Contents } from './content-store.ts'
import { contentDomain, contentKey, contentPrefix, pathDomain, pinPrefix } from './keys.ts'
import type { GcOptions, GcReport } from './types.ts'

const sweepBatch = 512
const idPattern = /^data\/([A-Za-z0-9_-]{43})$/

/** `roots`: the content that other structures refer to. */
export async function collectGarbage(
  engine: Engine,
  contents: Contents,
  roots: () => AsyncIterable<string>,
  options: GcOptions = {},
): Promise<GcReport> {
  const touched = contents.beginCollection()
  try {
    const marked = await mark(engine, roots())
    const report = { examined: 0, removed: 0, bytes: 0 }
    let batch: string[] = []
    for await (const entry of engine.scanAll(contentPrefix)) {
      report.examined++
      const id = entry.key.slice(1)
      if (marked.has(id) || touched.has(id)) continue
      report.removed++
      report.bytes += entry.length
      batch.push(id)
      if (batch.length < sweepBatch) continue
      report.removed -= await sweep(engine, touched, batch, options)
      batch = []
    }
    report.removed -= await sweep(engine, touched, batch, options)
    return { ok: true, problems: [], ...report }
  } finally {
    contents.endCollection()
  }
}

/** Removes a batch in one record; answers how many were spared because somebody touched them since. */
async function sweep(
  engine: Engine,
  touched: ReadonlySet<string>,
  ids: readonly string[],
  options: GcOptions,
): Promise<number> {
  if (options.dryRun === true || ids.length === 0) return 0
  return engine.write(undefined, () => {
    let spared = 0
    for (const id of ids) {
      if (touched.has(id)) spared++
      else engine.delete(contentKey(id), contentDomain)
    }
    return spared
  })
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
    if (entry === undefined || entry.kind !== kind.contentMessage) continue
    const payload = engine.payload(entry) ?? (await engine.payloadFromBackend(entry.key))
    for (const child of linksOf(payload ?? Buffer.alloc(0))) {
      if (marked.has(child)) continue
      marked.add(child)
      pending.push(child)
    }
  }
  return marked
}
