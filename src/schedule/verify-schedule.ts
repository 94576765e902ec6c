/** What `verify` checks of assignments: slots have content, heads and counts equal what the index holds. */
import { kind, printableKey } from '../codec/index.ts'
import { contentKey } from '../content/index.ts'
import type { CheckContext, CheckedEntry, Checker } from '../engine/index.ts'
import { decodeHead, decodeTarget, headPrefix, indexPrefix, locationPrefix, parseIndexKey } from './keys.ts'

interface Tally {
  count: number
  last: number
  lastId: string
}

/** Index and heads belong together: the index comes first in key order, then each head is compared with its tally. */
export function checkSchedule(): Checker[] {
  const tallies = new Map<string, Tally>()
  return [checkIndex(tallies), checkHeads(tallies), checkLocations()]
}

function checkIndex(tallies: Map<string, Tally>): Checker {
  return {
    prefix: indexPrefix,
    async check(entries, context) {
      const slots = entries.filter((entry) => isTarget(entry, kind.link, context))
      context.count('slots', entries.length)
      for (const { key, payload } of slots) {
        const { process, slot } = parseIndexKey(key)
        const tally = tallies.get(process)
        const lastId = decodeTarget(Buffer.from(payload))
        tallies.set(process, { count: (tally?.count ?? 0) + 1, last: slot, lastId })
      }
      await checkTargets(
        slots,
        context,
        ({ key }) => `assignments/${parseIndexKey(key).process}/${parseIndexKey(key).slot}`,
      )
    },
  }
}

function checkHeads(tallies: Map<string, Tally>): Checker {
  return {
    prefix: headPrefix,
    check(entries, context) {
      context.count('processes', entries.length)
      for (const entry of entries) {
        const process = entry.key.slice(1)
        checkHead(process, entry, tallies.get(process), context)
        tallies.delete(process)
      }
      return Promise.resolve()
    },
    finish(context) {
      for (const [process, { count }] of tallies) {
        context.report('head-missing', process, `${count} slots are there, but the process has no head record`)
      }
      return Promise.resolve()
    },
  }
}

function checkHead(process: string, entry: CheckedEntry, tally: Tally | undefined, context: CheckContext): void {
  if (entry.kind !== kind.head) {
    context.report('wrong-kind', process, `a head entry has kind ${entry.kind}`)
    return
  }
  const head = decodeHead(Buffer.from(entry.payload), process)
  if (head.count !== (tally?.count ?? 0)) {
    context.report('slot-count', process, `its head counts ${head.count} slots, the index has ${tally?.count ?? 0}`)
  }
  if (head.slot !== tally?.last || head.id !== tally.lastId) {
    context.report('head-slot', process, `its head names slot ${head.slot}, the index ends at ${tally?.last ?? 'none'}`)
  }
}

function checkLocations(): Checker {
  return {
    prefix: locationPrefix,
    async check(entries, context) {
      const targets = entries.filter((entry) => isTarget(entry, kind.location, context))
      await checkTargets(targets, context, ({ key }) => `scheduler-locations/${key.slice(1)}`)
    },
  }
}

function isTarget(entry: CheckedEntry, expected: number, context: CheckContext): boolean {
  if (entry.kind === expected && entry.payload.length === 32) return true
  context.report(
    'wrong-kind',
    printableKey(entry.key),
    `the entry has kind ${entry.kind} and ${entry.payload.length} bytes`,
  )
  return false
}

async function checkTargets(
  entries: readonly CheckedEntry[],
  context: CheckContext,
  where: (entry: CheckedEntry) => string,
): Promise<void> {
  const ids = entries.map(({ payload }) => decodeTarget(Buffer.from(payload)))
  context.count('links', ids.length)
  const present = await context.exist(ids.map(contentKey))
  entries.forEach((entry, i) => {
    if (present[i] !== true) context.report('dangling-link', where(entry), `its content ${ids[i]} is not in the store`)
  })
}
