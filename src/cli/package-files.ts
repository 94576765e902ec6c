import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// src/cli and dist/cli are equally deep, so both find the package's own files two levels up.
const packageFile = (name: string): URL => new URL(`../../${name}`, import.meta.url)

export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }
  return manifest.version
}

/** The schedule that ships with the package. */
export function bundledSchedule(): string {
  return fileURLToPath(packageFile('fixtures/schedule.jsonl'))
}
