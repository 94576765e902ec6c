/** Walks one process: every slot readable, head and count as the index says, each hash-chain link as the rule says. */
import { HoldfastError } from '../base/index.ts'
import type { Value } from '../content/index.ts'
import type { Problem } from '../engine/index.ts'
import { chainFunction, neighbours } from './chains.ts'
import type { Head } from './keys.ts'
import type { IndexedSlot } from './slot-index.ts'
import type { Assignment, ChainFunction, ChainName, ChainReport, Slot } from './types.ts'

const problemsMax = 1000

export async function verifyChain(
  process: string,
  head: Head | undefined,
  slots: AsyncIterable<IndexedSlot>,
  load: (id: string) => Promise<Value | undefined>,
  chain: ChainName | ChainFunction | undefined,
): Promise<ChainReport> {
  const expected = chain === undefined ? undefined : chainFunction(chain)
  const problems: Problem[] = []
  const figures = { slots: 0, linksChecked: 0, linksGood: 0, gaps: 0 }
  let previous: Slot | undefined
  let before = -1
  const report = (code: string, slot: number, message: string) => {
    if (problems.length < problemsMax) problems.push({ code, where: `${process}/${slot}`, message })
  }
  for await (const { slot, id } of slots) {
    if (figures.slots > 0) figures.gaps += slot - before - 1
    figures.slots++
    before = slot
    const current = await loadSlot(slot, id, load, (message) => report('unreadable-slot', slot, message))
    if (current !== undefined && current.assignment.process !== process)
      report('wrong-process', slot, `its content names process ${String(current.assignment.process)}`)
    if (current !== undefined && current.assignment.slot !== slot)
      report('wrong-slot', slot, `its content names slot ${String(current.assignment.slot)}`)
    if (expected !== undefined && current !== undefined) {
      const link = expected(current, neighbours(previous, current) ? previous : undefined)
      if (link !== undefined) {
        figures.linksChecked++
        if (link === current.assignment['hash-chain']) figures.linksGood++
        else
          report(
            'chain-broken',
            slot,
            `its hash-chain is ${String(current.assignment['hash-chain'])}, the chain demands ${link}`,
          )
      }
    }
    previous = current
  }
  checkHead(process, head, figures.slots, before, problems)
  return { ok: problems.length === 0, problems, process, ...figures }
}

async function loadSlot(
  slot: number,
  id: string,
  load: (id: string) => Promise<Value | undefined>,
  fail: (message: string) => void,
): Promise<Slot | undefined> {
  try {
    const value = await load(id)
    if (value !== undefined) return { slot, id, assignment: value as Assignment }
    fail(`its content ${id} is missing`)
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    fail(error.message)
  }
  return undefined
}

function checkHead(process: string, head: Head | undefined, slots: number, last: number, problems: Problem[]): void {
  if ((head?.count ?? 0) !== slots) {
    problems.push({
      code: 'slot-count',
      where: process,
      message: `its head counts ${head?.count ?? 0} slots, the index has ${slots}`,
    })
  }
  if ((head?.slot ?? -1) !== last) {
    problems.push({
      code: 'head-slot',
      where: process,
      message: `its head names slot ${head?.slot ?? 'none'}, the index ends at ${last < 0 ? 'none' : last}`,
    })
  }
}
