import assert from 'node:assert/strict'
import type { Backend, BackendEntry, BackendRange } from '../kv/index.ts'

export interface BackendHarness {
  /** A new, unopened backend that holds nothing and that nobody else uses. */
  create(): Promise<Backend>
  /** Makes the next batch of this open backend fail. */
  failNextBatch(backend: Backend): void
  /** Called after each test with every backend of it, open or not. */
  dispose(backend: Backend): Promise<void>
}

export type BackendCheck = (harness: BackendHarness, backend: Backend) => Promise<void>

const utf8 = new TextEncoder()
export const bytes = (text: string) => utf8.encode(text)
export const plain = (value: Uint8Array | undefined) => (value === undefined ? undefined : [...value])
export const put = (key: string, value: string) => ({ key, value: bytes(value) })
export const remove = (key: string) => ({ key, value: undefined })

/** Keys in order, chosen to break anything that treats them as text: ends of strings, signs, UTF-8 lengths, prefixes. */
export const awkwardKeys = [
  '\x00',
  '\x00\x00',
  '\x00\xff',
  '\x01',
  'A',
  'a',
  'a\x00',
  'a/',
  'aa',
  'b',
  '\x7f',
  '\x80',
  '\x80\xff',
  'é',
  '\xfe',
  '\xff',
  '\xff\x00',
  '\xff\xff',
]

export async function opened(
  backend: Backend,
  entries: readonly { key: string; value: Uint8Array }[] = [],
): Promise<void> {
  await backend.open({ create: true })
  if (entries.length > 0) await backend.batch(entries, { sync: true })
}

export async function scan(backend: Backend, range: BackendRange, size = 3): Promise<BackendEntry[]> {
  const iterator = backend.iterate(range)
  const entries: BackendEntry[] = []
  for (;;) {
    const chunk = await iterator.next(size)
    entries.push(...chunk)
    if (chunk.length === 0) break
  }
  await iterator.close()
  return entries
}

export async function keysOf(backend: Backend, range: BackendRange): Promise<string[]> {
  return (await scan(backend, range)).map((entry) => entry.key)
}

export const everything: BackendRange = { gte: '', lt: '\xff\xff\xff' }

export const rejectsWith = (work: Promise<unknown>, code: string) =>
  assert.rejects(work, (error: unknown) => error instanceof Error && 'code' in error && error.code === code)
