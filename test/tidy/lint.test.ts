import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './project-files.ts'

// A linter that finds nothing because it cannot see types looks exactly like a clean tree.
it('lint refuses forgotten promises, open switches and import cycles in planted code', () => {
  const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')
  const args = [oxlint, '--type-aware', '--format=unix', 'test/tidy/planted']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect(status).toBe(1)
  for (const rule of [
    'typescript(no-floating-promises)',
    'typescript(no-misused-promises)',
    'typescript(await-thenable)',
    'typescript(switch-exhaustiveness-check)',
    'typescript(only-throw-error)',
    'import(no-cycle)',
  ]) {
    expect(stdout).toContain(rule)
  }
})
