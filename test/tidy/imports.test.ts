import { describe, expect, it } from 'vitest'
import { findCycle, importProblems, resolveImport, specifiersOf } from './import-rules.ts'
import { readText, sourceFiles } from './project-files.ts'

const filesMin = 20
const files = sourceFiles()
const { dependencies, peerDependencies = {} } = JSON.parse(readText('package.json')) as {
  dependencies: Record<string, string>
  peerDependencies?: Record<string, string>
}
const allowed = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)])

describe('imports of the source tree', () => {
  it('are seen: enough files, and imports in most of them', () => {
    expect(files.length).toBeGreaterThanOrEqual(filesMin)
    const importing = files.filter((file) => specifiersOf(readText(file)).length > 0)
    expect(importing.length).toBeGreaterThan(files.length / 2)
  })

  it('go to rooms of lower rank only, through their index', () => {
    expect(files.flatMap((file) => importProblems(file, readText(file), allowed))).toEqual([])
  })

  it('form no cycle', () => {
    const imports = files.map((file): [string, string[]] => {
      const names = specifiersOf(readText(file)).map(({ name }) => name ?? '')
      return [file, names.filter((name) => name.startsWith('.')).map((name) => resolveImport(file, name))]
    })
    expect(findCycle(new Map(imports))).toBeUndefined()
  })
})

describe('the import rules', () => {
  it.each([
    ['a higher room', 'src/kv/a.ts', "import { x } from '../engine/index.ts'"],
    ['a room of equal rank', 'src/kv/a.ts', "import { x } from '../memory/index.ts'"],
    ['a type of a higher room', 'src/kv/a.ts', "import type { X } from '../engine/index.ts'"],
    ['a re-export from a higher room', 'src/kv/a.ts', "export * from '../engine/index.ts'"],
    ['a re-exported type of a higher room', 'src/kv/a.ts', "export type { X } from '../engine/index.ts'"],
    ['a dynamic import of a higher room', 'src/kv/a.ts', "await import('../engine/index.ts')"],
    ['an import type of a higher room', 'src/kv/a.ts', "type T = import('../engine/index.ts').X"],
    ['a side-effect import of a higher room', 'src/kv/a.ts', "import '../engine/index.ts'"],
    ['an inner file of a lower room', 'src/engine/a.ts', "import { x } from '../kv/backend.ts'"],
    ['the public entry from below', 'src/engine/a.ts', "import { x } from '../index.ts'"],
    ['a file outside the sources', 'src/cli/a.ts', "import { x } from '../../test/a.ts'"],
    ['a room nobody ranked', 'src/misc/a.ts', "import { x } from '../base/index.ts'"],
    ['a computed name', 'src/kv/a.ts', 'await import(name)'],
    ['the disk outside fs', 'src/wal/a.ts', "import { open } from 'node:fs/promises'"],
    ['timers as a module', 'src/kv/a.ts', "import { setTimeout } from 'node:timers/promises'"],
    ['LevelDB outside its backend', 'src/kv/a.ts', "import { ClassicLevel } from 'classic-level'"],
    ['what only some adapters need', 'src/content/a.ts', "import { CID } from 'multiformats/cid'"],
    ['the test runner', 'src/testing/a.ts', "import { it } from 'vitest'"],
    ['a builtin without node:', 'src/fs/a.ts', "import { join } from 'path'"],
  ])('refuse %s', (_, file, text) => {
    expect(importProblems(file, text, allowed)).toHaveLength(1)
  })

  it.each([
    ['the own room', 'src/kv/a.ts', "import { x } from './b.ts'"],
    ['a lower room through its index', 'src/engine/a.ts', "import { x } from '../kv/index.ts'"],
    ['the public entry from above', 'src/testing/a.ts', "import { x } from '../index.ts'"],
    ['the disk in fs', 'src/fs/a.ts', "import { open } from 'node:fs/promises'"],
    ['LevelDB in its backend', 'src/kv/level-backend.ts', "import { ClassicLevel } from 'classic-level'"],
    ['what an adapter adapts to', 'src/adapters/a.ts', "import { CID } from 'multiformats/cid'"],
    [
      'words in comments and strings',
      'src/kv/a.ts',
      "// import '../engine/index.ts'\nconst s = \"import '../cli/a.ts'\"",
    ],
  ])('allow %s', (_, file, text) => {
    expect(importProblems(file, text, allowed)).toEqual([])
  })

  it('find a cycle through several files', () => {
    const line: [string, string[]][] = [
      ['a', ['b']],
      ['b', ['c']],
    ]
    expect(findCycle(new Map(line))).toBeUndefined()
    expect(findCycle(new Map([...line, ['c', ['b']]]))).toEqual(['b', 'c', 'b'])
  })
})
