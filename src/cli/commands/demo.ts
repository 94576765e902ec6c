import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Assignment, Store } from '../../index.ts'
import { type Context, withStore } from '../context.ts'
import * as check from '../demo/demo-checks.ts'
import { killWriter } from '../demo/kill-writer.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { importLines } from '../import-lines.ts'
import { stringifyValue } from '../json-value.ts'
import { bundledSchedule } from '../package-files.ts'
import { parseSchedulerUnitLine } from '../scheduler-unit.ts'
import { type Cell, formatTable } from '../table.ts'
import { formatCount, plural } from '../text.ts'

interface DemoOptions {
  readonly keep?: true
}

const killAfterAcknowledged = 500

/** The store's promise, tried out: what was acknowledged survives a kill. Fails loudly if it does not. */
export async function runDemo(context: Context, options: DemoOptions): Promise<ExitCode> {
  const temporary = !context.storeGiven
  const location = temporary ? await mkdtemp(join(tmpdir(), 'holdfast-demo-')) : context.options.store
  context.say(`store: ${location}`)
  const checks = await runSteps(context, location)
  const ok = checks.every((item) => item.ok)
  await print(context, checks)
  if (temporary && ok && options.keep !== true) await rm(location, { recursive: true, force: true })
  else context.say(`look around: holdfast --store ${location} status`)
  context.say(
    ok ? context.errStyle.good('everything is as it should be') : context.errStyle.bad('something is wrong: see above'),
  )
  return ok ? exitCodes.ok : exitCodes.integrity
}

async function runSteps(context: Context, location: string): Promise<check.DemoCheck[]> {
  const file = bundledSchedule()
  const schedule: Assignment[] = []
  context.say('1. importing the bundled schedule')
  const imported = await withStore(context, location, {}, (store) => importBundled(store, file, schedule))
  context.say(`2. starting a writer, killing it after ${killAfterAcknowledged} acknowledged writes`)
  const writer = await killWriter(location, killAfterAcknowledged)
  context.say('3. opening the store again and checking it')
  const checked = await withStore(context, location, {}, async (store) => {
    return [
      check.checkRecovery(store),
      ...(await check.checkAcknowledged(store, writer.acknowledged)),
      await check.checkNoHoles(store, writer.acknowledged),
      await check.checkImported(store, schedule),
      await check.checkConflict(store),
      await check.checkChains(store, schedule),
      await check.checkStore(store),
    ]
  })
  return [...imported, check.checkWriter(writer, killAfterAcknowledged), ...checked]
}

/** Twice, to show that the second time changes nothing. Fills `schedule` with what the file holds. */
async function importBundled(store: Store, file: string, schedule: Assignment[]): Promise<check.DemoCheck[]> {
  const parse = (line: string): Assignment[] => {
    const assignments = parseSchedulerUnitLine(line)
    schedule.push(...assignments)
    return assignments
  }
  const first = await importLines(store, createReadStream(file), { name: file, parse })
  const again = await importLines(store, createReadStream(file), { name: file, parse: parseSchedulerUnitLine })
  const processes = new Set(schedule.map((assignment) => assignment.process)).size
  const stored = first.created + first.existing
  return [
    {
      done: 'imported a schedule',
      expected: `${plural(schedule.length, 'assignment')} of ${plural(processes, 'process', 'processes')}`,
      found: `${plural(stored, 'assignment')} stored`,
      ok: stored === schedule.length && stored > 0,
    },
    {
      done: 'imported it again',
      expected: 'nothing new',
      found: `${formatCount(again.created)} new`,
      ok: again.created === 0,
    },
  ]
}

async function print(context: Context, checks: readonly check.DemoCheck[]): Promise<void> {
  if (context.options.json) {
    for (const item of checks) await context.out.line(stringifyValue(item))
  } else {
    const columns = [{ title: 'what was done' }, { title: 'expected' }, { title: 'found' }, { title: '' }]
    const rows = checks.map(({ done, expected, found, ok }): Cell[] => [
      done,
      expected,
      found,
      ok ? { text: 'ok', tone: 'good' } : { text: 'WRONG', tone: 'bad' },
    ])
    await context.out.line(`\n${formatTable(columns, rows, context.outStyle)}\n`)
  }
  await context.out.flush()
}
