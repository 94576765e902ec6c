/** Paths in the model: a second, plain reading of what `PathStore` promises. */
import { Refusal } from './operation.ts'
import { type PathEntry, type State, withEntry, withoutKeys } from './state.ts'

const hopsMax = 64

export type Node = { readonly type: 'bytes'; readonly bytes: Uint8Array } | { readonly type: 'group' }

interface Found {
  readonly path: string
  readonly node: Node | undefined
}

export function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '')
}

function join(names: readonly string[]): string {
  return names.join('/')
}

function isMount(name: string | undefined): boolean {
  return name === 'data' || name === 'assignments'
}

/** Follows every link; where it ends and what is there. */
export function find(state: State, path: string): Found {
  let pending = namesOf(path)
  let walked: string[] = []
  let hops = 0
  let node: Node | undefined = { type: 'group' }
  while (pending.length > 0) {
    if (node?.type !== 'group') return { path: join([...walked, ...pending]), node: undefined }
    const [name, ...rest] = pending as [string, ...string[]]
    const next = lookup(state, [...walked, name])
    if (next?.type === 'link') {
      if (++hops > hopsMax) throw new Refusal('HOLDFAST_LINK_LOOP')
      pending = [...namesOf(next.target), ...rest]
      walked = []
      node = { type: 'group' }
      continue
    }
    walked = [...walked, name]
    pending = rest
    node = next
  }
  return { path: join(walked), node }
}

function lookup(state: State, names: readonly string[]): PathEntry | undefined {
  const [first, second, third] = names
  if (first === 'data') return lookupContent(state, names)
  if (first !== 'assignments') return state.paths.get(join(names))
  if (second === undefined) return { type: 'group' }
  const slots = state.slots.get(second)
  if (slots === undefined || names.length > 3) return undefined
  if (third === undefined) return { type: 'group' }
  const assigned = slots.get(Number(third))
  return assigned === undefined ? undefined : { type: 'link', target: `data/${assigned.id}` }
}

function lookupContent(state: State, names: readonly string[]): PathEntry | undefined {
  if (names.length === 1) return { type: 'group' }
  const content = names.length === 2 ? state.contents.get(names[1] as string) : undefined
  return content === undefined ? undefined : { type: 'bytes', bytes: content.bytes }
}

export function list(state: State, path: string): string[] {
  const { path: real, node } = find(state, path)
  if (node?.type !== 'group') return []
  const [first, second] = namesOf(real)
  if (first === 'data') return second === undefined ? [...state.contents.keys()].sort() : []
  if (first === 'assignments') {
    if (second === undefined) return [...state.slots.keys()].sort()
    return [...(state.slots.get(second)?.keys() ?? [])].sort((a, b) => a - b).map(String)
  }
  const prefix = real === '' ? '' : `${real}/`
  const children = [...state.paths.keys()].filter(
    (key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'),
  )
  const names = children.map((key) => key.slice(prefix.length))
  if (real === '' && state.slots.size > 0) names.push('assignments')
  if (real === '' && state.contents.size > 0) names.push('data')
  return names.sort(compareNames)
}

/** Numbers first, in numeric order. The names in use are ASCII. */
function compareNames(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (left && right) return Number(a) - Number(b)
  if (left !== right) return left ? -1 : 1
  return a < b ? -1 : 1
}

// ---------------------------------------------------------------- changing; a Refusal leaves the state as it was

export function writeBytes(state: State, path: string, bytes: Uint8Array): State {
  return putLeaf(state, path, { type: 'bytes', bytes })
}

export function writeLink(state: State, existing: string, path: string): State {
  const target = join(namesOf(existing))
  if (target === join(namesOf(path))) return state
  const { state: next, parent, name } = leafPlace(state, path)
  if (join([...parent, name]) === target) return next
  return withLeaf(next, join([...parent, name]), { type: 'link', target })
}

export function makeGroup(state: State, path: string): State {
  return makeGroups(state, refuseMount(namesOf(path))).state
}

function putLeaf(state: State, path: string, entry: PathEntry): State {
  const { state: next, parent, name } = leafPlace(state, path)
  return withLeaf(next, join([...parent, name]), entry)
}

function withLeaf(state: State, real: string, entry: PathEntry): State {
  if (state.paths.get(real)?.type === 'group') throw new Refusal('HOLDFAST_INVALID_PATH')
  return { ...state, paths: withEntry(state.paths, real, entry) }
}

function leafPlace(state: State, path: string): { state: State; parent: string[]; name: string } {
  const names = refuseMount(namesOf(path))
  const made = makeGroups(state, names.slice(0, -1))
  return { state: made.state, parent: made.real, name: names.at(-1) as string }
}

function refuseMount(names: string[]): string[] {
  if (isMount(names[0])) throw new Refusal('HOLDFAST_INVALID_PATH')
  return names
}

function makeGroups(state: State, names: readonly string[]): { state: State; real: string[] } {
  let next = state
  const real = walkGroups(state, names, (missing) => {
    next = { ...next, paths: withEntry(next.paths, missing, { type: 'group' }) }
    return next
  })
  if (real === undefined) throw new Refusal('HOLDFAST_INVALID_PATH')
  return { state: next, real }
}

/** Undefined when there is bytes on the way, or nothing and `make` does not make it. */
function walkGroups(
  start: State,
  names: readonly string[],
  make: (missing: string) => State | undefined,
): string[] | undefined {
  let state = start
  let pending = [...names]
  let walked: string[] = []
  let hops = 0
  while (pending.length > 0) {
    const here = join([...walked, pending[0] as string])
    const entry = state.paths.get(here)
    if (entry?.type === 'bytes') return undefined
    if (entry?.type === 'link') {
      if (++hops > hopsMax) throw new Refusal('HOLDFAST_LINK_LOOP')
      pending = [...refuseMount(namesOf(entry.target)), ...pending.slice(1)]
      walked = []
      continue
    }
    if (entry === undefined) {
      const made = make(here)
      if (made === undefined) return undefined
      state = made
    }
    walked = namesOf(here)
    pending = pending.slice(1)
  }
  return walked
}

export interface Removal {
  readonly state: State
  /** A whole group goes: that takes several steps. */
  readonly isGroup: boolean
}

export function remove(state: State, path: string): Removal {
  const names = refuseMount(namesOf(path))
  const parent = walkGroups(state, names.slice(0, -1), () => undefined)
  if (parent === undefined) return { state, isGroup: false }
  const real = join(refuseMount([...parent, names.at(-1) as string]))
  const entry = state.paths.get(real)
  if (entry === undefined) return { state, isGroup: false }
  const paths = withoutKeys(state.paths, (key) => key === real || key.startsWith(`${real}/`))
  return { state: { ...state, paths }, isGroup: entry.type === 'group' }
}
