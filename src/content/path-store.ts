/**
 * Paths: named bytes, links and groups, like a small file system. Links are followed anywhere in a path, a loop is an
 * error, nothing outside the store can be named. Mounts show content and assignments under names of their own.
 */
import { HoldfastError, limits } from '../base/index.ts'
import { kind } from '../codec/index.ts'
import type { Engine, WriteOptions } from '../engine/index.ts'
import type { Entry } from '../memory/index.ts'
import { childRange, parsePathKey, pathDomain, pathKey, subtreeRanges } from './keys.ts'
import { formatPath, invalidPath, parsePath } from './path.ts'
import type { Path, PathStore } from './types.ts'

/** A read-only part of the tree that another structure provides. `names` is what follows the mount's own name. */
export interface Mount {
  /** Undefined when there is nothing. */
  lookup(names: readonly string[]): Promise<PathNode | undefined>
  list(names: readonly string[]): AsyncIterable<string>
  /** Inside a write that makes a link to something in here. */
  linked?(names: readonly string[]): void
}

export type PathNode =
  | { readonly type: 'bytes'; read(): Promise<Uint8Array | undefined> }
  | { readonly type: 'group' }
  | { readonly type: 'link'; readonly target: readonly string[] }

interface Found {
  readonly names: string[]
  /** Undefined: absent, or below something that is no group. */
  readonly node: PathNode | undefined
}

const nothing = Buffer.alloc(0)

export class Paths implements PathStore {
  readonly #engine: Engine
  readonly #mounts: ReadonlyMap<string, Mount>
  /** Counts changes of the tree, so that a removal notices what was added while it looked. */
  #changes = 0

  constructor(engine: Engine, mounts: ReadonlyMap<string, Mount>) {
    this.#engine = engine
    this.#mounts = mounts
  }

  write(path: Path, bytes: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.#change(options, () => {
      if (!(bytes instanceof Uint8Array)) throw new TypeError('paths hold bytes: give a Uint8Array')
      const { parent, name } = this.#target(path)
      this.#refuseGroup(parent, name)
      this.#put(parent, name, kind.pathBytes, bytes)
    })
  }

  link(existing: Path, path: Path, options?: WriteOptions): Promise<void> {
    return this.#change(options, () => {
      const target = formatPath(parsePath(existing))
      if (target === formatPath(parsePath(path))) return
      if (target === '') throw invalidPath('', 'a link needs a target')
      const { parent, name } = this.#target(path)
      // The path may have led to its own target through a link: replacing that would lose it.
      if (formatPath([...parent, name]) === target) return
      this.#refuseGroup(parent, name)
      this.#put(parent, name, kind.pathLink, Buffer.from(target))
      const [mounted, ...rest] = target.split('/')
      this.#mounts.get(mounted as string)?.linked?.(rest)
    })
  }

  group(path: Path, options?: WriteOptions): Promise<void> {
    return this.#change(options, () => {
      const names = parsePath(path)
      if (names.length > 0) this.#makeGroups(this.#refuseMount(names))
    })
  }

  remove(path: Path, options?: WriteOptions): Promise<void> {
    let group: string[] | undefined
    const inside = this.#engine.inTransaction
    const removed = this.#change(options, () => {
      group = this.#removeOne(this.#refuseMount(parsePath(path)))
      if (group !== undefined && inside) this.#engine.refuseInTransaction('remove() of a group')
    })
    const names = group
    return names === undefined ? removed : removed.then(() => this.#removeTree(names, options))
  }

  reset(): Promise<void> {
    this.#engine.refuseInTransaction('reset()')
    return this.#removeTree([], undefined)
  }

  async read(path: Path): Promise<Uint8Array | undefined> {
    const { node } = await this.#find(parsePath(path))
    return node?.type === 'bytes' ? node.read() : undefined
  }

  async type(path: Path): Promise<'simple' | 'composite' | undefined> {
    const { node } = await this.#find(parsePath(path))
    if (node === undefined) return undefined
    return node.type === 'bytes' ? 'simple' : 'composite'
  }

  async resolve(path: Path): Promise<string> {
    return formatPath((await this.#find(parsePath(path))).names)
  }

  async list(path: Path): Promise<string[]> {
    const { names, node } = await this.#find(parsePath(path))
    if (node?.type !== 'group') return []
    const children: string[] = []
    for await (const name of this.#children(names)) children.push(name)
    return names.length === 0 ? sortNames(children) : children
  }

  // ------------------------------------------------------------------ walking

  async *#children(names: readonly string[]): AsyncGenerator<string> {
    const mount = this.#mounts.get(names[0] ?? '')
    if (mount !== undefined) {
      yield* mount.list(names.slice(1))
      return
    }
    if (names.length === 0) yield* this.#mountsWithContent()
    for await (const entry of this.#engine.scan({ domain: pathDomain, ...childRange(names) }))
      yield parsePathKey(entry.key).name
  }

  async *#mountsWithContent(): AsyncGenerator<string> {
    for (const [name, mount] of this.#mounts) {
      for await (const _ of mount.list([])) {
        yield name
        break
      }
    }
  }

  /** Follows every link; answers where it ended and what is there. HOLDFAST_LINK_LOOP after too many links. */
  async #find(start: string[]): Promise<Found> {
    let pending = start
    let walked: string[] = []
    let hops = 0
    let node: PathNode | undefined = { type: 'group' }
    while (pending.length > 0) {
      if (node?.type !== 'group') return { names: [...walked, ...pending], node: undefined }
      const [name, ...rest] = pending as [string, ...string[]]
      const next: PathNode | undefined = await this.#lookup([...walked, name])
      if (next?.type === 'link') {
        if (++hops > limits.linkHopsMax) throw linkLoop(start)
        pending = [...next.target, ...rest]
        walked = []
        node = { type: 'group' }
        continue
      }
      walked = [...walked, name]
      pending = rest
      node = next
    }
    return { names: walked, node }
  }

  async #lookup(names: readonly string[]): Promise<PathNode | undefined> {
    const mount = this.#mounts.get(names[0] as string)
    if (mount !== undefined) return mount.lookup(names.slice(1))
    const entry = await this.#engine.get(pathKey(names.slice(0, -1), names.at(-1) as string))
    return entry === undefined ? undefined : this.#nodeOf(entry)
  }

  #nodeOf(entry: Entry): PathNode {
    switch (entry.kind) {
      case kind.pathGroup:
        return { type: 'group' }
      case kind.pathLink:
        return { type: 'link', target: this.#payload(entry).toString().split('/') }
      case kind.pathBytes: {
        const bytes = new Uint8Array(this.#payload(entry))
        return { type: 'bytes', read: async () => bytes }
      }
      default:
        throw new HoldfastError('HOLDFAST_CORRUPT', `a path entry has kind ${entry.kind}; run verify`, {
          detail: { kind: entry.kind },
        })
    }
  }

  #payload(entry: Entry): Buffer {
    return this.#engine.payload(entry) ?? nothing
  }

  // ------------------------------------------------------------------ changing, inside one synchronous step

  #change(options: WriteOptions | undefined, fn: () => void): Promise<void> {
    return this.#engine.write(options, () => {
      this.#changes++
      fn()
    })
  }

  /** Where a path's own entry goes: links in its parents followed, missing parents made. */
  #target(path: Path): { parent: string[]; name: string } {
    const names = this.#refuseMount(parsePath(path))
    if (names.length === 0) throw invalidPath('', 'it names nothing')
    const parent = this.#makeGroups(names.slice(0, -1))
    return { parent, name: names.at(-1) as string }
  }

  #refuseMount(names: string[]): string[] {
    const mounted = names[0]
    if (mounted !== undefined && this.#mounts.has(mounted)) {
      throw invalidPath(
        formatPath(names),
        `${mounted}/ shows another structure; write there through store.${mounted === 'data' ? 'content' : mounted}`,
      )
    }
    return names
  }

  /** Walks `names` as groups, creating what is missing; answers where they really are, links followed. */
  #makeGroups(names: readonly string[]): string[] {
    return this.#walkGroups(names, true) as string[]
  }

  /** As `#makeGroups`; without `create` undefined when the group is not there. */
  #walkGroups(names: readonly string[], create: boolean): string[] | undefined {
    let pending = [...names]
    let walked: string[] = []
    let hops = 0
    while (pending.length > 0) {
      const name = pending.shift() as string
      const key = pathKey(walked, name)
      const entry = this.#engine.getSync(key)
      // Whatever is found on the way, a write that has nothing to do rests on it.
      if (entry === undefined) this.#engine.observeAbsence(key)
      else this.#engine.observe(entry)
      if (entry === undefined) {
        if (!create) return undefined
        this.#put(walked, name, kind.pathGroup, nothing)
      } else if (entry.kind === kind.pathLink) {
        if (++hops > limits.linkHopsMax) throw linkLoop(names)
        pending = [...this.#refuseMount(this.#payload(entry).toString().split('/')), ...pending]
        walked = []
        continue
      } else if (entry.kind === kind.pathBytes) {
        if (!create) return undefined
        throw invalidPath(
          formatPath(names),
          `${formatPath([...walked, name])} holds bytes and cannot have anything below it`,
        )
      }
      walked = [...walked, name]
    }
    return walked
  }

  #refuseGroup(parent: readonly string[], name: string): void {
    const entry = this.#engine.getSync(pathKey(parent, name))
    if (entry?.kind === kind.pathGroup)
      throw invalidPath(formatPath([...parent, name]), 'it is a group; remove it first')
  }

  #put(parent: readonly string[], name: string, entryKind: number, payload: Uint8Array): void {
    const key = pathKey(parent, name)
    // Links can lead to a path longer than any that can be written down.
    if (key.length > limits.keyBytesMax) throw invalidPath(formatPath(parent).slice(0, 200), 'its links lead too deep')
    this.#engine.put(key, pathDomain, entryKind, payload, payload.length)
  }

  // ------------------------------------------------------------------ removing

  /** Removes bytes or a link in this step; answers the real path of a group, which takes a scan. */
  #removeOne(names: readonly string[]): string[] | undefined {
    if (names.length === 0) throw invalidPath('', 'the root cannot be removed; use reset()')
    const parent = this.#walkGroups(names.slice(0, -1), false)
    if (parent === undefined) return undefined
    const path = this.#refuseMount([...parent, names.at(-1) as string])
    const key = pathKey(parent, names.at(-1) as string)
    const entry = this.#engine.getSync(key)
    if (entry?.kind === kind.pathGroup) return path
    if (entry !== undefined) this.#engine.delete(key, pathDomain)
    else this.#engine.observeAbsence(key)
    return undefined
  }

  /** `names`: the real path of a group, no links in it; empty for the root. */
  async #removeTree(names: readonly string[], options: WriteOptions | undefined): Promise<void> {
    for (;;) {
      const seen = this.#changes
      const keys = await this.#subtreeKeys(names)
      if (names.length > 0) keys.push(pathKey(names.slice(0, -1), names.at(-1) as string))
      let done = false
      await this.#engine.write(options, () => {
        if (this.#changes !== seen) return
        this.#changes++
        for (const key of keys) if (this.#engine.getSync(key) !== undefined) this.#engine.delete(key, pathDomain)
        done = true
      })
      if (done) return
    }
  }

  async #subtreeKeys(path: readonly string[]): Promise<string[]> {
    const keys: string[] = []
    for (const range of subtreeRanges(path)) {
      for await (const entry of this.#engine.scan({ domain: pathDomain, ...range })) keys.push(entry.key)
    }
    return keys
  }
}

/** The root shows mounts among its own children: all in the order of keys. */
function sortNames(names: string[]): string[] {
  const keyed = names.map((name) => ({ name, key: pathKey([], name) }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ name }) => name)
}

function linkLoop(names: readonly string[]): HoldfastError {
  const path = formatPath(names)
  return new HoldfastError(
    'HOLDFAST_LINK_LOOP',
    `the path ${JSON.stringify(path)} goes through more than ${limits.linkHopsMax} links: they form a loop; relink one of them`,
    {
      detail: { path },
    },
  )
}
