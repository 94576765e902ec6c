import { encodeCanonical } from '../../src/codec/index.ts'
import type { Message, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import type { Effect, Facts, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

const facts = { content: 'content/', pin: 'pin/' }

/** A message and what was split off it are there from then on. */
export function contentEffects(model: StoreModel, message: Message): Effect[] {
  const { id, children } = encodeCanonical(message)
  const ids = [id, ...children.map((child) => child.id)]
  model.links.set(id, ids.slice(1))
  return ids.map((each) => [facts.content + each, ''])
}

/** What `gc` must remove: content that no slot, location, path or pin leads to. */
export function garbageIn(state: Facts, links: ReadonlyMap<string, readonly string[]>): string[] {
  const reached = new Set<string>()
  for (const [fact, value] of state) {
    if (fact.startsWith('slot/') || fact.startsWith('location/')) reached.add(value)
    else if (fact.startsWith(facts.pin)) reached.add(fact.slice(facts.pin.length))
    else if (value.startsWith('link:data/')) reached.add(value.slice('link:data/'.length))
  }
  for (const id of reached) for (const link of links.get(id) ?? []) reached.add(link)
  const ids = [...state.keys()].filter((fact) => fact.startsWith(facts.content)).map((fact) => fact.slice(8))
  return ids.filter((id) => !reached.has(id))
}

function oneOf(random: Prng, names: readonly string[]): string | undefined {
  return names[random.below(Math.max(names.length, 1))]
}

async function put(store: Store, random: Prng, model: StoreModel): Promise<void> {
  // Few different ones, so that some are there already.
  const message: Message = { note: random.below(12), ...(random.below(3) === 0 ? { text: 'z'.repeat(4200) } : {}) }
  await model.write(store, random, contentEffects(model, message), (durability) =>
    store.content.put(message, { durability }),
  )
}

async function pin(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const id = oneOf(random, model.names(facts.content))?.slice(facts.content.length)
  if (id === undefined) return
  await model.writeAlone(store, [[facts.pin + id, '']], () => store.content.pin(id))
}

async function unpin(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const fact = oneOf(random, model.names(facts.pin))
  if (fact === undefined) return
  await model.writeAlone(store, [[fact, undefined]], () => store.content.unpin(fact.slice(facts.pin.length)))
}

async function gc(store: Store, _random: Prng, model: StoreModel): Promise<void> {
  await model.quiet()
  const garbage = garbageIn(model.facts, model.links)
  const effects = garbage.map((id): Effect => [facts.content + id, undefined])
  await model.writeAlone(store, effects, async () => {
    const { removed } = await store.gc()
    if (removed !== garbage.length) throw new Error(`gc removed ${removed}, and ${garbage.length} are garbage`)
  })
}

export const contentSteps: readonly StepKind[] = [
  { name: 'put', weight: 4, run: put },
  { name: 'pin', weight: 2, run: pin },
  { name: 'unpin', weight: 2, run: unpin },
  { name: 'gc', weight: 2, run: gc },
]

export const contentDump: readonly Dump[] = [
  {
    prefix: facts.content,
    read: async (store) => new Map((await store.paths.list('data')).map((id) => [facts.content + id, ''])),
  },
]
