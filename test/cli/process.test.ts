import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { jsonLines, runHere, runProcess, temporaryDirectory } from './run-cli.ts'

const schedule = readFileSync(fileURLToPath(new URL('../../fixtures/schedule.jsonl', import.meta.url)), 'utf8')
const directory = temporaryDirectory()
afterAll(() => directory.remove())

describe('the command line as a process', () => {
  test('imports what is piped into it and says no more than that', async () => {
    const store = join(directory.path, 'piped')
    const { code, out, err } = await runProcess(['--store', store, 'import', '--format', 'scheduler-unit', '-'], {
      input: schedule,
    })
    expect({ code, out, err }).toEqual({ code: 0, out: 'imported 154 assignments\n', err: '' })
    const exported = await runHere(['--store', store, 'export'])
    expect(exported.out.split('\n')).toHaveLength(155)
  })

  test('ends quietly when the reader of its output goes away', async () => {
    const store = join(directory.path, 'piped')
    const { code, err } = await runProcess(['--store', store, 'export'], { stopReadingAfter: 1 })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    // It let go of the store, too.
    expect(await runHere(['--store', store, 'status'])).toMatchObject({ code: 0 })
  })

  test('shows errors with what to do next, and a stack only with --debug', async () => {
    const store = join(directory.path, 'nothing')
    const plain = await runProcess(['--store', store, 'status'])
    expect(plain.code).toBe(3)
    expect(plain.err).toMatch(/^holdfast: .*\n {2}code: HOLDFAST_NOT_FOUND\n {2}next: .*\n$/)
    expect((await runHere(['--store', store, 'status', '--debug'])).err).toContain('    at ')
  })

  test('an interrupt while it waits for input closes the store and exits with 130', async () => {
    const store = join(directory.path, 'interrupted')
    const args = ['--store', store, 'import', '--format', 'scheduler-unit', '-']
    // It listens for interrupts before it creates the store, so the lock proves that it does.
    const { code, err } = await runProcess(args, { interruptWhenThere: join(store, 'lock') })
    expect({ code, err }).toEqual({ code: 130, err: expect.stringContaining('interrupted') })
    expect(await runHere(['--store', store, 'status'])).toMatchObject({ code: 0 })
  })

  test('demo kills a writer, loses nothing and cleans up', async () => {
    const { code, out, err } = await runProcess(['demo', '--json'])
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('everything is as it should be') })
    const checks = jsonLines(out)
    expect(checks).toHaveLength(11)
    expect(checks.filter((check) => check.ok !== true)).toEqual([])
    const store = /store: (.*)\n/.exec(err)?.[1] ?? ''
    expect(await runHere(['--store', store, 'status'])).toMatchObject({ code: 3 })
  })
})
