/** Content by hash, pins and the collection of garbage. */
import fc from 'fast-check'
import { assignments } from './assignment-state.ts'
import { durability, type Family, options, suffix } from './command.ts'
import { collect, garbageOf, type Item, items, pin, put, unpin } from './content-state.ts'
import { effectOf, type LongWrite, type Query, type Write } from './operation.ts'

const item = fc.constantFrom(...items)

const putItem = fc.tuple(item, durability).map(
  ([each, level]): Write => ({
    label: `put ${each.name}${suffix(level)}`,
    durability: level,
    call: (store) => store.content.put(each.value, options(level)),
    effect: (state) => ({ state: put(state, each), answer: each.id }),
  }),
)

const pinItem = fc.tuple(item, fc.boolean()).map(
  ([{ name, id }, on]): Write => ({
    label: `${on ? 'pin' : 'unpin'} ${name}`,
    durability: undefined,
    call: (store) => (on ? store.content.pin(id) : store.content.unpin(id)),
    effect: (state) => effectOf(() => ({ state: on ? pin(state, id) : unpin(state, id), answer: undefined })),
  }),
)

const gc: LongWrite = {
  label: 'gc',
  call: async (store) => {
    const { ok, examined, removed } = await store.gc()
    return { ok, examined, removed }
  },
  effect: (state) => ({
    state: collect(state),
    answer: { ok: true, examined: state.contents.size, removed: garbageOf(state).size },
  }),
}

function valueQueries({ name, id }: Item): Query[] {
  return [
    {
      label: `get ${name}`,
      ask: (store) => store.content.get(id),
      askSync: (store) => store.content.getSync(id),
      expected: (state) => state.contents.get(id)?.value,
    },
    {
      label: `bytes of ${name}`,
      ask: (store) => store.content.bytes(id),
      expected: (state) => state.contents.get(id)?.bytes,
    },
  ]
}

function hasQuery({ name, id }: Item): Query {
  return {
    label: `has ${name}`,
    ask: (store) => store.content.has(id),
    expected: (state) => state.contents.has(id),
  }
}

/** Values that were split out of others, by their own ids. */
const children: readonly Item[] = items.flatMap(({ name, parts, id }) =>
  [...parts]
    .filter(([partId]) => partId !== id)
    .map(([partId, part]) => ({
      ...{ name: `what ${name} links to`, value: part.bytes, id: partId, parts: new Map() },
    })),
)

export const contentFamily: Family = {
  name: 'content',
  writes: fc.oneof({ weight: 4, arbitrary: putItem }, { weight: 1, arbitrary: pinItem }),
  longWrites: fc.constant(gc),
  queries: [
    ...[...items, ...children].flatMap(valueQueries),
    ...[...items, ...children, ...assignments.flat(2)].map(hasQuery),
    {
      label: 'garbage',
      ask: async (store) => (await store.gc({ dryRun: true })).removed,
      expected: (state) => garbageOf(state).size,
    },
  ],
}
