// Makes a checkout ready to run with nothing but Node and npm: installs dependencies when node_modules does not match
// the lock file, and builds dist/ when it does not match the sources. Says and does nothing when both are current.
// Everything it prints goes to stderr, so that the output of the command that follows stays clean.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { argv, env, execPath, pid, platform } from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const hashName = '.source-hash'
const swapAttemptsMax = 5

export function prepare({ forceBuild = false } = {}) {
  if (!isInstalled()) install()
  const hash = sourceHash()
  if (forceBuild || builtHash() !== hash) build(hash)
}

/** Compares contents, not times: copies and checkouts set times as they like. Other platforms' packages may be absent. */
function isInstalled() {
  const installedFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return false
  const installed = readJson(installedFile).packages
  const wanted = Object.entries(readJson(join(root, 'package-lock.json')).packages).filter(([path]) => path !== '')
  return wanted.every(([path, entry]) => {
    const present = installed[path]
    const dispensable = entry.optional === true || entry.devOptional === true
    return present === undefined ? dispensable : present.version === entry.version
  })
}

function install() {
  say('installing dependencies (npm ci)')
  const npm = env['npm_execpath']
  const options = ['ci', '--include=dev', '--include=optional', '--loglevel=error']
  const [command, args, shell] =
    npm !== undefined && basename(npm) === 'npm-cli.js'
      ? [execPath, [npm, ...options], false]
      : ['npm', options, platform === 'win32']
  run(command, args, shell)
}

/** Builds beside dist/ and swaps, so that a build that fails or is interrupted never leaves half a program behind. */
function build(hash) {
  say('building dist/ (tsc)')
  const fresh = `${dist}.${pid}.tmp`
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    run(execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], false)
    writeFileSync(join(fresh, hashName), hash)
    swap(fresh)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** Another process may build at the same time: whoever comes second replaces the result of the first. */
function swap(fresh) {
  for (let attempt = 1; ; attempt++) {
    rmSync(dist, { recursive: true, force: true })
    try {
      renameSync(fresh, dist)
      return
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code) || attempt === swapAttemptsMax) throw error
    }
  }
}

function builtHash() {
  const file = join(dist, hashName)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function sourceHash() {
  const hash = createHash('sha256')
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  const settings = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(root, name))
  for (const file of [...settings, ...sources]) {
    const bytes = readFileSync(file)
    hash.update(`${file.slice(root.length)}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex')
}

function run(command, args, shell) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with status ${status}`)
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function say(message) {
  process.stderr.write(`holdfast: ${message}\n`)
}

if (argv[1] !== undefined && fileURLToPath(import.meta.url) === realpathSync(argv[1])) {
  try {
    prepare({ forceBuild: argv.includes('--build') })
  } catch (error) {
    say(error.message)
    process.exitCode = 1
  }
}
