import { describe, expect, test } from 'vitest'
import { runHere } from './run-cli.ts'

const process = '_'.repeat(43)

describe('usage of the command line', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['status', '--frobnicate']],
    ['a missing argument', ['latest']],
    ['an argument too many', ['status', 'x']],
    ['a process that cannot be one', ['latest', 'short']],
    ['a range that cannot be one', ['range', process, '5..x']],
    ['an empty range', ['range', process, '5..1']],
    ['a limit that cannot be one', ['range', process, '--limit', '0']],
    ['an unknown import format', ['import', '--format', 'csv', 'x']],
    ['an import without format', ['import', 'x']],
    ['an unknown chain', ['verify', '--chain', 'other']],
  ])('%s exits with 2 and says so on stderr alone', async (_what, args) => {
    const { code, out, err } = await runHere(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
    expect(err).not.toContain('    at ')
  })

  test('--version and --help answer on stdout and exit with 0', async () => {
    expect(await runHere(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    })
    const help = await runHere(['--help'])
    expect(help).toMatchObject({ code: 0, err: '' })
    for (const command of [
      'demo',
      'status',
      'ls',
      'get',
      'latest',
      'range',
      'verify',
      'import',
      'export',
      'wal',
      'checkpoint',
    ]) {
      expect(help.out).toContain(`  ${command}`)
    }
    const importHelp = await runHere(['import', '--help'])
    expect(importHelp.out).toContain('Examples:')
    expect(importHelp.out).toContain('--store')
  })
})
