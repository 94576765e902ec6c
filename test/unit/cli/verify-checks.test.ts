import { expect, test } from 'vitest'
import { storeChecks } from '../../../src/cli/verify-checks.ts'
import type { VerifyReport } from '../../../src/engine/index.ts'

const report: VerifyReport = {
  ok: true,
  problems: [],
  problemCount: 0,
  segments: 1,
  records: 2,
  entries: 3,
  contents: 4,
  links: 5,
  processes: 6,
  slots: 7,
  bytes: 8,
  durationMs: 9,
}

test('a sound store has one line per check and nothing bad', () => {
  const checks = storeChecks(report)
  expect(checks.map((check) => check.counted)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(checks.every((check) => check.bad === 0 && check.first === undefined)).toBe(true)
})

test('problems are counted where they belong, with the first of each, and none is lost', () => {
  const problem = (code: string, where: string) => ({ code, where, message: 'm' })
  const problems = [
    problem('content-hash', 'a'),
    problem('content-hash', 'b'),
    problem('dangling-link', 'c'),
    problem('unheard-of', 'd'),
  ]
  const checks = storeChecks({ ...report, ok: false, problems, problemCount: 10 })
  const bad = Object.fromEntries(checks.map((check) => [check.check, [check.bad, check.first?.where]]))
  expect(bad).toMatchObject({ content: [2, 'a'], links: [1, 'c'], other: [7, 'd'], slots: [0, undefined] })
  expect(checks.reduce((sum, check) => sum + check.bad, 0)).toBe(10)
})
