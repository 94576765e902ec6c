/** Opens what a crash left, and says what is wrong with it. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileSystem } from '../../src/fs/index.ts'
import { open } from '../../src/index.ts'
import { directFileSystem } from './direct-file-system.ts'
import { judge, lastRecord, recordOptions, writeRecord } from './numbered-records.ts'
import type { Tree } from './volume.ts'

/** A directory in memory, where there is one: its syncs cost nothing, and nothing here is to survive. */
export function fastDirectory(name: string): string {
  let parent = tmpdir()
  try {
    if (statSync('/dev/shm').isDirectory()) parent = '/dev/shm'
  } catch {
    // Not this system: any place will do.
  }
  return mkdtempSync(join(parent, `holdfast-${name}-`))
}

/** Tells trees apart by what recovery can see of them. */
export function treeKey(tree: Tree): string {
  const parts: string[] = []
  describe(tree, '', parts)
  return parts.join('\n')
}

const digests = new WeakMap<Buffer, string>()

function digestOf(bytes: Buffer): string {
  const known = digests.get(bytes)
  if (known !== undefined) return known
  const digest = createHash('sha1').update(bytes).digest('base64')
  digests.set(bytes, digest)
  return digest
}

// Written for people, or about an owner who is gone: recovery does not ask them.
const irrelevant = new Set(['LOG', 'LOG.old', 'LOCK', 'owner.json', 'owner.json.tmp', 'lock'])

function describe(tree: Tree, path: string, parts: string[]): void {
  for (const [name, entry] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (irrelevant.has(name)) continue
    parts.push(`${path}/${name} ${entry instanceof Map ? 'directory' : digestOf(entry)}`)
    if (entry instanceof Map) describe(entry, `${path}/${name}`, parts)
  }
}

export function writeTree(tree: Tree, directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, entry] of tree) {
    const path = join(directory, name)
    if (entry instanceof Map) writeTree(entry, path)
    else writeFileSync(path, entry)
  }
}

export function readTree(directory: string): Tree {
  const tree: Tree = new Map()
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    tree.set(entry.name, entry.isDirectory() ? readTree(path) : readFileSync(path))
  }
  return tree
}

export interface Verdict {
  /** The last record found; undefined when the store could not be opened. */
  readonly last: number | undefined
  readonly wrong: readonly string[]
}

/**
 * Opens the store, compares it with what its last record demands, verifies it, writes one more record, and when `again`
 * opens it once more to see both.
 */
const direct = directFileSystem()

export async function checkStore(location: string, again: boolean, fileSystem = direct): Promise<Verdict> {
  const options = { ...recordOptions, fileSystem }
  try {
    const store = await open(location, options)
    try {
      const { last, wrong } = await judge(store)
      await writeRecord(store, last + 1, checkerLife)
      await store.close()
      if (again) wrong.push(...(await reopened(location, last + 1, fileSystem)))
      return { last, wrong }
    } finally {
      await store.close()
    }
  } catch (error) {
    return { last: undefined, wrong: [`could not be opened and written to: ${String(error)}`] }
  }
}

const checkerLife = 999_999

async function reopened(location: string, expected: number, fileSystem: FileSystem): Promise<string[]> {
  const store = await open(location, { ...recordOptions, fileSystem })
  try {
    const { last, wrong } = await judge(store)
    if (last !== expected) wrong.push(`record ${expected}, written after recovery, is gone: the last is ${last}`)
    if ((await lastRecord(store)) !== last) wrong.push('two reads of the last record differ')
    return wrong.map((text) => `after recovering and writing: ${text}`)
  } finally {
    await store.close()
  }
}

/** Checks a tree, in a directory that is gone afterwards. */
export async function checkTree(tree: Tree, directory: string, again: boolean): Promise<Verdict> {
  writeTree(tree, directory)
  const verdict = await checkStore(join(directory, 'store'), again)
  rmSync(directory, { recursive: true, force: true })
  return verdict
}
