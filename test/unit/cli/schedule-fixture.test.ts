import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generateSchedule } from '../../../fixtures/generate-schedule.ts'
import { parseSchedulerUnitLine } from '../../../src/cli/scheduler-unit.ts'

const text = readFileSync(new URL('../../../fixtures/schedule.jsonl', import.meta.url), 'utf8')
const raw = (id: unknown) => Buffer.from(String(id), 'base64url')
const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('base64url')

test('the bundled schedule is what its generator generates', () => {
  expect(text === generateSchedule()).toBe(true)
  expect(Buffer.byteLength(text)).toBeLessThan(600_000)
})

test('every hash chain of the bundled schedule starts and links as a scheduler unit chains', () => {
  const heads = new Map<unknown, { id: unknown; 'hash-chain'?: unknown }>()
  let links = 0
  for (const assignment of text.trim().split('\n').flatMap(parseSchedulerUnitLine)) {
    const head = heads.get(assignment.process)
    const expected =
      head === undefined ? sha256(raw(assignment.process)) : sha256(raw(head.id), raw(head['hash-chain']))
    expect(assignment['hash-chain']).toBe(expected)
    expect(assignment.id).toBe(sha256(raw(assignment.signature)))
    links += head === undefined ? 0 : 1
    heads.set(
      assignment.process,
      assignment as { id: unknown; 'hash-chain'?: unknown; process: unknown } & typeof assignment,
    )
  }
  expect(links).toBe(149)
})
