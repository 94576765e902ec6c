import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readText, root, testFiles } from './project-files.ts'

const codePattern = /\bHOLDFAST_[A-Z_]+\b/g
const codes = codesIn(readText('src/base/errors.ts').match(/export type ErrorCode =[^\n]*\n(?: {2}\|.*\n)+/)?.[0] ?? '')
const documents = ['README.md', 'docs/errors.md'].filter((file) => existsSync(join(root, file)))

function codesIn(text: string): Set<string> {
  return new Set(text.match(codePattern))
}

/** Codes with a heading or a table row of their own; a mention elsewhere explains nothing. */
function explainedCodes(text: string): Set<string> {
  return codesIn(
    text
      .split('\n')
      .map((line) => /^(?:#+\s+|\|\s*)`?(HOLDFAST_[A-Z_]+)\b/.exec(line)?.[1] ?? '')
      .join('\n'),
  )
}

describe('every error code', () => {
  it('is seen', () => {
    expect(codes.size).toBeGreaterThanOrEqual(20)
  })

  it('is explained in the documentation', () => {
    const explained = new Set(documents.flatMap((file) => [...explainedCodes(readText(file))]))
    expect([...codes].filter((code) => !explained.has(code))).toEqual([])
  })

  it('is provoked by a test', () => {
    const tests = testFiles().filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/tidy/'))
    const provoked = new Set(tests.flatMap((file) => [...codesIn(readText(file))]))
    expect([...codes].filter((code) => !provoked.has(code))).toEqual([])
  })
})

describe('the documentation', () => {
  it('explains only codes that exist', () => {
    const known = new Set(codes)
    expect(documents.flatMap((file) => [...codesIn(readText(file))].filter((code) => !known.has(code)))).toEqual([])
  })

  it('must give a code its own heading or row', () => {
    const text = '### HOLDFAST_IO\n| `HOLDFAST_LOCKED` | x |\n| x | `HOLDFAST_CLOSED` |\nsee HOLDFAST_POISONED'
    expect([...explainedCodes(text)]).toEqual(['HOLDFAST_IO', 'HOLDFAST_LOCKED'])
  })
})
