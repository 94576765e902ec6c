import type { Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

const prefix = 'path/'
const root = 'dir'

/** Links have groups of their own: what is removed is never behind one. */
function groupPath(random: Prng, kind: 'files' | 'links'): string {
  return `${root}/${kind}-${random.below(2)}`
}

function filePath(random: Prng): string {
  return `${groupPath(random, 'files')}/${random.below(4)}`
}

function linkPath(random: Prng): string {
  return `${groupPath(random, 'links')}/${random.below(3)}`
}

/** The groups above a path come with it. */
function effectsAt(path: string, value: string): Effect[] {
  const names = path.split('/')
  const groups = names.slice(1).map((_name, i): Effect => [prefix + names.slice(0, i + 1).join('/'), 'group'])
  return [...groups, [prefix + path, value]]
}

function subtree(model: StoreModel, path: string): Effect[] {
  const facts = model
    .names(prefix + path)
    .filter((fact) => fact === prefix + path || fact[prefix.length + path.length] === '/')
  return facts.map((fact) => [fact, undefined])
}

async function write(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const path = filePath(random)
  const text = `${random.below(2 ** 31)}${'.'.repeat(random.below(200))}`
  await model.write(store, random, effectsAt(path, `bytes:${text}`), (durability) =>
    store.paths.write(path, Buffer.from(text), { durability }),
  )
}

async function link(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const path = linkPath(random)
  const contents = model.names('content/')
  const content = contents[random.below(Math.max(contents.length, 1))]
  const target =
    content === undefined || random.below(2) === 0 ? filePath(random) : content.replace('content/', 'data/')
  await model.write(store, random, effectsAt(path, `link:${target}`), (durability) =>
    store.paths.link(target, path, { durability }),
  )
}

async function group(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const path = groupPath(random, 'files')
  await model.write(store, random, effectsAt(path, 'group'), (durability) => store.paths.group(path, { durability }))
}

async function remove(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const path = random.below(3) === 0 ? linkPath(random) : filePath(random)
  await model.write(store, random, subtree(model, path), (durability) => store.paths.remove(path, { durability }))
}

async function removeGroup(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const path = groupPath(random, random.below(2) === 0 ? 'files' : 'links')
  await model.quiet()
  await model.writeAlone(store, subtree(model, path), () => store.paths.remove(path))
}

export const pathSteps: readonly StepKind[] = [
  { name: 'write', weight: 4, run: write },
  { name: 'link', weight: 3, run: link },
  { name: 'group', weight: 1, run: group },
  { name: 'remove', weight: 4, run: remove },
  { name: 'remove-group', weight: 1, run: removeGroup },
]

export const pathDump: readonly Dump[] = [
  {
    prefix,
    read: async (store) => {
      const found = new Map<string, string>()
      await walk(store, root, found)
      return found
    },
  },
]

async function walk(store: Store, path: string, found: Map<string, string>): Promise<void> {
  const target = await store.paths.resolve(path)
  if (target !== path) {
    found.set(prefix + path, `link:${target}`)
    return
  }
  const type = await store.paths.type(path)
  if (type === undefined) return
  const bytes = type === 'simple' ? await store.paths.read(path) : undefined
  found.set(prefix + path, bytes === undefined ? 'group' : `bytes:${Buffer.from(bytes).toString()}`)
  if (bytes === undefined) for (const name of await store.paths.list(path)) await walk(store, `${path}/${name}`, found)
}
