import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage'])

/** Paths from the root, with `/`: what git tracks or would track; in a copy without git, every file of ours. */
export function projectFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const git = existsSync(join(root, '.git')) ? spawnSync('git', args, { cwd: root, encoding: 'utf8' }) : undefined
  const files = git?.status === 0 ? git.stdout.split('\0') : walk(root)
  return [...new Set(files)].filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile()).sort()
}

export function sourceFiles(): string[] {
  return projectFiles().filter((file) => file.startsWith('src/') && file.endsWith('.ts'))
}

export function testFiles(): string[] {
  return projectFiles().filter((file) => file.startsWith('test/') && file.endsWith('.ts'))
}

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notOurs.has(entry.name) && !entry.name.endsWith('.tmp'))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? walk(path) : [relative(root, path).split(sep).join('/')]
    })
}
