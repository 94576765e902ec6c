import { posix } from 'node:path'
import { isNode, lineOf, nodesOf, type SyntaxNode } from './syntax.ts'

/** A file may import its own room, and the `index.ts` of a room of lower rank. Files right under src/ are room ''. */
const ranks: Readonly<Record<string, number>> = {
  base: 0,
  fs: 1,
  codec: 1,
  wal: 2,
  kv: 2,
  memory: 2,
  engine: 3,
  content: 4,
  schedule: 5,
  cache: 5,
  '': 6,
  testing: 7,
  adapters: 7,
  cli: 8,
}

/** Where time is part of the job. A room with its slash, or one file. */
export const timersIn: readonly string[] = [
  'src/fs/directory-lock.ts',
  'src/wal/',
  'src/engine/',
  'src/cache/',
  'src/cli/',
]

/** Where a restricted module may be imported: a room with its slash, or one file. */
const restricted: readonly { readonly module: RegExp; readonly where: readonly string[] }[] = [
  { module: /^node:fs(\/|$)/, where: ['src/fs/', 'src/cli/'] },
  { module: /^node:perf_hooks$/, where: [] },
  { module: /^node:timers(\/|$)/, where: timersIn },
  { module: /^classic-level$/, where: ['src/kv/level-backend.ts'] },
  { module: /^abstract-level$/, where: ['src/kv/', 'src/adapters/'] },
  { module: /^(keyv|multiformats)(\/|$)/, where: ['src/adapters/'] },
  { module: /^proper-lockfile$/, where: ['src/fs/'] },
  { module: /^msgpackr$/, where: ['src/codec/', 'src/cache/'] },
  { module: /^(commander|cli-progress)$/, where: ['src/cli/'] },
]

const publicFiles = new Set(['src/index.ts', 'src/store.ts'])

export interface Specifier {
  /** Undefined when it is computed at run time. */
  readonly name: string | undefined
  readonly line: number
}

/** Everything a file imports or re-exports: statically, as types, with `import()` and in `import('…')` types. */
export function specifiersOf(text: string): Specifier[] {
  const found: Specifier[] = []
  for (const node of nodesOf(text)) {
    const source = sourceOf(node)
    if (source === undefined) continue
    const name = isNode(source) ? source['value'] : undefined
    found.push({ name: typeof name === 'string' ? name : undefined, line: lineOf(text, node) })
  }
  return found
}

export function importProblems(file: string, text: string, dependencies: ReadonlySet<string>): string[] {
  const found: string[] = []
  for (const { name, line } of specifiersOf(text)) {
    const problem =
      name === undefined ? 'imports a computed name, which nobody can check' : judge(file, name, dependencies)
    if (problem !== undefined) found.push(`${file}:${line} ${problem}`)
  }
  return found
}

/** The first import cycle found, as the files along it; undefined when there is none. */
export function findCycle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target)
      if (cycle !== undefined) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of imports.keys()) {
    const cycle = visit(file)
    if (cycle !== undefined) return cycle
  }
  return undefined
}

export function resolveImport(file: string, name: string): string {
  return posix.join(posix.dirname(file), name)
}

function sourceOf(node: SyntaxNode): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source']
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined
    case 'TSExternalModuleReference':
      return node['expression']
    default:
      return undefined
  }
}

function judge(file: string, name: string, dependencies: ReadonlySet<string>): string | undefined {
  return name.startsWith('.') ? judgeOwn(file, resolveImport(file, name)) : judgeModule(file, name, dependencies)
}

function judgeOwn(file: string, target: string): string | undefined {
  if (!target.startsWith('src/') || !target.endsWith('.ts')) return `imports ${target}, which is not a source file`
  const from = roomOf(file)
  const to = roomOf(target)
  const fromRank = ranks[from]
  const toRank = ranks[to]
  if (fromRank === undefined) return `is in a room without a rank: ${from}`
  if (toRank === undefined) return `imports a room without a rank: ${to}`
  if (from === to) return undefined
  if (toRank >= fromRank) return `imports ${target}: room "${from}" (${fromRank}) may not use "${to}" (${toRank})`
  const isPublic = to === '' ? publicFiles.has(target) : target === `src/${to}/index.ts`
  return isPublic ? undefined : `imports ${target}: other rooms only through their index.ts`
}

function judgeModule(file: string, name: string, dependencies: ReadonlySet<string>): string | undefined {
  const rule = restricted.find(({ module }) => module.test(name))
  if (rule !== undefined && !rule.where.some((place) => file.startsWith(place))) {
    return `imports ${name}, allowed only in: ${rule.where.join(', ') || 'nowhere'}`
  }
  if (name.startsWith('node:')) return undefined
  const packageName = name.split('/', name.startsWith('@') ? 2 : 1).join('/')
  return dependencies.has(packageName) ? undefined : `imports ${name}, which is no dependency of the package`
}

function roomOf(file: string): string {
  const parts = file.split('/')
  return parts.length > 2 ? (parts[1] ?? '') : ''
}
