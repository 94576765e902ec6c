/**
 * What the real-disk tests write and what they expect to find. Record `n` is one transaction: it sets `head` to n, adds
 * `log/n`, removes `log/(n - kept)`, and every fourth adds an assignment. So the number of the last record alone says what
 * a store must hold, and a store that holds anything else lost, tore or brought back something.
 */
import { createHash } from 'node:crypto'
import type { OpenOptions, Store, VerifyReport } from '../../src/index.ts'

/** Small enough that a run of some dozen records rotates, checkpoints and trims several times. */
export const recordOptions: OpenOptions = {
  segmentBytes: 16 * 1024,
  checkpointBytes: 24 * 1024,
  memoryBytes: 256 * 1024,
}

const kept = 8
const perAssignment = 4
const writer = 'R'.repeat(43)

/** Writes record `n`. `life` names the process, so that records of the same number from two lives differ. */
export function writeRecord(store: Store, n: number, life: number, durability: 'sync' | 'os' = 'sync'): Promise<void> {
  return store.transact(
    () => {
      void store.paths.write(['log', n], recordBytes(n, life))
      void store.paths.write('head', Buffer.from(String(n)))
      if (n > kept) void store.paths.remove(['log', n - kept])
      if (n % perAssignment !== 0) return
      const slot = n / perAssignment - 1
      void store.assignments.write({ process: writer, slot, data: digest(`assignment ${slot}`).toString('hex') })
    },
    { durability },
  )
}

/** The number of the last record; 0 when there is none. */
export async function lastRecord(store: Store): Promise<number> {
  const head = await store.paths.read('head')
  return head === undefined ? 0 : Number(Buffer.from(head).toString())
}

/** Everything that is not as it has to be, in words; the number of the last record. */
export async function judge(store: Store): Promise<{ last: number; wrong: string[]; report: VerifyReport }> {
  const last = await lastRecord(store)
  const wrong: string[] = []
  const numbers = (await store.paths.list('log')).map(Number).sort((a, b) => a - b)
  const first = Math.max(1, last - kept + 1)
  const expected = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  if (numbers.join() !== expected.join())
    wrong.push(`record ${last}: log has ${numbers.join()}, not ${expected.join()}`)
  const all = await Promise.all(numbers.map(async (n) => [n, await store.paths.read(['log', n])] as const))
  for (const [n, bytes] of all) {
    const life = bytes === undefined ? undefined : lifeOf(bytes)
    if (bytes === undefined || life === undefined || !recordBytes(n, life).equals(bytes))
      wrong.push(`record ${n} is not what was written`)
  }
  const slots = await store.assignments.list(writer)
  if (slots.length !== Math.floor(last / perAssignment) || slots.some((slot, i) => slot !== i))
    wrong.push(`record ${last}: the assignments are ${slots.join()}`)
  const report = await store.verify()
  for (const { code, where, message } of report.problems) wrong.push(`verify: ${code} ${where} ${message}`)
  return { last, wrong, report }
}

const lifeBytes = 4

function recordBytes(n: number, life: number): Buffer {
  const seed = digest(`${n} ${life}`)
  // From next to nothing to several sectors and more than a page.
  const bytes = Buffer.alloc(lifeBytes + ((n * 7919) % 40) ** 2 * 3, seed)
  bytes.writeUInt32LE(life, 0)
  return bytes
}

function lifeOf(bytes: Uint8Array): number | undefined {
  return bytes.length < lifeBytes ? undefined : Buffer.from(bytes).readUInt32LE(0)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
