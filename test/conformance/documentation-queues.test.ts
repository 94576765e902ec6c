import { expect, test } from 'vitest'
import { runExamples } from '../support/doc-example.ts'

test('the examples of docs/queues.md print what the page says they do', { timeout: 60_000 }, async () => {
  const { printed, promised } = await runExamples('queues.md')
  const jobs = ['done: a', 'done: b', 'done: c']
  expect(printed.filter((line) => !jobs.includes(line))).toEqual(promised.filter((line) => !line.startsWith('done')))
  expect(printed.filter((line) => jobs.includes(line))).toEqual(jobs)
})
