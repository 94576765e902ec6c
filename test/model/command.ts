/** The shape of all commands, and the few kinds that the families share. */
import fc from 'fast-check'
import type { Level, LongWrite, Query, Write } from './operation.ts'
import type { World } from './world.ts'

export type Command = fc.AsyncCommand<object, World>

export interface Weighted {
  readonly weight: number
  readonly arbitrary: fc.Arbitrary<Command>
}

/** A part of the store: what can be done to it, and everything that can be asked about it. */
export interface Family {
  readonly name: string
  /** Single synchronous writes: also what batches and transactions are made of. */
  readonly writes: fc.Arbitrary<Write>
  /** Every answer that shows its state. All are asked after each recovery; commands ask one at a time. */
  readonly queries: readonly Query[]
  /** Questions with arguments of their own, asked by commands alone. */
  readonly questions?: fc.Arbitrary<Query>
  /** Writes of several steps. */
  readonly longWrites?: fc.Arbitrary<LongWrite>
}

export function command(label: string, perform: (world: World) => Promise<void>): Command {
  return {
    check: () => true,
    run: (_model, world) => world.command(() => perform(world)),
    toString: () => label,
  }
}

export const durability: fc.Arbitrary<Level | undefined> = fc.constantFrom(undefined, 'sync', 'os', 'buffered')

export function options(level: Level | undefined): { durability?: Level } {
  return level === undefined ? {} : { durability: level }
}

export function suffix(level: Level | undefined): string {
  return level === undefined ? '' : `, ${level}`
}

function writeCommand(write: Write, wait: boolean): Command {
  return command(`${wait ? 'await ' : ''}${write.label}`, (world) => world.follow(world.write(write), wait))
}

function askCommand(query: Query, way: 'sync' | 'await' | 'begin'): Command {
  if (way === 'sync') return command(`${query.label} synchronously`, async (world) => world.askSync(query))
  return command(`${way === 'await' ? 'await ' : ''}${query.label}`, (world) =>
    world.follow(world.ask(query), way === 'await'),
  )
}

/** The commands of a family, each kind with its weight. */
export function commandsOf(family: Family): Weighted[] {
  const queries = fc.constantFrom(...family.queries)
  const questions = family.questions === undefined ? queries : fc.oneof(queries, family.questions)
  const way = fc.constantFrom('sync' as const, 'await' as const, 'begin' as const)
  const weighted = [
    { weight: 8, arbitrary: fc.tuple(family.writes, fc.boolean()).map(([write, wait]) => writeCommand(write, wait)) },
    { weight: 4, arbitrary: fc.tuple(questions, way).map(([query, how]) => askCommand(query, how)) },
  ]
  if (family.longWrites !== undefined) {
    const alone = (long: LongWrite): Command => command(long.label, (world) => world.writeAlone(long))
    weighted.push({ weight: 1, arbitrary: family.longWrites.map(alone) })
  }
  return weighted
}
