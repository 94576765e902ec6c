/** Runs the tests against one mutant after another, each in a process of its own, and says which test killed it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layerOf } from './layers.ts'
import type { Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const limitMs = 600_000

/**
 * `survived`: every test passed. `broken`: the run ended in another way than by a test that failed: the mutant does
 * not compile, or a file of tests could not be run.
 */
export interface Hunted {
  readonly mutant: Mutant
  readonly verdict: 'killed' | 'survived' | 'broken'
  readonly layer: string
  readonly test: string
  /** Why the test failed, or why the hunt did. */
  readonly reason: string
  readonly seconds: number
}

interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

export async function hunt(mutant: Mutant): Promise<Hunted> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mutant-'))
  const file = join(folder, 'report.json')
  const started = performance.now()
  try {
    const output = await run(mutant.name, file)
    const seconds = (performance.now() - started) / 1000
    return { mutant, seconds, ...judge(file, output) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** At most `width` hunts at a time; `each` hears of them as they end. */
export async function huntAll(
  mutants: readonly Mutant[],
  width: number,
  each: (hunted: Hunted) => void,
): Promise<readonly Hunted[]> {
  const results = new Map<Mutant, Hunted>()
  const waiting = [...mutants]
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const hunted = await hunt(next)
      results.set(next, hunted)
      each(hunted)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  return mutants.map((mutant) => results.get(mutant) as Hunted)
}

export function line({ mutant, verdict, layer, test, seconds }: Hunted): string {
  const how = verdict === 'killed' ? `killed by ${layer}` : verdict
  return `${mutant.name.padEnd(34)} | ${how.padEnd(12)} | ${seconds.toFixed(1).padStart(5)} s | ${test}`
}

function judge(file: string, output: string): Pick<Hunted, 'verdict' | 'layer' | 'test' | 'reason'> {
  const none = { layer: '', test: '' }
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return { ...none, verdict: 'broken', reason: `the run ended without a report:\n${output.slice(-4000)}` }
  }
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed')
    if (failed === undefined) continue
    const path = relative(root, name)
    const reason = failed.failureMessages?.[0] ?? ''
    // A mutant that cannot even run is none, and a test that was only slow shows nothing.
    const verdict = /ReferenceError|timed out/.test(reason) ? 'broken' : 'killed'
    const layer = layerOf(path, failed.fullName)
    return { verdict, layer, test: `${path.replace(/^test\//, '')} › ${failed.fullName}`, reason }
  }
  const unrun = report.testResults.find(({ message }) => message !== '')
  if (unrun !== undefined) return { ...none, verdict: 'broken', reason: `${unrun.name}: ${unrun.message}` }
  if (report.numPassedTests === 0) return { ...none, verdict: 'broken', reason: output.slice(-4000) }
  return { ...none, verdict: 'survived', reason: `${report.numPassedTests} tests passed` }
}

/** Resolves to what the run printed. Its tests do what those of `npm test` do, whatever the tests around them do. */
function run(mutant: string, report: string): Promise<string> {
  const args = ['run', '--config', 'vitest.mutants.config.ts', '--reporter=json', `--outputFile=${report}`]
  // Else the inner tests would take the settings of the outer ones for theirs.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|HOLDFAST_|NODE_ENV|TEST|DEV|PROD|MODE)/.test(name),
  )
  const env = { ...Object.fromEntries(inherited), HOLDFAST_MUTANT: mutant }
  const child = spawn(process.execPath, [runner, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const timer = setTimeout(() => child.kill(), limitMs)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      resolve(`${Buffer.concat(chunks).toString()}\nended with ${signal ?? code}`)
    })
  })
}
