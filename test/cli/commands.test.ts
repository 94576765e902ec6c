import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseSchedulerUnitLine } from '../../src/cli/scheduler-unit.ts'
import { open } from '../../src/index.ts'
import { jsonLines, runHere, temporaryDirectory } from './run-cli.ts'

const fixture = fileURLToPath(new URL('../../fixtures/schedule.jsonl', import.meta.url))
const assignments = readFileSync(fixture, 'utf8').trim().split('\n').flatMap(parseSchedulerUnitLine)
const process = String(assignments[0]?.process)
const slots = assignments.filter((item) => item.process === process)
const gappy = '_'.repeat(43)
const nobody = 'a'.repeat(43)

const directory = temporaryDirectory()
const store = join(directory.path, 'store')
const cli = (...args: string[]) => runHere(['--store', store, ...args])

beforeAll(async () => {
  const opened = await open(store)
  await opened.assignments.writeMany(assignments)
  await opened.assignments.writeMany([1, 2, 6].map((slot) => ({ process: gappy, slot })))
  await opened.paths.write('mine/text', Buffer.from('grüße\n'))
  await opened.paths.write('mine/bytes', new Uint8Array([0, 255, 10]))
  await opened.paths.write('mine/evil\u001b[2J', Buffer.from('x'))
  await opened.paths.link('mine/text', 'mine/link')
  await opened.close()
})
afterAll(() => directory.remove())

/** Every file with size and time of last change. */
function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(path, name))
      return `${name} ${size} ${mtimeMs}`
    })
}

describe('commands that read', () => {
  test('change no byte and leave no file in the store', async () => {
    const before = filesOf(store)
    const commands = [
      ['status'],
      ['ls'],
      ['latest', process],
      ['range', process],
      ['verify'],
      ['export'],
      ['wal', 'ls'],
      ['wal', 'dump'],
    ]
    for (const command of commands) expect(await cli(...command)).toMatchObject({ code: 0 })
    expect(filesOf(store)).toEqual(before)
  })

  test('exit with 3 when there is no store, and make none', async () => {
    const missing = join(directory.path, 'missing')
    for (const command of [
      ['status'],
      ['ls'],
      ['get', 'x'],
      ['latest', process],
      ['verify'],
      ['export'],
      ['wal', 'ls'],
      ['checkpoint'],
    ]) {
      const { code, out, err } = await runHere(['--store', missing, ...command])
      expect({ code, out }).toEqual({ code: 3, out: '' })
      expect(err).toContain('HOLDFAST_NOT_FOUND')
      expect(err).toContain('next: ')
    }
    expect(readdirSync(directory.path)).not.toContain('missing')
  })

  test('exit with 5 and name the process while a store is in use; status tells what it can', async () => {
    const used = join(directory.path, 'used')
    const opened = await open(used)
    try {
      const range = await runHere(['--store', used, 'range', process])
      expect(range).toMatchObject({ code: 5, out: '' })
      expect(range.err).toContain(`process ${globalThis.process.pid}`)
      const status = await runHere(['--store', used, '--json', 'status'])
      expect(status.code).toBe(5)
      expect(jsonLines(status.out)[0]).toMatchObject({ openedBy: globalThis.process.pid, epoch: 1 })
    } finally {
      await opened.close()
    }
  })

  test('exit with 1 on a store of a newer format', async () => {
    const newer = join(directory.path, 'newer')
    cpSync(store, newer, { recursive: true })
    const [, fields = ''] = readFileSync(join(newer, 'superblock'), 'latin1').split('\n')
    const head = `holdfast 2\n${fields}\n`
    writeFileSync(join(newer, 'superblock'), `${head}${crc32(head).toString(16).padStart(8, '0')}\n`, 'latin1')
    for (const command of [['status'], ['verify']]) {
      const { code, err } = await runHere(['--store', newer, ...command])
      expect(err).toContain('HOLDFAST_FORMAT_UNSUPPORTED')
      expect(code).toBe(1)
    }
  })
})

describe('status', () => {
  test('tells path, format, sequences and how the store was closed', async () => {
    const { out } = await cli('--json', 'status')
    expect(jsonLines(out)[0]).toMatchObject({
      format: 1,
      openedBy: null,
      epoch: 1,
      clean: true,
      lastSequence: 6,
      durableSequence: 6,
    })
    expect((await cli('status')).out).toMatch(/open by +nobody/)
  })
})

describe('ls', () => {
  test('lists the top, groups with a slash', async () => {
    expect((await cli('ls')).out.split('\n').toSorted()).toEqual(['', 'assignments/', 'data/', 'mine/'])
  })

  test('lists slots in numeric order, reversed and limited', async () => {
    expect((await cli('ls', `assignments/${process}`)).out.trim().split('\n')).toEqual(
      slots.map((item) => String(item.slot)),
    )
    const last = await cli('ls', `assignments/${process}`, '--reverse', '--limit', '2')
    expect(last.out).toBe('71\n70\n')
    expect(last.err).toContain('70 more names')
  })

  test('shows control characters in names instead of sending them', async () => {
    expect((await cli('ls', 'mine')).out).toContain('evil\\u001b[2J')
  })

  test('of nothing exits with 3', async () => {
    expect(await cli('ls', 'nowhere')).toMatchObject({ code: 3, out: '' })
    expect((await cli('ls', 'mine/text')).err).toContain('holdfast get mine/text')
  })
})

describe('get', () => {
  test('reads an assignment by path and by content id', async () => {
    const byPath = await cli('--json', 'get', `assignments/${process}/3`)
    expect(jsonLines(byPath.out)).toEqual([slots[3]])
    const { id } = jsonLines((await cli('--json', 'range', process, '3')).out)[0] as { id: string }
    expect((await cli('--json', 'get', id)).out).toBe(byPath.out)
    const forPeople = (await cli('get', id)).out
    expect(forPeople.split('\n').length).toBeGreaterThan(20)
    expect(JSON.parse(forPeople)).toEqual(slots[3])
  })

  test('--raw prints the stored bytes exactly', async () => {
    expect((await cli('get', 'mine/text', '--raw')).out).toBe('grüße\n')
    const { id } = jsonLines((await cli('--json', 'latest', process)).out)[0] as { id: string }
    const opened = await open(store, { readOnly: true })
    const bytes = await opened.content.bytes(id)
    await opened.close()
    expect((await cli('get', `assignments/${process}/71`, '--raw')).out).toBe(Buffer.from(bytes ?? []).toString())
  })

  test('prints text as text, other bytes as base64, and follows links', async () => {
    expect((await cli('get', 'mine/link')).out).toBe('grüße\n\n')
    expect((await cli('get', 'mine/bytes')).out).toBe('{"$base64":"AP8K"}\n')
  })

  test('of nothing exits with 3, and of a group says how to list it', async () => {
    expect(await cli('get', 'nowhere')).toMatchObject({ code: 3, out: '' })
    expect(await cli('get', nobody)).toMatchObject({ code: 3, out: '' })
    expect(await cli('get', 'A'.repeat(43))).toMatchObject({ code: 3, out: '' })
    expect(await cli('get', 'mine')).toMatchObject({ code: 3, err: expect.stringContaining('holdfast ls mine') })
  })
})

describe('latest and range', () => {
  test('latest prints the newest slot', async () => {
    const head = slots.at(-1)
    expect(jsonLines((await cli('--json', 'latest', process)).out)[0]).toMatchObject({
      slot: 71,
      hashChain: head?.['hash-chain'],
    })
    expect((await cli('latest', process)).out).toContain(head?.['hash-chain'])
    expect(await cli('latest', nobody)).toMatchObject({ code: 3, out: '' })
  })

  test('range prints the slots asked for and says where to go on', async () => {
    const some = await cli('--json', 'range', process, '10..40', '--limit', '5')
    const items = jsonLines(some.out)
    expect(items.slice(0, -1)).toEqual(
      [10, 11, 12, 13, 14].map((slot) => ({ type: 'slot', slot, id: expect.any(String), assignment: slots[slot] })),
    )
    expect(items.at(-1)).toEqual({ type: 'end', slots: 5, missing: 0, next: 15 })
    expect((await cli('range', process, '10..40', '--limit', '5')).err).toContain(`holdfast range ${process} 15..40`)
  })

  test('range marks the slots that are missing', async () => {
    const { out, err } = await cli('range', gappy)
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'slot',
      '0',
      '1',
      '2',
      '3..5',
      '6',
      '',
    ])
    expect(out).toContain('3..5  missing (3 slots)')
    expect(err).toContain('3 slots, 4 slots missing')
    expect(jsonLines((await cli('--json', 'range', gappy, '4..5')).out)).toEqual([
      { type: 'gap', from: 4, to: 5 },
      { type: 'end', slots: 0, missing: 2 },
    ])
  })
})

describe('verify', () => {
  test('counts every check on a sound store', async () => {
    const { code, out, err } = await cli('verify', '--chain', 'scheduler-unit')
    expect(code).toBe(0)
    expect(out).toMatch(/scheduler-unit chain +149 +0 +-/)
    expect(out).toMatch(/slots +157 +0 +-/)
    expect(err).toContain('no problem found')
  })

  test('exits with 4 and names the slot when a chain is broken', async () => {
    const broken = join(directory.path, 'broken')
    const opened = await open(broken)
    await opened.assignments.writeMany(slots.slice(0, 5))
    await opened.assignments.write({ ...slots[5], process, slot: 5, 'hash-chain': nobody })
    await opened.close()
    expect(await runHere(['--store', broken, 'verify'])).toMatchObject({ code: 0 })
    const { code, out } = await runHere(['--store', broken, 'verify', '--chain', 'scheduler-unit'])
    expect(code).toBe(4)
    expect(out).toMatch(new RegExp(`scheduler-unit chain +5 +1 +${process}/5`))
  })

  test('exits with 4 when durable bytes of the log are damaged', async () => {
    const damaged = join(directory.path, 'damaged')
    cpSync(store, damaged, { recursive: true })
    const [segment = ''] = readdirSync(join(damaged, 'wal')).filter((name) => name.endsWith('.seg'))
    const bytes = readFileSync(join(damaged, 'wal', segment))
    bytes[2000] = (bytes[2000] ?? 0) ^ 0xff
    writeFileSync(join(damaged, 'wal', segment), bytes)
    const { code, out, err } = await runHere(['--store', damaged, 'verify'])
    expect({ code, told: out + err }).toEqual({ code: 4, told: expect.stringContaining(segment) })
    expect((await runHere(['--store', damaged, 'wal', 'ls'])).out).toContain('torn at')
  })
})

describe('wal', () => {
  test('ls shows each segment and dump its frames', async () => {
    const segments = jsonLines((await cli('--json', 'wal', 'ls')).out)
    expect(segments).toMatchObject([
      { number: 1, epoch: 1, firstSequence: 1, lastSequence: 6, records: 6, tornAt: null },
    ])
    const frames = jsonLines((await cli('--json', 'wal', 'dump')).out)
    expect(frames.reduce((sum, frame) => sum + Number(frame.recordCount), 0)).toBe(6)
    expect((await cli('--json', 'wal', 'dump', String(segments[0]?.file))).out).toBe(
      (await cli('--json', 'wal', 'dump', '1')).out,
    )
    expect((await cli('wal', 'dump')).out).toMatch(/records +1\.\.1 +1 /)
    expect(await cli('wal', 'dump', 'other')).toMatchObject({ code: 3, out: '' })
  })
})

describe('checkpoint', () => {
  test('moves what is left in the log to the backend', async () => {
    const copy = join(directory.path, 'copy')
    cpSync(store, copy, { recursive: true })
    expect(jsonLines((await runHere(['--store', copy, '--json', 'checkpoint'])).out)[0]).toMatchObject({ sequence: 6 })
    expect((await runHere(['--store', copy, 'checkpoint'])).out).toMatch(/sequence +6/)
  })
})
