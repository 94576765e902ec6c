import { expect, it } from 'vitest'
import { readText, testFiles } from './project-files.ts'
import { isIdentifier, isNode, lineOf, memberName, nodesOf, type SyntaxNode } from './syntax.ts'

const runners = new Set(['it', 'test', 'describe', 'suite'])
const marks = new Set(['only', 'skip', 'todo'])

function markedTests(file: string, text: string): string[] {
  const found: string[] = []
  for (const node of nodesOf(text)) {
    const mark = markOf(node)
    if (mark !== undefined) found.push(`${file}:${lineOf(text, node)} ${mark}`)
  }
  return found
}

/** `it.only(…)`, `describe.concurrent.skip(…)` and `it(name, { todo: true }, …)`. */
function markOf(node: SyntaxNode): string | undefined {
  const member = memberName(node)
  if (member !== undefined) return marks.has(member) && isRunner(node['object']) ? member : undefined
  if (node.type !== 'CallExpression' || !isRunner(node['callee']) || !Array.isArray(node['arguments'])) return undefined
  for (const argument of node['arguments'] as unknown[]) {
    if (!isNode(argument) || argument.type !== 'ObjectExpression') continue
    const names = (argument['properties'] as unknown[]).map((property) =>
      isNode(property) ? property['key'] : undefined,
    )
    const key = names.find((name) => isIdentifier(name) && marks.has(name.name))
    if (isIdentifier(key)) return key.name
  }
  return undefined
}

function isRunner(value: unknown): boolean {
  if (isIdentifier(value)) return runners.has(value.name)
  if (!isNode(value)) return false
  return isRunner(value['object']) || isRunner(value['callee'])
}

it('no test is marked only, skip or todo', () => {
  const files = testFiles()
  expect(files.length).toBeGreaterThanOrEqual(10)
  expect(files.flatMap((file) => markedTests(file, readText(file)))).toEqual([])
})

it.each([
  "it.only('x', f)",
  "test.skip('x', f)",
  "describe.todo('x')",
  "describe.concurrent.skip('x', f)",
  "it.skip.each([1])('x', f)",
  "it.each([1]).only('x', f)",
  "it('x', { skip: true }, f)",
])('the rule refuses %s', (text) => {
  expect(markedTests('test/a.test.ts', text)).not.toEqual([])
})

it.each(["it.skipIf(windows)('x', f)", "it('x', { timeout: 5 }, f)", 'queue.skip(1)', "// it.only('x', f)"])(
  'the rule allows %s',
  (text) => {
    expect(markedTests('test/a.test.ts', text)).toEqual([])
  },
)
