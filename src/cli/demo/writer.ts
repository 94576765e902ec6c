/**
 * The program the demo kills: writes the demo's assignments to the store it is given and prints `slot id` for each
 * one that is acknowledged. It never stops by itself before `slotsMax`, which only keeps an orphan from filling the disk.
 */
import { type Assignment, open, type Store } from '../../index.ts'
import { demoAssignments, demoProcess } from './demo-assignments.ts'

const inFlightMax = 16
const slotsMax = 200_000

async function writeOn(store: Store): Promise<void> {
  const head = await store.assignments.latest(demoProcess)
  const first = head === undefined ? 0 : head.slot + 1
  const inFlight = new Set<Promise<void>>()
  for (const assignment of demoAssignments()) {
    const slot = Number(assignment.slot)
    if (slot >= first + slotsMax) break
    if (slot < first) continue
    const write = writeOne(store, assignment).finally(() => inFlight.delete(write))
    inFlight.add(write)
    if (inFlight.size >= inFlightMax) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
}

async function writeOne(store: Store, assignment: Assignment): Promise<void> {
  const { slot, id } = await store.assignments.write(assignment)
  process.stdout.write(`${slot} ${id}\n`)
}

const [location] = process.argv.slice(2)
if (location === undefined) throw new TypeError('the writer takes the directory of the store')
const store = await open(location)
await writeOn(store)
await store.close()
