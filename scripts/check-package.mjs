// Packs the package as npm would publish it and uses the result as a stranger would: every entry of `exports` must
// import and type-check with production dependencies only, and the command must start. What adapts to an optional peer may
// ask for that peer, and must work once it is there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execPath, platform } from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = readJson('package.json')
const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target === 'object')
const specifiers = entries.map(([path]) => manifest.name + path.slice(1))
const peers = Object.keys(manifest.peerDependencies)
const allowed = ['package.json', 'README.md', 'LICENSE', ...manifest.files.filter((name) => !name.startsWith('!'))]

const workspace = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
try {
  const { filename, files } = pack()
  checkFiles(files.map((file) => file.path))
  unpack(filename)
  linkDependencies()
  importEntries({ missing: peers })
  linkPeers()
  importEntries({ missing: [] })
  compileAgainstTypes()
  startCommand()
  console.log(`package: ${files.length} files, ${specifiers.length} entry points and the command work`)
} finally {
  rmSync(workspace, { recursive: true, force: true })
}

function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', workspace]
  return JSON.parse(run('npm', args, root, platform === 'win32'))[0]
}

function checkFiles(paths) {
  const wanted = [...entries.flatMap(([, target]) => Object.values(target)), ...Object.values(manifest.bin)]
  const missing = wanted.map((path) => path.replace(/^\.\//, '')).filter((path) => !paths.includes(path))
  const strange = paths.filter((path) => !allowed.some((name) => path === name || path.startsWith(`${name}/`)))
  if (missing.length > 0) throw new Error(`package.json names files that are not packed: ${missing.join(', ')}`)
  if (strange.length > 0) throw new Error(`packed, but not meant to be: ${strange.join(', ')}`)
}

function unpack(filename) {
  run('tar', ['-xzf', filename], workspace)
  mkdirSync(join(workspace, 'consumer', 'node_modules'), { recursive: true })
  link(join(workspace, 'package'), join(workspace, 'consumer', 'node_modules', manifest.name))
}

/** Leaves development dependencies out: code that needs one of them must fail here. */
function linkDependencies() {
  for (const [path, entry] of Object.entries(readJson('package-lock.json').packages)) {
    const installed = join(root, path)
    if (path === '' || entry.dev === true || !existsSync(installed)) continue
    link(installed, join(workspace, 'package', path))
  }
  link(join(root, 'node_modules', '@types'), join(workspace, 'consumer', 'node_modules', '@types'))
}

function linkPeers() {
  for (const name of peers) link(join(root, 'node_modules', name), join(workspace, 'package', 'node_modules', name))
}

/** An entry may fail to load for want of one of the `missing` packages, but of nothing else. */
function importEntries({ missing }) {
  const source = `
    const missing = ${JSON.stringify(missing)}
    for (const name of ${JSON.stringify(specifiers)}) {
      const loaded = await import(name).catch((error) => {
        if (error.code === 'ERR_MODULE_NOT_FOUND' && missing.some((peer) => error.message.includes("'" + peer + "'"))) return
        throw error
      })
      if (loaded !== undefined && Object.keys(loaded).length === 0) throw new Error(name + ' exports nothing')
    }`
  writeFileSync(join(workspace, 'consumer', 'index.mjs'), source)
  run(execPath, ['index.mjs'], join(workspace, 'consumer'))
}

function compileAgainstTypes() {
  const source = specifiers.map((specifier, index) => `export * as entry${index} from '${specifier}'`)
  writeFileSync(join(workspace, 'consumer', 'index.mts'), source.join('\n'))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node']
  run(execPath, [tsc, ...options, '--lib', 'es2023,esnext.disposable', 'index.mts'], join(workspace, 'consumer'))
}

function startCommand() {
  for (const path of Object.values(manifest.bin)) {
    const file = join(workspace, 'package', path)
    const version = run(execPath, [file, '--version'], join(workspace, 'consumer')).trim()
    if (version !== manifest.version) throw new Error(`${path} --version says ${version}, not ${manifest.version}`)
  }
}

function run(command, args, cwd, shell = false) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', shell })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')} ended with status ${status}\n${stdout}${stderr}`)
  return stdout
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path, 'junction')
}

function readJson(name) {
  return JSON.parse(readFileSync(join(root, name), 'utf8'))
}
