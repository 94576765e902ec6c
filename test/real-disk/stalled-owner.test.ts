/**
 * Goal: an owner that stood still acknowledges nothing once another has taken over. Method: a writer on the real disk is
 * stopped with SIGSTOP for longer than a lock lives; nobody can take over while the kernel knows it has the store open;
 * then every lock is removed by hand, as no one should, a successor opens the store, and the writer goes on.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { open } from '../../src/index.ts'
import { type CompiledChild, compileChild, ended, onLines } from '../crash/compiled-child.ts'
import { effort, reportLayer } from '../support/effort.ts'
import { judge, lastRecord, recordOptions, writeRecord } from './numbered-records.ts'
import type { WriterPlan } from './record-writer.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
/** An owner trusts its lock for five seconds; the lock is stale after ten. */
const stallMs = effort(6_000, 15_000)

let directory: string
let location: string
let writer: CompiledChild
let children: ChildProcess[] = []

beforeAll(() => {
  writer = compileChild('../real-disk/record-writer', true)
})

afterAll(() => writer.remove())

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-stalled-'))
  location = join(directory, 'store')
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(directory, { recursive: true, force: true })
})

interface Owner {
  readonly child: ChildProcess
  readonly gone: Promise<string>
  /** Records it said are there, and codes of refusals, in order. */
  readonly said: string[]
}

async function startOwner(broken?: WriterPlan['broken']): Promise<Owner> {
  const plan: WriterPlan = { dist, location, marks: '', life: 1, records: 0, lone: true }
  const child = writer.start(JSON.stringify(broken === undefined ? plan : { ...plan, broken }))
  children.push(child)
  const gone = ended(child)
  const said: string[] = []
  await Promise.race([
    gone.then((how) => expect.unreachable(`the owner ended: ${how}`)),
    new Promise<void>((resolve) =>
      onLines(child, (line) => {
        if (said.push(line) === 20) resolve()
      }),
    ),
  ])
  return { child, gone, said }
}

function acknowledgedIn(lines: readonly string[]): number[] {
  return lines.filter((line) => line.startsWith('ack')).map((line) => Number(line.split(' ')[1]))
}

interface TakenOver {
  /** Records that the old owner says are there and its successor has never heard of. */
  readonly late: number[]
  /** Codes of the refusals that the old owner got. */
  readonly refused: string[]
  readonly expected: number
  /** What the successor's close rejected with. */
  readonly closing: unknown
}

/** Stops the owner, takes its place by force, lets it go on. */
async function takeOver(owner: Owner): Promise<TakenOver> {
  owner.child.kill('SIGSTOP')
  await expect(open(location)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
  await delay(stallMs)
  await expect(open(location), 'a stopped owner still owns').rejects.toMatchObject({ code: 'HOLDFAST_LOCKED' })
  for (const name of ['lock', 'owner.json', 'level/LOCK'])
    rmSync(join(location, name), { recursive: true, force: true })
  const successor = await open(location, recordOptions)
  const found = await lastRecord(successor)
  for (let n = found + 1; n <= found + 10; n++) await writeRecord(successor, n, 2)
  const before = owner.said.length
  owner.child.kill('SIGCONT')
  const enough = new Promise<void>((resolve) =>
    onLines(owner.child, () => {
      if (owner.said.length > before + 50) resolve()
    }),
  )
  await Promise.race([owner.gone, enough])
  for (let n = found + 11; n <= found + 20; n++) await writeRecord(successor, n, 2)
  owner.child.kill('SIGKILL')
  await owner.gone
  const after = owner.said.slice(before)
  const refused = after.filter((line) => line.startsWith('refused')).map((line) => line.split(' ')[2] as string)
  const closing: unknown = await successor.close().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { late: acknowledgedIn(after).filter((n) => n > found), refused, expected: found + 20, closing }
}

describe('an owner that stood still', () => {
  it(`for ${stallMs / 1000} s owns the store all the while, and goes on when it wakes (I12)`, async (context) => {
    const owner = await startOwner()
    owner.child.kill('SIGSTOP')
    await delay(stallMs)
    await expect(open(location)).rejects.toMatchObject({ code: 'HOLDFAST_LOCKED', detail: { pid: owner.child.pid } })
    const before = owner.said.length
    owner.child.kill('SIGCONT')
    await new Promise<void>((resolve) => {
      onLines(owner.child, () => {
        if (owner.said.length > before + 20) resolve()
      })
    })
    owner.child.kill('SIGKILL')
    await owner.gone
    const store = await open(location, recordOptions)
    const { last, wrong } = await judge(store)
    expect(wrong).toEqual([])
    expect(last).toBeGreaterThanOrEqual(Math.max(...acknowledgedIn(owner.said)))
    await store.close()
    reportLayer(context, 'L10', { 'lock fights': 1 })
  }, 60_000)

  it('while its locks were removed and another took over acknowledges nothing more (I12)', async (context) => {
    const { late, refused, expected, closing } = await takeOver(await startOwner())
    expect(late).toEqual([])
    // The old owner may have taken the lock directory with it when it closed.
    if (closing !== undefined) expect(closing).toMatchObject({ code: 'HOLDFAST_LOCKED' })
    expect(refused).toEqual(['HOLDFAST_LOCKED'])
    const store = await open(location, recordOptions)
    expect(await judge(store)).toMatchObject({ last: expected, wrong: [] })
    await store.close()
    reportLayer(context, 'L10', { 'lock fights': 1 })
  }, 60_000)

  it('and never looks whether another took over acknowledges what is lost, and this is noticed', async () => {
    const { late } = await takeOver(await startOwner('checks of the epoch'))
    expect(late).not.toEqual([])
  }, 60_000)
})
