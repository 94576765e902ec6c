/** Paths: bytes, links, groups and their removal, in a small tree full of links. */
import fc from 'fast-check'
import { processes } from './assignment-state.ts'
import { durability, type Family, options, suffix } from './command.ts'
import { items } from './content-state.ts'
import { effectOf, type LongWrite, type Query, Refusal, type Write } from './operation.ts'
import { find, list, makeGroup, remove, writeBytes, writeLink } from './path-state.ts'
import { type State, withoutKeys } from './state.ts'

const names = ['a', 'b', '2', '10']
const written = [...names, 'a/b', 'a/2', 'a/10', 'b/a', '2/a', 'a/b/a', 'b/a/2']
const shown = ['data', 'assignments', `assignments/${processes[0]}`]
const targets = [
  ...written,
  `data/${items[0]?.id}`,
  `data/${items[3]?.id}`,
  `assignments/${processes[0]}/1`,
  'nowhere',
  'assignments',
]
/** What commands write to, and now and then what nobody may write to. */
const place = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...written) },
  { weight: 1, arbitrary: fc.constantFrom('data/x', 'assignments/x') },
)

const writeAt = fc.tuple(place, fc.integer({ min: 0, max: 2 }), durability).map(([path, choice, level]): Write => {
  const bytes = new Uint8Array(choice * 90).fill(65 + choice)
  return {
    label: `write ${bytes.length} bytes at ${path}${suffix(level)}`,
    durability: level,
    call: (store) => store.paths.write(path, bytes, options(level)),
    effect: (state) => effectOf(() => ({ state: writeBytes(state, path, bytes), answer: undefined })),
  }
})

const linkTo = fc.tuple(fc.constantFrom(...targets), place, durability).map(
  ([existing, path, level]): Write => ({
    label: `link ${path} -> ${existing}${suffix(level)}`,
    durability: level,
    call: (store) => store.paths.link(existing, path, options(level)),
    effect: (state) => effectOf(() => ({ state: writeLink(state, existing, path), answer: undefined })),
  }),
)

const groupAt = fc.tuple(place, durability).map(
  ([path, level]): Write => ({
    label: `group ${path}${suffix(level)}`,
    durability: level,
    call: (store) => store.paths.group(path, options(level)),
    effect: (state) => effectOf(() => ({ state: makeGroup(state, path), answer: undefined })),
  }),
)

/** Of a leaf. A group is refused in a transaction; outside it takes several steps, so it has a command of its own. */
const removeInTransaction = (path: string) => (state: State) =>
  effectOf(() => {
    const { state: after, isGroup } = remove(state, path)
    if (isGroup) throw new Refusal('TypeError')
    return { state: after, answer: undefined }
  })

const removeAt = place.map(
  (path): LongWrite => ({
    label: `remove ${path}`,
    call: (store) => store.paths.remove(path),
    effect: (state) => effectOf(() => ({ state: remove(state, path).state, answer: undefined })),
  }),
)

/** Removes a leaf in one step: in a transaction of its own, which makes the step visible. */
const removeLeaf = fc.tuple(place, durability).map(
  ([path, level]): Write => ({
    label: `remove the leaf ${path}${suffix(level)}`,
    durability: level,
    call: (store) => store.transact(() => store.paths.remove(path, options(level)), options(level)),
    effect: removeInTransaction(path),
  }),
)

const reset: LongWrite = {
  label: 'reset the paths',
  call: (store) => store.paths.reset(),
  effect: (state) => ({ state: { ...state, paths: withoutKeys(state.paths, () => true) }, answer: undefined }),
}

function queriesOf(path: string): Query[] {
  return [
    {
      label: `type of ${path}`,
      ask: (store) => store.paths.type(path),
      expected: (state) => typeOf(state, path),
    },
    {
      label: `read ${path}`,
      ask: (store) => store.paths.read(path),
      expected: (state) => {
        const { node } = find(state, path)
        return node?.type === 'bytes' ? node.bytes : undefined
      },
    },
    {
      label: `resolve ${path}`,
      ask: (store) => store.paths.resolve(path),
      expected: (state) => find(state, path).path,
    },
  ]
}

function typeOf(state: State, path: string): string | undefined {
  const { node } = find(state, path)
  if (node === undefined) return undefined
  return node.type === 'bytes' ? 'simple' : 'composite'
}

const listed = ['', ...written, ...shown].map(
  (path): Query => ({
    label: `list ${path === '' ? 'the root' : path}`,
    ask: (store) => store.paths.list(path),
    expected: (state) => list(state, path),
  }),
)

export const pathFamily: Family = {
  name: 'paths',
  writes: fc.oneof(
    { weight: 4, arbitrary: writeAt },
    { weight: 3, arbitrary: linkTo },
    { weight: 1, arbitrary: groupAt },
    { weight: 2, arbitrary: removeLeaf },
  ),
  longWrites: fc.oneof({ weight: 5, arbitrary: removeAt }, { weight: 1, arbitrary: fc.constant(reset) }),
  queries: [...written.flatMap(queriesOf), ...listed],
}
