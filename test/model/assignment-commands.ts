/** Assignments by process and slot, ranges and pages over them, and locations. */
import fc from 'fast-check'
import type { Assignment, Message, Slot, Store } from '../../src/index.ts'
import {
  assign,
  assignmentAt,
  assignmentItem,
  headOf,
  pageOf,
  processes,
  prune,
  rangeOf,
  slotsMax,
  slotsOf,
  type Span,
  variants,
  type Wanted,
  type WriteRules,
} from './assignment-state.ts'
import { durability, type Family, options, suffix } from './command.ts'
import { items, put } from './content-state.ts'
import { effectOf, type LongWrite, type Query, type Write } from './operation.ts'
import { withEntry } from './state.ts'

const process = fc.integer({ min: 0, max: processes.length - 1 })
const slot = fc.integer({ min: 0, max: slotsMax - 1 })
const wanted: fc.Arbitrary<Wanted> = fc.record({ process, slot, variant: fc.integer({ min: 0, max: variants - 1 }) })

function nameOf({ process: p, slot: s, variant }: Wanted): string {
  return assignmentItem(p, s, variant).name
}

function valueOf({ process: p, slot: s, variant }: Wanted): Assignment {
  return assignmentItem(p, s, variant).value as Assignment
}

const rules: fc.Arbitrary<WriteRules> = fc.record({
  overwrite: fc.boolean(),
  previous: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    fc.constantFrom('right' as const, 'wrong' as const),
  ),
})

/** The head as the store shows it right now: the model judges by its own. */
function previousFor(
  store: Store,
  { process: p }: Wanted,
  { previous }: WriteRules,
): { expectedPrevious?: string | null } {
  if (previous === undefined) return {}
  const head = store.assignments.latestSync(processes[p] as string)?.id ?? null
  return { expectedPrevious: previous === 'right' ? head : head === null ? 'A'.repeat(43) : null }
}

const writeOne = fc.tuple(wanted, rules, durability).map(
  ([to, rule, level]): Write => ({
    label: `assign ${nameOf(to)}${rule.overwrite ? ', overwrite' : ''}${rule.previous === undefined ? '' : `, ${rule.previous} previous`}${suffix(level)}`,
    durability: level,
    call: (store) =>
      store.assignments.write(valueOf(to), {
        ...{ overwrite: rule.overwrite, ...options(level), ...previousFor(store, to, rule) },
      }),
    effect: (state) => effectOf(() => assign(state, to, rule)),
  }),
)

const writeMany = fc.tuple(fc.array(wanted, { maxLength: 5 }), fc.boolean(), durability).map(
  ([list, overwrite, level]): Write => ({
    label: `assign many [${list.map(nameOf).join('; ')}]${overwrite ? ', overwrite' : ''}${suffix(level)}`,
    durability: level,
    call: (store) => store.assignments.writeMany(list.map(valueOf), { overwrite, ...options(level) }),
    effect: (before) =>
      effectOf(() => {
        let state = before
        const answer = list.map((each) => {
          const written = assign(state, each, { overwrite, previous: undefined })
          ;({ state } = written)
          return written.answer
        })
        return { state, answer }
      }),
  }),
)

const writeLocation = fc.tuple(process, fc.integer({ min: 0, max: 2 }), durability).map(([p, choice, level]): Write => {
  const address = processes[p] as string
  const item = items[choice] as (typeof items)[number]
  return {
    label: `location of ${address[0]}: ${item.name}${suffix(level)}`,
    durability: level,
    call: (store) => store.assignments.writeLocation(address, item.value as Message, options(level)),
    effect: (state) => {
      const stored = put(state, item)
      return { state: { ...stored, locations: withEntry(stored.locations, address, item.id) }, answer: item.id }
    },
  }
})

const pruneBelow = fc.tuple(process, fc.integer({ min: 0, max: slotsMax })).map(([p, below]): LongWrite => {
  const name = processes[p] as string
  return {
    label: `prune ${name[0]} below ${below}`,
    call: async (store) => {
      const { ok, removed, first } = await store.assignments.prune(name, { below })
      return { ok, removed, first }
    },
    effect: (before) => {
      const { state, removed } = prune(before, name, below)
      return { state, answer: { ok: true, removed, first: slotsOf(state, name)[0] } }
    },
  }
})

// ------------------------------------------------------------------ questions

async function slotsIn(range: AsyncIterable<Slot>): Promise<Slot[]> {
  const found: Slot[] = []
  for await (const each of range) found.push(each)
  return found
}

function rangeQuery(name: string, span: Span, reverse: boolean): Query {
  return {
    label: `range of ${name[0]} ${span.from}..${span.to}, ${span.limit}${reverse ? ', reverse' : ''}`,
    ask: (store) => slotsIn(store.assignments.range(name, { ...span, reverse })),
    expected: (state) => rangeOf(state, name, span, reverse),
  }
}

function pageQuery(name: string, span: Span): Query {
  return {
    label: `page of ${name[0]} ${span.from}..${span.to}, ${span.limit}`,
    ask: (store) => store.assignments.page(name, span),
    expected: (state) => pageOf(state, name, span),
  }
}

const span: fc.Arbitrary<Span> = fc.record({ from: slot, to: slot, limit: fc.integer({ min: 1, max: slotsMax }) })

const spanQuestion = fc
  .tuple(process, span, fc.constantFrom('forward', 'reverse', 'page'))
  .map(([p, each, way]): Query => {
    const name = processes[p] as string
    return way === 'page' ? pageQuery(name, each) : rangeQuery(name, each, way === 'reverse')
  })

const everything: Span = { from: 0, to: slotsMax, limit: slotsMax + 1 }

function queriesOf(name: string): Query[] {
  return [
    ...Array.from({ length: slotsMax }, (_, at) => readQuery(name, at)),
    {
      label: `latest of ${name[0]}`,
      ask: (store) => store.assignments.latest(name),
      askSync: (store) => store.assignments.latestSync(name),
      expected: (state) => headOf(state, name),
    },
    {
      label: `slots of ${name[0]}`,
      ask: (store) => store.assignments.list(name),
      expected: (state) => slotsOf(state, name),
    },
    {
      label: `location of ${name[0]}`,
      ask: (store) => store.assignments.readLocation(name),
      expected: (state) => {
        const id = state.locations.get(name)
        return id === undefined ? undefined : state.contents.get(id)?.value
      },
    },
    rangeQuery(name, everything, false),
    rangeQuery(name, everything, true),
    pageQuery(name, everything),
  ]
}

function readQuery(name: string, at: number): Query {
  return {
    label: `read ${name[0]}/${at}`,
    ask: (store) => store.assignments.read(name, at),
    askSync: (store) => store.assignments.readSync(name, at),
    expected: (state) => assignmentAt(state, name, at),
  }
}

const processesQuery: Query = {
  label: 'processes',
  ask: async (store) => {
    const found: string[] = []
    for await (const name of store.assignments.processes()) found.push(name)
    return found
  },
  expected: (state) => [...state.slots.keys()].sort(),
}

export const assignmentFamily: Family = {
  name: 'assignments',
  writes: fc.oneof(
    { weight: 6, arbitrary: writeOne },
    { weight: 2, arbitrary: writeMany },
    { weight: 1, arbitrary: writeLocation },
  ),
  longWrites: pruneBelow,
  questions: spanQuestion,
  queries: [...processes.flatMap(queriesOf), processesQuery],
}
