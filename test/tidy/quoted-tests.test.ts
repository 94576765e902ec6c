import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFiles, readText } from './project-files.ts'
import { isNode, nodesOf, type SyntaxNode } from './syntax.ts'

/** A test as a document names it: the names of its groups and its own, as far as they are given. */
interface Quote {
  readonly line: number
  readonly file: string
  readonly names: readonly string[]
}

const files = new Set(projectFiles())
const suites = [...files].filter((file) => /^src\/testing\/.*suite.*\.ts$/.test(file))
const storeSuite = 'test/conformance/store.test.ts'

/** `file › group › test`, `… › test` of the file before, and behind "store suite ›" the names of its tests. */
function quotesIn(text: string): Quote[] {
  const quotes: Quote[] = []
  let inTests = false
  let file = ''
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\*\w/.test(line) || line === '') inTests = line.startsWith('*Tests.*')
    if (!inTests) continue
    if (line.startsWith('- ')) file = line.includes('store suite ›') && !line.startsWith('- `') ? storeSuite : ''
    for (const [token, quoted = ''] of line.matchAll(/store suite ›|`([^`]+)`/g)) {
      if (token === 'store suite ›') file = storeSuite
      else if (quoted.includes(' › ')) {
        const [first = '', ...names] = quoted.split(' › ')
        if (first !== '…') file = `test/${first}.test.ts`
        quotes.push({ line: index + 1, file, names })
      } else if (quoted.startsWith('… ') || (file === storeSuite && quoted.includes(' ')))
        quotes.push({ line: index + 1, file, names: [quoted] })
    }
  }
  return quotes
}

/** In the last column of a table: paths of files, each followed by parts of names of tests in quotation marks. */
function quotesInTable(text: string): Quote[] {
  // "The same file" is that of the row before.
  let file = ''
  return text.split('\n').flatMap((line, index) => {
    const cell = line.startsWith('| ') ? (line.split(' | ').at(-1) ?? '') : line.startsWith('  `test/') ? line : ''
    const quotes: Quote[] = []
    for (const [, path, name] of cell.matchAll(/`(test\/[^`]+)`|"([^"]+)"/g)) {
      if (path !== undefined) file = path
      quotes.push({ line: index + 1, file, names: name === undefined ? [] : [`…${name}…`] })
    }
    return quotes
  })
}

/** What is not where the document says. */
function missing(quotes: readonly Quote[]): string[] {
  return quotes.flatMap(({ line, file, names }) => {
    if (!files.has(file)) return [`line ${line}: ${file} is no file`]
    const there = namesIn(file)
    const absent = names.filter((name) => {
      const quoted = new RegExp(`^${name.split(/ ?… ?/).map(escaped).join('.*')}$`)
      return name !== '…' && !there.some((pattern) => fits(name, quoted, pattern))
    })
    return absent.map((name) => `line ${line}: ${file} has no test "${name}"`)
  })
}

interface Pattern {
  /** All of it, when it has no places that may stand for anything. */
  readonly beginning: string
  readonly whole: RegExp | undefined
}

/** Whether a name, which may be cut off where it has an ellipsis, can be one that a pattern makes. */
function fits(name: string, quoted: RegExp, { beginning, whole }: Pattern): boolean {
  if (whole === undefined) return quoted.test(beginning)
  // Both may have places that stand for anything: as far as the quotation goes, it must agree.
  const start = name.split('…')[0] ?? ''
  return (name.endsWith('…') && start !== '' && beginning.startsWith(start)) || whole.test(name)
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const known = new Map<string, readonly Pattern[]>()

/** The strings of a file of tests, and of what it imports from beside it or from the suites, split at placeholders. */
function namesIn(file: string): readonly Pattern[] {
  const cached = known.get(file)
  if (cached !== undefined) return cached
  const sources = [...helpersOf(file), ...(file.startsWith('test/conformance/') ? suites : [])]
  const names = sources.flatMap((source) => [...nodesOf(readText(source))].flatMap(stringOf))
  known.set(file, names)
  return names
}

/** What a file imports from beside it, and what that does. */
function helpersOf(file: string, seen: Set<string> = new Set([file])): ReadonlySet<string> {
  for (const [, path = ''] of readText(file).matchAll(/from '(\.\/[^']+)'/g)) {
    const helper = join(dirname(file), path)
    if (!files.has(helper) || seen.has(helper)) continue
    seen.add(helper)
    helpersOf(helper, seen)
  }
  return seen
}

function stringOf(node: SyntaxNode): Pattern[] {
  if (node.type === 'Literal' && typeof node['value'] === 'string') return [patternOf(node['value'].split(/%s|\$\w+/))]
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node['quasis'])) return []
  const parts = (node['quasis'] as unknown[]).map((quasi) => {
    const value = isNode(quasi) ? (quasi['value'] as { cooked?: string } | undefined) : undefined
    return value?.cooked ?? ''
  })
  return parts.join('').length < 8 ? [] : [patternOf(parts)]
}

function patternOf(parts: readonly string[]): Pattern {
  const whole = parts.length === 1 ? undefined : new RegExp(`^${parts.map(escaped).join('.*')}`)
  return { beginning: parts[0] ?? '', whole }
}

describe('tests that documents name', () => {
  it.each([
    ['docs/invariants.md', quotesIn, 100],
    ['docs/bugs.md', quotesInTable, 10],
  ] as const)('are there: %s', (document, read, least) => {
    const quotes = read(readText(document))
    expect(quotes.length).toBeGreaterThanOrEqual(least)
    expect(missing(quotes)).toEqual([])
  })

  it('are missed when a file or a name is wrong', () => {
    const text = (quoted: string): string => `*Tests.*\n- \`${quoted}\`\n`
    expect(missing(quotesIn(text('tidy/no-such › a')))).toHaveLength(1)
    expect(missing(quotesIn(text('tidy/quoted-tests › tests that documents name › are not there')))).toHaveLength(1)
    expect(missing(quotesIn(text('tidy/quoted-tests › tests that documents name › are missed…')))).toEqual([])
    expect(missing(quotesIn(text('tidy/quoted-tests › tests that documents name › are there: docs/bugs.md')))).toEqual(
      [],
    )
    expect(missing(quotesInTable('| a | b | `test/tidy/no-such.test.ts`, "x" |'))).toHaveLength(2)
  })
})
