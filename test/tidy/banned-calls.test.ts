import { describe, expect, it } from 'vitest'
import { timersIn } from './import-rules.ts'
import { readText, sourceFiles } from './project-files.ts'
import { isIdentifier, isNode, lineOf, memberName, nodesOf, type SyntaxNode } from './syntax.ts'

interface Ban {
  readonly what: string
  readonly matches: (node: SyntaxNode) => boolean
  /** A room with its slash, or one file. */
  readonly allowedIn: readonly string[]
}

const timers = new Set(['setTimeout', 'setInterval', 'setImmediate'])

const bans: readonly Ban[] = [
  { what: 'Date.now(): take a Clock', matches: isMember('Date', 'now'), allowedIn: ['src/base/clock.ts'] },
  {
    what: 'new Date() without a time: take a Clock',
    matches: (node) => isDateConstruction(node) && isEmpty(node['arguments']),
    allowedIn: ['src/base/clock.ts'],
  },
  { what: 'performance: take a Clock', matches: isMember('performance'), allowedIn: ['src/base/clock.ts'] },
  { what: 'process.hrtime: take a Clock', matches: isMember('process', 'hrtime'), allowedIn: ['src/base/clock.ts'] },
  { what: 'Math.random: take a seeded generator', matches: isMember('Math', 'random'), allowedIn: [] },
  { what: 'process.env: take an option', matches: isMember('process', 'env'), allowedIn: ['src/cli/'] },
  { what: 'process.exit: throw', matches: isMember('process', 'exit'), allowedIn: ['src/cli/'] },
  { what: 'console: throw or report', matches: isMember('console'), allowedIn: ['src/cli/'] },
  {
    what: 'a timer: only where time is part of the job',
    matches: (node) => node.type === 'CallExpression' && timers.has(calledName(node)),
    allowedIn: timersIn,
  },
]

function bannedCalls(file: string, text: string): string[] {
  const active = bans.filter((ban) => !ban.allowedIn.some((place) => file.startsWith(place)))
  const found: string[] = []
  for (const node of nodesOf(text)) {
    for (const ban of active) if (ban.matches(node)) found.push(`${file}:${lineOf(text, node)} ${ban.what}`)
  }
  return found
}

/** `object.name`, `globalThis.object.name` and `const { name } = object`; any member when `name` is left out. */
function isMember(object: string, name?: string): (node: SyntaxNode) => boolean {
  return (node) => {
    if (node.type === 'VariableDeclarator') return isNode(node['id']) && isObject(node['init'], object)
    return isObject(node['object'], object) && (name === undefined || memberName(node) === name)
  }
}

function isObject(value: unknown, name: string): boolean {
  if (isIdentifier(value, name)) return true
  return isNode(value) && memberName(value) === name && isIdentifier(value['object'], 'globalThis')
}

function isDateConstruction(node: SyntaxNode): boolean {
  return (node.type === 'NewExpression' || node.type === 'CallExpression') && isObject(node['callee'], 'Date')
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function calledName(node: SyntaxNode): string {
  const { callee } = node
  if (isIdentifier(callee)) return callee.name
  return isNode(callee) && isIdentifier(callee['object'], 'globalThis') ? (memberName(callee) ?? '') : ''
}

describe('source files', () => {
  it('take time, chance, settings and output from outside', () => {
    const files = sourceFiles()
    expect(files.length).toBeGreaterThanOrEqual(20)
    expect(files.flatMap((file) => bannedCalls(file, readText(file)))).toEqual([])
  })
})

describe('the bans', () => {
  it.each([
    'Date.now()',
    'const now = Date.now',
    'const { now } = Date',
    'globalThis.Date.now()',
    "Date['now']()",
    'new Date()',
    'Date()',
    'performance.now()',
    'process.hrtime.bigint()',
    'Math.random()',
    'process.env.HOME',
    "process['env']",
    'process.exit(1)',
    "console.log('x')",
    'setTimeout(f, 1)',
    'globalThis.setInterval(f, 1)',
    'setImmediate(f)',
  ])('refuse %s in the content room', (text) => {
    expect(bannedCalls('src/content/a.ts', text)).not.toEqual([])
  })

  it.each([
    ['src/base/clock.ts', 'Date.now() + performance.now()'],
    ['src/cli/a.ts', "console.log(process.env['HOME'])"],
    ['src/wal/a.ts', 'setTimeout(f, 1)'],
    ['src/kv/a.ts', 'new Date(0)'],
    ['src/kv/a.ts', 'Math.max(1, 2)'],
    ['src/kv/a.ts', "// Date.now()\nconst s = 'Math.random()'"],
  ])('allow in %s: %s', (file, text) => {
    expect(bannedCalls(file, text)).toEqual([])
  })
})
