/** Real and bundled schedules of a scheduler unit, through the store: nothing lost, every link of the chains proven. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseSchedulerUnitLine } from '../../../src/cli/scheduler-unit.ts'
import type { Assignment } from '../../../src/index.ts'
import { world } from '../engine/worlds.ts'

function assignmentsOf(file: URL): Assignment[] {
  return readFileSync(file, 'utf8').trim().split('\n').flatMap(parseSchedulerUnitLine)
}

const bundled = new URL('../../../fixtures/schedule.jsonl', import.meta.url)
const real = new URL('../../../../shared/data/ao-schedule.jsonl', import.meta.url)

test.each([
  { name: 'bundled', file: bundled, links: 149 },
  { name: 'real', file: real, links: 30 },
])('the $name schedule keeps its chain over restarts and checkpoints', async ({ name, file, links }) => {
  // The real data are not part of the project: where they are missing the bundled ones stand in.
  const there = existsSync(file)
  const all = assignmentsOf(there ? file : bundled)
  const expected = there || name === 'bundled' ? links : 149
  const w = world()
  const options = { memoryBytes: 65_536, segmentBytes: 4096 }
  const first = await w.open(options)
  const half = Math.floor(all.length / 2)
  for (const each of all.slice(0, half)) expect((await first.assignments.write(each)).created).toBe(true)
  await first.close()
  const second = await w.open(options)
  await second.assignments.writeMany(all.slice(half))
  expect(await second.assignments.writeMany(all)).toMatchObject(all.map(() => ({ created: false })))
  let checked = 0
  let slots = 0
  for await (const process of second.assignments.processes()) {
    const report = await second.assignments.verify(process, { chain: 'scheduler-unit' })
    expect(report.problems).toEqual([])
    expect(report.linksGood).toBe(report.linksChecked)
    checked += report.linksGood
    slots += report.slots
    const own = all.filter((each) => each.process === process).sort((a, b) => Number(a.slot) - Number(b.slot))
    const head = own.at(-1) as Assignment
    expect(await second.assignments.latest(process)).toMatchObject({ slot: head.slot, hashChain: head['hash-chain'] })
    expect(await second.assignments.read(process, head.slot)).toEqual(head)
  }
  expect([checked, slots]).toEqual([expected, all.length])
  expect((await second.verify()).problems).toEqual([])
  await second.close()
})

test('one changed link of a real chain is found', async () => {
  const all = assignmentsOf(bundled)
  const process = all[0]?.process as string
  const own = all.filter((each) => each.process === process)
  const w = world()
  const store = await w.open()
  await store.assignments.writeMany(own)
  const victim = own[3] as Assignment
  await store.assignments.write({ ...victim, 'hash-chain': 'x'.repeat(43) }, { overwrite: true })
  const report = await store.assignments.verify(process, { chain: 'scheduler-unit' })
  expect(report.problems.map(({ code, where }) => [code, where])).toEqual([
    ['chain-broken', `${process}/${victim.slot}`],
    ['chain-broken', `${process}/${Number(victim.slot) + 1}`],
  ])
  expect(report.linksChecked - report.linksGood).toBe(2)
  await store.close()
})
