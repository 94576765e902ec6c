import { hasCode } from '../base/index.ts'
import { decodeKey, printableKey } from '../codec/index.ts'
import type { CheckContext } from '../engine/index.ts'
import type { Caches } from './caches.ts'
import { indexEnd, indexKey, parseIndexKey } from './deadline-window.ts'
import { deadlineDomain, letter, nameOfDomain } from './names.ts'
import type { Space } from './space.ts'

/**
 * Names the entries without their place in the index of deadlines, and the places without an entry. Only when something
 * is known to be wrong: it goes through everything a second time.
 */
export async function findStrayDeadlines(caches: Caches, context: CheckContext): Promise<void> {
  context.report('deadline-index', 'deadlines', 'the index of deadlines is not that of the entries which have one')
  try {
    await compare(caches, context)
  } catch (error) {
    // What cannot be read has been reported as such: then the names have to wait until that is repaired.
    if (!hasCode(error, 'HOLDFAST_CORRUPT')) throw error
  }
}

async function compare(caches: Caches, context: CheckContext): Promise<void> {
  const { engine } = caches
  for await (const { key } of engine.scan({ domain: deadlineDomain, gte: deadlineDomain, lt: indexEnd })) {
    const { at, domain, encoded } = parseIndexKey(key)
    if (domain[0] !== letter.keyValue) continue
    const space = caches.space(letter.keyValue, nameOfDomain(domain))
    const entry = await space.fetch(decodeKey(encoded))
    if (entry !== undefined && space.deadlineOf(entry) === at) continue
    context.report('deadline-stray', printableKey(key), 'it stands in the index of deadlines, but has no such deadline')
  }
  for (const domain of (await caches.ledgers()).keys()) {
    if (domain[0] === letter.keyValue) await findUnlisted(caches.space(letter.keyValue, nameOfDomain(domain)), context)
  }
}

async function findUnlisted(space: Space, context: CheckContext): Promise<void> {
  for await (const entry of space.scan()) {
    const at = space.deadlineOf(entry)
    if (at === 0) continue
    const key = indexKey(at, space.domain, entry.key.slice(space.domain.length))
    if ((await space.engine.get(key)) !== undefined) continue
    context.report(
      'deadline-missing',
      printableKey(entry.key),
      'it has a deadline and is not in the index of deadlines',
    )
  }
}
