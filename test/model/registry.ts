/** All families. A new structure joins by adding its family here. */
import fc from 'fast-check'
import { assignmentFamily } from './assignment-commands.ts'
import { keyValueFamily } from './cache-key-value-commands.ts'
import { queueFamily, stackFamily } from './cache-queue-commands.ts'
import { recordFamily, tableFamily } from './cache-table-commands.ts'
import { type Command, commandsOf, type Family, type Weighted } from './command.ts'
import { contentFamily } from './content-commands.ts'
import { crashCommands, plainReopening } from './crash-commands.ts'
import type { Query, Write } from './operation.ts'
import { pathFamily } from './path-commands.ts'
import { storeCommands } from './store-commands.ts'

export const families: readonly Family[] = [
  contentFamily,
  pathFamily,
  assignmentFamily,
  keyValueFamily,
  tableFamily,
  recordFamily,
  queueFamily,
  stackFamily,
]

export const queries: readonly Query[] = families.flatMap((family) => family.queries)

const writes: fc.Arbitrary<Write> = fc.oneof(...families.map((family) => family.writes))

const onStore: readonly Weighted[] = [...families.flatMap(commandsOf), ...storeCommands(writes)]

/** Nothing fails: for runs in which every call of the disk is held up. */
export const schedulable: fc.Arbitrary<Command> = fc.oneof(...onStore, ...plainReopening)

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(...onStore, ...crashCommands)
