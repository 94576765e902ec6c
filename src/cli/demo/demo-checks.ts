import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { hasCode } from '../../base/index.ts'
import type { Assignment, ContentId, Store } from '../../index.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../text.ts'
import { verifyChains } from '../verify-checks.ts'
import { demoAssignments, demoProcess } from './demo-assignments.ts'
import type { KilledWriter } from './kill-writer.ts'

/** One line of what the demo tells: what was done, what had to come out, what came out. */
export interface DemoCheck {
  readonly done: string
  readonly expected: string
  readonly found: string
  readonly ok: boolean
}

export function checkWriter(writer: KilledWriter, killAfter: number): DemoCheck {
  const count = writer.acknowledged.size
  return {
    done: 'killed a writer in mid-stream (SIGKILL)',
    expected: `at least ${plural(killAfter, 'write')} acknowledged`,
    found:
      writer.ending === 'SIGKILL'
        ? `${formatCount(count)} acknowledged`
        : `it ended with ${writer.ending}: ${writer.errors.trim()}`,
    ok: writer.ending === 'SIGKILL' && count >= killAfter,
  }
}

export function checkRecovery(store: Store): DemoCheck {
  const { clean, recordsReplayed, tornBytes, durationMs } = store.recovery
  const torn = tornBytes === 0 ? 'no torn tail' : `torn tail of ${formatBytes(tornBytes)} set aside`
  return {
    done: 'opened the store again',
    expected: 'the log is replayed',
    found: `${plural(recordsReplayed, 'record')} in ${formatDuration(durationMs)}, ${torn}`,
    ok: !clean && recordsReplayed > 0,
  }
}

/** Every acknowledged slot is there, and its bytes are those that were written. */
export async function checkAcknowledged(
  store: Store,
  acknowledged: ReadonlyMap<number, ContentId>,
): Promise<DemoCheck[]> {
  const last = Math.max(-1, ...acknowledged.keys())
  let present = 0
  let identical = 0
  for (const expected of demoAssignments()) {
    const slot = Number(expected.slot)
    if (slot > last) break
    const id = acknowledged.get(slot)
    if (id === undefined) continue
    const found = await store.assignments.read(demoProcess, slot)
    if (found !== undefined) present += 1
    if (found !== undefined && (await isIdentical(store, id, found, expected))) identical += 1
  }
  const count = formatCount(acknowledged.size)
  return [
    {
      done: 'read every acknowledged slot',
      expected: `${count} there`,
      found: `${formatCount(present)} there`,
      ok: present === acknowledged.size,
    },
    {
      done: 'compared them with what was written',
      expected: `${count} identical`,
      found: `${formatCount(identical)} identical`,
      ok: identical === acknowledged.size,
    },
  ]
}

/** The value is what the writer meant, its id is the acknowledged one, and the stored bytes hash to that id. */
async function isIdentical(store: Store, id: ContentId, found: Assignment, expected: Assignment): Promise<boolean> {
  const bytes = await store.content.bytes(id)
  const hash = bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('base64url')
  return hash === id && store.content.id(expected) === id && isDeepStrictEqual(found, expected)
}

/** What was written but not acknowledged may be there or not, but only as a prefix: no hole, nothing torn. */
export async function checkNoHoles(store: Store, acknowledged: ReadonlyMap<number, ContentId>): Promise<DemoCheck> {
  const slots = await store.assignments.list(demoProcess)
  const holes = slots.filter((slot, index) => slot !== index).length
  const last = Math.max(-1, ...acknowledged.keys())
  const beyond = slots.filter((slot) => slot > last).length
  return {
    done: 'looked for holes between the slots',
    expected: 'none',
    found:
      holes === 0
        ? `none; ${formatCount(beyond)} written but unacknowledged kept`
        : plural(holes, 'slot out of place', 'slots out of place'),
    ok: holes === 0,
  }
}

export async function checkImported(store: Store, assignments: readonly Assignment[]): Promise<DemoCheck> {
  let identical = 0
  for (const assignment of assignments) {
    const found = await store.assignments.read(assignment.process, assignment.slot)
    if (found !== undefined && isDeepStrictEqual(found, assignment)) identical += 1
  }
  return {
    done: 'compared the imported schedule with its file',
    expected: `${formatCount(assignments.length)} identical`,
    found: `${formatCount(identical)} identical`,
    ok: identical === assignments.length,
  }
}

export async function checkConflict(store: Store): Promise<DemoCheck> {
  const outcome = await store.assignments.write({ process: demoProcess, slot: 0, body: 'another message' }).then(
    () => 'written',
    (error: unknown) => (hasCode(error, 'HOLDFAST_SLOT_CONFLICT') ? 'refused' : `failed: ${String(error)}`),
  )
  return { done: 'wrote other content to a taken slot', expected: 'refused', found: outcome, ok: outcome === 'refused' }
}

/** Links from one slot to the next: there is one fewer than slots in each process, as none has a gap. */
export async function checkChains(store: Store, schedule: readonly Assignment[]): Promise<DemoCheck> {
  const imported = new Set(schedule.map((assignment) => String(assignment.process)))
  const demoSlots = (await store.assignments.list(demoProcess)).length
  const linksExpected = schedule.length - imported.size + Math.max(0, demoSlots - 1)
  const { check } = await verifyChains(store, 'scheduler-unit', [...imported, demoProcess])
  return {
    done: 'verified the hash chain of every process',
    expected: `${plural(linksExpected, 'link')}, all good`,
    found: `${plural(check.counted, 'link')}, ${check.bad === 0 ? 'all good' : `${formatCount(check.bad)} bad`}`,
    ok: check.bad === 0 && check.counted === linksExpected,
  }
}

export async function checkStore(store: Store): Promise<DemoCheck> {
  const report = await store.verify()
  const { records, entries, contents, problemCount } = report
  return {
    done: 'verified the whole store',
    expected: 'no problem',
    found: `${problemCount === 0 ? 'no problem' : plural(problemCount, 'problem')} in ${plural(records, 'record')}, ${plural(entries, 'entry', 'entries')}, ${plural(contents, 'content')}`,
    ok: report.ok && problemCount === 0,
  }
}
