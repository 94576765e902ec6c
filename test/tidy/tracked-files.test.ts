import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFiles, readText, root } from './project-files.ts'

const bytesMax = 1024 * 1024
const files = projectFiles()

// Put together from parts, so that this file does not name what it refuses.
const [nodeRegistry, otherRegistry, system] = [
  ['npm', 'js'],
  ['yarn', 'pkg'],
  ['deb', 'ian'],
].map((parts) => parts.join(''))
const folders = ['work', 'tmp', 'root'].join('|')
const machinePath = new RegExp(String.raw`(?<![\w.$})\]-])\/(?:${folders})\/`)
const download = new RegExp(
  String.raw`\bregistry\.[a-z]+\.|\b(?:${nodeRegistry}|${otherRegistry})\.[a-z]|https?:\/\/[^"\s/]*(?:npm|${system})`,
)

function linesMatching(text: string, pattern: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []))
}

function textFiles(): [file: string, text: string][] {
  return files.map((file): [string, string] => [file, readText(file)]).filter(([, text]) => !text.includes('\0'))
}

describe('files of the project', () => {
  it('are seen', () => {
    expect(files).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'src/index.ts']))
    expect(files.length).toBeGreaterThanOrEqual(40)
  })

  it('are at most 1 MiB each', () => {
    expect(files.filter((file) => statSync(join(root, file)).size > bytesMax)).toEqual([])
  })

  it('name no path of a machine', () => {
    const found = textFiles().flatMap(([file, text]) =>
      linesMatching(text, machinePath).map((line) => `${file}:${line}`),
    )
    expect(found).toEqual([])
  })

  it('name no host that packages are downloaded from', () => {
    const found = textFiles().flatMap(([file, text]) => linesMatching(text, download).map((line) => `${file}:${line}`))
    expect(found).toEqual([])
  })
})

describe('the patterns', () => {
  it.each(['work', 'tmp', 'root'])('refuse a path in /%s', (folder) => {
    expect(machinePath.test(`open('/${folder}/x')`)).toBe(true)
    expect(machinePath.test(`see /${folder}/x`)).toBe(true)
  })

  it('allow paths that only look like one of a machine', () => {
    for (const text of ['src/tmp/x', './root/x', 'base}/tmp/x', '/data/x']) expect(machinePath.test(text)).toBe(false)
  })

  it('refuse hosts of registries', () => {
    for (const text of [`registry.${nodeRegistry}.org`, `https://www.${nodeRegistry}.com/package/x`]) {
      expect(download.test(text)).toBe(true)
    }
    expect(download.test('https://github.com/Level/classic-level')).toBe(false)
  })
})

describe('package-lock.json', () => {
  interface Lock {
    readonly packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>
  }
  const lock = JSON.parse(readText('package-lock.json')) as Lock

  it('says nothing of where packages came from', () => {
    expect(Object.keys(lock.packages).length).toBeGreaterThan(50)
    expect(Object.keys(lock.packages).filter((path) => lock.packages[path]?.resolved !== undefined)).toEqual([])
  })

  it('names the packages of every platform, or npm ci refuses it (mend with scripts/complete-lock.mjs)', () => {
    const wanted = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    expect(wanted.filter((name) => lock.packages[`node_modules/${name}`] === undefined)).toEqual([])
  })
})
