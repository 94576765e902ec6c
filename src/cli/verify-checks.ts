import type { ChainName, ChainReport, Problem, Store, VerifyReport } from '../index.ts'

/** One line of what was checked: how much, how much of it is bad, and the first bad one. */
export interface Check {
  readonly check: string
  readonly counted: number
  readonly bad: number
  readonly first: Problem | undefined
}

const otherCheck = 'other'

/** Which check a problem belongs to, by the start of its code. */
const checkByCode: readonly (readonly [codes: RegExp, check: string])[] = [
  [/^log-/, 'log records'],
  [/^content-/, 'content'],
  [/^(dangling|orphan)-/, 'links'],
  [/^(head-|slot-count$)/, 'processes'],
  [/^(unreadable-slot|wrong-slot|wrong-process)$/, 'slots'],
  [/^(value|entry|checkpoint|accounting)-|^(unknown-key|wrong-kind)$/, 'stored entries'],
]

/** The checks of a whole-store verification. Problems beyond those listed count as `other`. */
export function storeChecks(report: VerifyReport): Check[] {
  const counted: readonly (readonly [string, number])[] = [
    ['log segments', report.segments],
    ['log records', report.records],
    ['stored entries', report.entries],
    ['content', report.contents],
    ['links', report.links],
    ['processes', report.processes],
    ['slots', report.slots],
  ]
  const problemsOf = (check: string): Problem[] => report.problems.filter((problem) => checkOf(problem) === check)
  const checks = counted.map(([check, count]) => toCheck(check, count, problemsOf(check)))
  const others = problemsOf(otherCheck)
  const unlisted = report.problemCount - report.problems.length
  if (others.length + unlisted === 0) return checks
  return [...checks, { check: otherCheck, counted: 0, bad: others.length + unlisted, first: others[0] }]
}

function checkOf(problem: Problem): string {
  return checkByCode.find(([codes]) => codes.test(problem.code))?.[1] ?? otherCheck
}

function toCheck(check: string, counted: number, problems: readonly Problem[]): Check {
  return { check, counted, bad: problems.length, first: problems[0] }
}

/** The hash chains of these processes as one check, and all their problems. */
export async function verifyChains(
  store: Store,
  chain: ChainName,
  processes: AsyncIterable<string> | Iterable<string>,
): Promise<{ check: Check; problems: Problem[] }> {
  const problems: Problem[] = []
  let counted = 0
  let bad = 0
  for await (const process of processes) {
    const report: ChainReport = await store.assignments.verify(process, { chain })
    counted += report.linksChecked
    bad += Math.max(report.linksChecked - report.linksGood, report.problems.length)
    problems.push(...report.problems)
  }
  return { check: { check: `${chain} chain`, counted, bad, first: problems[0] }, problems }
}
