// `npm run bench` starts here: installs the peers once, compiles the harness and runs it. The measured processes run
// plain JavaScript, not a TypeScript loader: a loader takes memory and wraps functions, and both would be measured.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const bench = path.dirname(fileURLToPath(import.meta.url))

function run(command: string, args: readonly string[]): number {
  return spawnSync(command, args, { cwd: bench, stdio: 'inherit' }).status ?? 1
}

if (!existsSync(path.join(bench, 'node_modules'))) {
  console.error('bench: installing the stores to compare with into bench/node_modules (once)')
  const status = run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'])
  // The stores are optional dependencies: one that cannot be built is skipped, by name, when measuring.
  if (status !== 0) console.error(`bench: npm install ended with ${status}; going on with what is there`)
}

const tsc = path.join(bench, '..', 'node_modules', 'typescript', 'bin', 'tsc')
const compiled = run(process.execPath, [tsc, '-p', 'tsconfig.build.json'])
if (compiled !== 0) process.exit(compiled)
process.exit(run(process.execPath, [path.join('.data', 'build', 'harness.js'), ...process.argv.slice(2)]))
