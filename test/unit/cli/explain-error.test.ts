import { describe, expect, test } from 'vitest'
import { HoldfastError } from '../../../src/base/index.ts'
import { CliError, notFoundError, usageError } from '../../../src/cli/cli-error.ts'
import { explainError, formatExplanation, formatStack } from '../../../src/cli/explain-error.ts'
import type { ErrorCode } from '../../../src/base/index.ts'

describe('an error on the command line', () => {
  test.each<[ErrorCode, number]>([
    ['HOLDFAST_LOCKED', 5],
    ['HOLDFAST_NOT_FOUND', 3],
    ['HOLDFAST_CORRUPT', 4],
    ['HOLDFAST_MISSING_CONTENT', 4],
    ['HOLDFAST_FORMAT_UNSUPPORTED', 1],
    ['HOLDFAST_IO', 1],
    ['HOLDFAST_SLOT_CONFLICT', 1],
    ['HOLDFAST_INVALID_PATH', 2],
  ])('%s exits with %i and says what to do next', (code, exitCode) => {
    const explanation = explainError(new HoldfastError(code, 'what happened'))
    expect(explanation).toMatchObject({ exitCode, code, message: 'what happened' })
    if (code !== 'HOLDFAST_INVALID_PATH') expect(explanation.next).toMatch(/\w/)
  })

  test('of the command line itself keeps its own exit code', () => {
    expect(explainError(usageError('x')).exitCode).toBe(2)
    expect(explainError(notFoundError('x', 'y'))).toMatchObject({ exitCode: 3, next: 'y' })
    expect(explainError(new CliError('CLI_INPUT', 'x')).exitCode).toBe(1)
  })

  test('of the system keeps its code, and anything else asks for --debug', () => {
    expect(explainError(Object.assign(new Error('denied'), { code: 'EACCES' }))).toMatchObject({
      exitCode: 1,
      code: 'EACCES',
    })
    expect(explainError(new Error('odd'))).toMatchObject({ exitCode: 1, code: 'CLI_UNEXPECTED' })
    expect(explainError('odd').next).toContain('--debug')
  })

  test('shows message, code and next step, and no stack', () => {
    const text = formatExplanation(explainError(new HoldfastError('HOLDFAST_LOCKED', 'process 7 has the store open')))
    expect(text).toMatch(/^holdfast: process 7 has the store open\n {2}code: HOLDFAST_LOCKED\n {2}next: wait/)
    expect(text).not.toContain('    at ')
  })

  test('with a cause shows both stacks when asked', () => {
    const stack = formatStack(new Error('outer', { cause: new Error('inner') }))
    expect(stack).toContain('Error: outer')
    expect(stack).toContain('caused by Error: inner')
  })
})
