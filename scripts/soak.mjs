/**
 * `npm run test:soak -- --minutes 30 [files]`: the randomised crash tests over and over, with other seeds each round,
 * until the time is up or a test fails. Ends with what was done in all, and with the line that repeats a failure.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const randomised = [
  'test/crash/wal.test.ts',
  'test/crash/store',
  'test/crash/backend-crash',
  'test/model',
  'test/property',
]
/** No round reaches the seeds of the next. */
const seedsPerRound = 100_000
const summary = /^\d+ passed, \d+ failed.*$/m
const layerLine = /^(L\d+|mutants) +(.*?) \| (\d+) tests passed/

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'first-seed': { type: 'string' } },
  allowPositionals: true,
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error('--minutes takes a number above 0')
  process.exit(2)
}
// Another soak another day goes on with other seeds.
const firstSeed = Number(values['first-seed'] ?? Math.floor(Date.now() / 1000))
const files = positionals.length > 0 ? positionals : randomised
const until = performance.now() + minutes * 60_000

const totals = new Map()
let rounds = 0
let child
let stopped = false
process.on('SIGINT', () => {
  stopped = true
  child?.kill('SIGINT')
})

while (!stopped && performance.now() < until) {
  const seed = firstSeed + rounds * seedsPerRound
  const { status, output, failures } = await round(seed)
  if (stopped) break
  for (const line of output.split('\n')) addUp(line)
  rounds += 1
  console.log(`round ${rounds}, first seed ${seed}: ${summary.exec(output)?.[0] ?? 'no count'}`)
  if (status !== 0) {
    printTotals()
    if (failures.length === 0) console.log(output)
    for (const { reason } of failures) console.log(`\n${reason}`)
    for (const { file, name } of failures) console.log(`\nagain: ${replay(seed, file, name)}`)
    process.exit(1)
  }
}
printTotals()

/** One run of all files; resolves however it ends. */
function round(seed) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=./scripts/summary-reporter.mjs', '--reporter=json', `--outputFile.json=${report}`]
  const args = ['run', '--config', 'vitest.crash.config.ts', ...reporters, ...files]
  const env = { ...process.env, HOLDFAST_FIRST_SEED: String(seed) }
  child = spawn(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), ...args], { cwd: root, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => {
    child.once('close', (status) => {
      const failures = status === 0 || stopped ? [] : failuresIn(report)
      rmSync(folder, { recursive: true, force: true })
      resolve({ status, output, failures })
    })
  })
}

function failuresIn(report) {
  let results
  try {
    results = JSON.parse(readFileSync(report, 'utf8')).testResults
  } catch {
    return []
  }
  return results.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        file: relative(root, file),
        name: fullName,
        reason: failureMessages.join('\n'),
      })),
  )
}

function replay(seed, file, name) {
  const pattern = name.replace(/[^\w ,:-]/g, '.')
  return `HOLDFAST_FIRST_SEED=${seed} npm run test:crash -- ${file} -t '${pattern}'`
}

/** What a round did in a layer: `L1      306 states, 4 seeds | 55 tests passed`. */
function addUp(line) {
  const match = layerLine.exec(line)
  if (match === null) return
  const [, layer, counts, tests] = match
  const total = totals.get(layer) ?? new Map()
  totals.set(layer, total)
  for (const [, number, unit] of `${counts}, ${tests} tests`.matchAll(/(\d[\d,]*) ([^,]+)/g))
    total.set(unit, (total.get(unit) ?? 0) + Number(number.replaceAll(',', '')))
}

function printTotals() {
  console.log(`\n${rounds} rounds from seed ${firstSeed} on`)
  for (const [layer, total] of [...totals].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
    console.log(
      `${layer.padEnd(7)} ${[...total].map(([unit, number]) => `${number.toLocaleString('en')} ${unit}`).join(', ')}`,
    )
}
