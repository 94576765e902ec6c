import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { jsonLines, runHere, temporaryDirectory } from './run-cli.ts'

const fixture = fileURLToPath(new URL('../../fixtures/schedule.jsonl', import.meta.url))
const lines = readFileSync(fixture, 'utf8').trim().split('\n')

let directory: ReturnType<typeof temporaryDirectory>
let store: string
beforeEach(() => {
  directory = temporaryDirectory()
  store = join(directory.path, 'store')
})
afterEach(() => directory.remove())

const importFrom = (input: string, format = 'scheduler-unit') => {
  return runHere(['--store', store, '--json', 'import', '--format', format, '-'], {
    input: Readable.from([Buffer.from(input)]),
  })
}

function fileOf(name: string, content: string): string {
  const file = join(directory.path, name)
  writeFileSync(file, content)
  return file
}

/** A feed line whose assignment has other contents. */
function changed(line: string | undefined): string {
  const edge = JSON.parse(line ?? '') as { node: { assignment: { anchor: string } } }
  edge.node.assignment.anchor = 'changed'
  return JSON.stringify(edge)
}

describe('import', () => {
  test('of the bundled schedule stores every assignment with a good chain, and again changes nothing', async () => {
    const first = await runHere(['--store', store, 'import', '--format', 'scheduler-unit', fixture])
    expect(first).toMatchObject({ code: 0, out: 'imported 154 assignments\n' })
    const again = await runHere(['--store', store, 'import', '--format', 'scheduler-unit', fixture])
    expect(again).toMatchObject({ code: 0, out: 'imported 0 assignments, 154 there already\n' })
    const verified = await runHere(['--store', store, '--json', 'verify', '--chain', 'scheduler-unit'])
    expect(verified.code).toBe(0)
    expect(jsonLines(verified.out)).toContainEqual({
      type: 'check',
      check: 'scheduler-unit chain',
      counted: 149,
      bad: 0,
      first: null,
    })
  })

  // Real data stand beside a checkout, not in it.
  const realFile = fileURLToPath(new URL('../../../shared/data/ao-schedule.jsonl', import.meta.url))
  test.skipIf(!existsSync(realFile))('of a real schedule stores 31 slots with 30 good chain links', async () => {
    expect(await importFrom(readFileSync(realFile, 'utf8'))).toMatchObject({ code: 0 })
    const verified = await runHere(['--store', store, '--json', 'verify', '--chain', 'scheduler-unit'])
    expect(jsonLines(verified.out)).toContainEqual({
      type: 'check',
      check: 'scheduler-unit chain',
      counted: 30,
      bad: 0,
      first: null,
    })
    const range = await runHere(['--store', store, '--json', 'range', 'DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo'])
    expect(jsonLines(range.out).at(-1)).toEqual({ type: 'end', slots: 31, missing: 0 })
  })

  test('stopped by a bad line names it, stores nothing of its batch and exits with 1', async () => {
    const bad = [...lines.slice(0, 3), '{"node":{}}', ...lines.slice(3)].join('\n')
    const { code, out, err } = await importFrom(bad)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(jsonLines(err)[0]).toMatchObject({
      error: {
        code: 'CLI_INPUT',
        message: expect.stringMatching(/^stdin:4 has no assignment.*nothing was imported/),
        detail: { line: 4 },
      },
    })
    expect((await runHere(['--store', store, 'ls', 'assignments'])).out).toBe('')
  })

  test('stopped in a later batch keeps the batches before and says how much that is', async () => {
    const [line = ''] = lines
    const many = Array.from({ length: 600 }, (_, index) =>
      line.replace('"Nonce","value":"0"', `"Nonce","value":"${index}"`),
    )
    const { code, err } = await importFrom([...many, 'oops'].join('\n'))
    expect(code).toBe(1)
    expect(jsonLines(err)[0]).toMatchObject({
      error: { message: expect.stringContaining('stdin:601 is not valid JSON') },
    })
    expect(err).toContain('lines up to 500 are stored (500 assignments imported)')
    const process = /"Process","value":"(.{43})"/.exec(many[0] ?? '')?.[1] ?? ''
    const latest = await runHere(['--store', store, '--json', 'latest', process])
    expect(jsonLines(latest.out)[0]).toMatchObject({ slot: 499 })
  })

  test('of other content for a taken slot names the line and both ids, and stores nothing of its batch', async () => {
    await importFrom(lines.slice(0, 10).join('\n'))
    const { code, err } = await importFrom(
      [...lines.slice(10, 20), changed(lines[2]), ...lines.slice(20, 30)].join('\n'),
    )
    expect(code).toBe(1)
    const { error } = jsonLines(err)[0] as { error: { code: string; message: string } }
    expect(error.code).toBe('HOLDFAST_SLOT_CONFLICT')
    expect(error.message).toMatch(/^stdin:11 /)
    expect(new Set(error.message.match(/[A-Za-z0-9_-]{43}/g)).size).toBeGreaterThanOrEqual(3)
    expect(await importFrom(lines.slice(0, 30).join('\n'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('"created":20,"existing":10'),
    })
  })

  test('of two contents for one slot in one batch names the second line', async () => {
    const { code, err } = await importFrom([...lines.slice(0, 5), changed(lines[3])].join('\n'))
    expect(code).toBe(1)
    expect(err).toContain('stdin:6 ')
  })

  test('of a value with no canonical form names its line', async () => {
    const process = '_'.repeat(43)
    const line = (slot: number, text: string) => `{"process":"${process}","slot":${slot},"text":"${text}"}`
    const { code, err } = await importFrom([line(0, 'fine'), line(1, '\\ud800')].join('\n'), 'assignments')
    expect(code).toBe(1)
    expect(err).toContain('stdin:2 ')
  })

  test('from a file that is not there creates no store', async () => {
    const { code, err } = await runHere([
      '--store',
      store,
      'import',
      '--format',
      'assignments',
      join(directory.path, 'nothing.jsonl'),
    ])
    expect(code).toBe(1)
    expect(err).toContain('there is no such file')
    expect(existsSync(store)).toBe(false)
  })

  test('interrupted while it waits for input keeps whole batches and exits with 130', async () => {
    const [line = ''] = lines
    const input = new PassThrough()
    const many = Array.from({ length: 520 }, (_, index) =>
      line.replace('"Nonce","value":"0"', `"Nonce","value":"${index}"`),
    )
    input.write(`${many.join('\n')}\n`)
    let interrupt = () => {}
    const running = runHere(['--store', store, '--json', 'import', '--format', 'scheduler-unit', '-'], {
      input,
      interrupt: (handler) => {
        interrupt = handler
      },
    })
    while (input.readableLength > 0 || !existsSync(store)) await new Promise(setImmediate)
    interrupt()
    const { code, out } = await running
    expect(code).toBe(130)
    const [report] = jsonLines(out)
    expect(report).toMatchObject({ interrupted: true })
    expect([0, 500]).toContain(report?.created)
    expect(await importFrom(many.join('\n'))).toMatchObject({
      code: 0,
      out: expect.stringContaining(`"existing":${String(report?.created)}`),
    })
  })
})

describe('export', () => {
  test('reads back to the same content ids', async () => {
    const special = `{"process":"${'_'.repeat(43)}","slot":7,"bytes":{"$base64":"AAH/"},"big":{"$bigint":"99999999999999999999"},"odd":{"$object":{"$base64":"?"}}}\n`
    await importFrom(lines.join('\n'))
    expect(await importFrom(special, 'assignments')).toMatchObject({ code: 0 })
    const exported = await runHere(['--store', store, 'export'])
    expect(exported).toMatchObject({ code: 0, err: 'exported 155 assignments of 6 processes\n' })
    const copy = join(directory.path, 'copy')
    const imported = await runHere([
      '--store',
      copy,
      'import',
      '--format',
      'assignments',
      fileOf('all.jsonl', exported.out),
    ])
    expect(imported).toMatchObject({ code: 0, out: 'imported 155 assignments\n' })
    const processes = (await runHere(['--store', store, '--json', 'ls', 'assignments'])).out
    expect((await runHere(['--store', copy, '--json', 'ls', 'assignments'])).out).toBe(processes)
    for (const { name } of jsonLines(processes)) {
      const range = ['--json', 'range', String(name)]
      expect((await runHere(['--store', copy, ...range])).out).toBe((await runHere(['--store', store, ...range])).out)
    }
  })

  test('of a process that is not there exits with 3 before it prints anything', async () => {
    await importFrom(lines.join('\n'))
    const known = jsonLines((await runHere(['--store', store, '--json', 'ls', 'assignments'])).out)[0]?.name
    expect(await runHere(['--store', store, 'export', String(known), '_'.repeat(43)])).toMatchObject({
      code: 3,
      out: '',
    })
  })
})
