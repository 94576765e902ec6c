/** Assignments as the `assignments/` part of the paths: `assignments/P/3` is a link to `data/<id>`. */
import { HoldfastError } from '../base/index.ts'
import type { Mount, PathNode } from '../content/index.ts'
import { normalizeProcess, normalizeSlot } from './arguments.ts'
import type { Assignments } from './assignments.ts'

export function assignmentMount(assignments: Assignments): Mount {
  return {
    lookup: (names) => lookup(assignments, names),
    list: (names) => list(assignments, names),
  }
}

async function lookup(assignments: Assignments, names: readonly string[]): Promise<PathNode | undefined> {
  const [process, slot] = names
  if (process === undefined) return { type: 'group' }
  const name = accepted(() => normalizeProcess(process))
  if (name === undefined || names.length > 2) return undefined
  if (slot === undefined) return (await assignments.latest(name)) === undefined ? undefined : { type: 'group' }
  const position = accepted(() => normalizeSlot(slot))
  const id = position === undefined ? undefined : await assignments.index.id(name, position)
  return id === undefined ? undefined : { type: 'link', target: ['data', id] }
}

async function* list(assignments: Assignments, names: readonly string[]): AsyncGenerator<string> {
  const [process] = names
  if (process === undefined) yield* assignments.processes()
  else if (names.length === 1) for (const slot of await assignments.list(process)) yield String(slot)
}

/** A name that is no process or slot names nothing: for a path that is absence, not an error. */
function accepted<T>(normalize: () => T): T | undefined {
  try {
    return normalize()
  } catch (error) {
    if (error instanceof HoldfastError) return undefined
    throw error
  }
}
