import { describe, expect, test } from 'vitest'
import { formatAssignmentLine, parseAssignmentLine } from '../../../src/cli/assignment-lines.ts'

const process = 'DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo'

describe('an assignment line', () => {
  test('reads back what was exported', () => {
    const assignment = {
      process,
      slot: 3,
      body: { raw: new Uint8Array([0, 1]), big: 5n, $base64: 'no escape: two keys', zero: -0 },
    }
    expect(parseAssignmentLine(formatAssignmentLine(assignment))).toEqual([assignment])
    const binary = { process: new Uint8Array(32), slot: '7' }
    expect(parseAssignmentLine(formatAssignmentLine(binary))).toEqual([binary])
  })

  test.each([
    ['3', 'is not a JSON object'],
    ['{"slot":1}', 'has no process'],
    [`{"process":"x","slot":1}`, 'has the process "x"'],
    [`{"process":"${process}"}`, 'has no slot'],
    [`{"process":"${process}","slot":-1}`, 'has the slot -1'],
    [`{"process":"${process}","slot":"03"}`, 'has the slot "03"'],
    [`{"process":"${process}","slot":1.5}`, 'has the slot 1.5'],
    [`{"process":"${process}","slot":1,"hash-chain":4}`, 'has a hash-chain that is not text'],
    [`{"process":"${process}","slot":1,"a":{"$base64":"?"}}`, 'is not valid JSON'],
  ])('%s is refused: it %s', (line, words) => {
    expect(() => parseAssignmentLine(line)).toThrow(words)
  })
})
