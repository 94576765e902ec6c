/**
 * Goal: the record beside a lock, which says who holds it, is a hint and no more. Method: flip every byte of the one that
 * a killed owner left, cut it at every length, and open.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest'
import { MemoryBackend } from '../../src/kv/index.ts'
import { open } from '../../src/index.ts'
import { effort, reportLayer } from '../support/effort.ts'
import { emptyTally, type Expected, factsOf, fill, judge, type Tally } from './damage-world.ts'

let directory: string
let killed: string
let expected: Expected
let backend: MemoryBackend

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-owner-'))
  const living = join(directory, 'living')
  const machine = new MemoryBackend()
  const store = await open(living, { backend: machine })
  await fill(store)
  expected = { facts: await factsOf(store), lastSequence: store.lastSequence }
  // As a killed owner leaves it, but for the lock itself: that would be one of a process that is alive.
  killed = join(directory, 'killed')
  cpSync(living, killed, { recursive: true, filter: (path) => path !== join(living, 'lock') })
  backend = machine.crash('all')
  await store.close().catch(() => undefined)
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function judgeEach(context: TestContext, damages: readonly ((bytes: Buffer) => Buffer)[]): Promise<Tally> {
  const tally = emptyTally()
  const hurt = join(directory, 'hurt')
  for (const damage of damages) {
    rmSync(hurt, { recursive: true, force: true })
    cpSync(killed, hurt, { recursive: true })
    const record = join(hurt, 'owner.json')
    writeFileSync(record, damage(readFileSync(record)))
    tally[await judge(hurt, { backend: backend.crash('all') }, expected, (fact) => expect.unreachable(fact))]++
  }
  reportLayer(context, 'L4', { damages: damages.length, ...tally })
  return tally
}

it('a record of the owner with any byte flipped, or cut short anywhere, changes nothing', async (context) => {
  expect(existsSync(join(killed, 'owner.json'))).toBe(true)
  const { length } = readFileSync(join(killed, 'owner.json'))
  const flips = Array.from({ length }, (_, offset) => (bytes: Buffer) => {
    bytes[offset] = (bytes[offset] as number) ^ (offset % 2 === 0 ? 0xff : 1 << (offset % 8))
    return bytes
  })
  const cuts = Array.from({ length }, (_, size) => (bytes: Buffer) => bytes.subarray(0, size))
  const damages = [...flips, ...cuts].filter((_, index) => index % effort(9, 1) === 0)
  const { harmless } = await judgeEach(context, damages)
  expect(harmless).toBe(damages.length)
})
