import type { ChainName, Problem } from '../../index.ts'
import { type Context, withReadOnlyStore } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { stringifyValue } from '../json-value.ts'
import { startProgress } from '../progress.ts'
import { type Cell, formatTable } from '../table.ts'
import { formatCount, formatDuration, plural } from '../text.ts'
import { type Check, storeChecks, verifyChains } from '../verify-checks.ts'

interface VerifyCommandOptions {
  readonly chain?: ChainName
}

const problemsMax = 10_000
/** Lines of problems for people; `--json` prints all. */
const problemsShown = 20

export function runVerify(context: Context, options: VerifyCommandOptions): Promise<ExitCode> {
  return withReadOnlyStore(context, async (store) => {
    const progress = startProgress(context.terminal.stderr, 'verifying', undefined)
    const onProgress = (entries: number) => progress.update(entries, `${formatCount(entries)} entries`)
    const report = await store.verify({ problemsMax, onProgress }).finally(() => progress.stop())
    const checks = storeChecks(report)
    const problems: Problem[] = [...report.problems]
    if (options.chain !== undefined) {
      const chains = await verifyChains(store, options.chain, store.assignments.processes())
      checks.push(chains.check)
      problems.push(...chains.problems)
    }
    const ok = report.ok && checks.every((check) => check.bad === 0)
    if (context.options.json) await printJson(context, checks, problems, ok)
    else await printTables(context, checks, problems)
    if (!context.options.json)
      context.say(`${ok ? 'no problem found' : 'problems found'} in ${formatDuration(report.durationMs)}`)
    return ok ? exitCodes.ok : exitCodes.integrity
  })
}

async function printJson(
  context: Context,
  checks: readonly Check[],
  problems: readonly Problem[],
  ok: boolean,
): Promise<void> {
  for (const { check, counted, bad, first } of checks) {
    await context.out.line(stringifyValue({ type: 'check', check, counted, bad, first: first?.where ?? null }))
  }
  for (const problem of problems) await context.out.line(stringifyValue({ type: 'problem', ...problem }))
  await context.out.line(stringifyValue({ type: 'end', ok }))
}

async function printTables(context: Context, checks: readonly Check[], problems: readonly Problem[]): Promise<void> {
  const columns = [
    { title: 'check' },
    { title: 'counted', align: 'right' },
    { title: 'bad', align: 'right' },
    { title: 'first bad' },
  ] as const
  const rows = checks.map(({ check, counted, bad, first }): Cell[] => {
    const badCell: Cell = { text: formatCount(bad), tone: bad === 0 ? 'good' : 'bad' }
    return [check, formatCount(counted), badCell, first?.where ?? (bad === 0 ? '-' : '(not listed)')]
  })
  await context.out.line(formatTable(columns, rows, context.outStyle))
  if (problems.length === 0) return context.out.flush()
  const shown = problems
    .slice(0, problemsShown)
    .map((problem): Cell[] => [problem.code, problem.where, problem.message])
  await context.out.line('')
  await context.out.line(
    formatTable([{ title: 'problem' }, { title: 'where' }, { title: 'what' }], shown, context.outStyle),
  )
  await context.out.flush()
  if (problems.length > shown.length)
    context.say(`${plural(problems.length - shown.length, 'more problem')}: --json prints them all`)
}
