// Writes to the store given as argument until it is killed. Says `open`, then `process slot id` for every assignment
// that is acknowledged, each in one write of its own so that a line is there whole or not at all. With `early` it says so
// of writes that are buffered only.
import { writeSync } from 'node:fs'
import { open, type Store } from '../../src/index.ts'
import { assignmentOf, choices, killOptions, writerProcess, writers } from './kill-world.ts'

const [, , location = '', cycleText = '0', early] = process.argv
const cycle = Number(cycleText)

const store = await open(location, killOptions)
writeSync(1, 'open\n')
await Promise.all(Array.from({ length: writers }, (_, writer) => writeOn(store, writer)))

async function writeOn(to: Store, writer: number): Promise<never> {
  const random = choices(cycle * 1000 + writer)
  const process = writerProcess(writer)
  for (let turn = 0; ; turn++) {
    const first = (to.assignments.latestSync(process)?.slot ?? -1) + 1
    const of = random(4) === 0 ? 2 + random(4) : 1
    const batch = `${cycle}-${writer}-${turn}`
    const list = Array.from({ length: of }, (_, i) => assignmentOf({ writer, slot: first + i, cycle, batch, of }))
    // A kill leaves the page cache alone: what `os` acknowledged is kept as well.
    const kept = random(5) === 0 ? 'os' : 'sync'
    const options = { durability: early === 'early' ? 'buffered' : kept } as const
    const written =
      of === 1
        ? [await to.assignments.write(list[0] as (typeof list)[0], options)]
        : await to.assignments.writeMany(list, options)
    for (const { slot, id } of written) writeSync(1, `${process} ${slot} ${id}\n`)
    if (random(60) === 0) await to.checkpoint()
  }
}
