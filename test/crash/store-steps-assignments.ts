import { encodeCanonical } from '../../src/codec/index.ts'
import type { Assignment, Store } from '../../src/index.ts'
import type { Prng } from '../../src/testing/index.ts'
import { contentEffects } from './store-steps-content.ts'
import type { Effect, StoreModel } from './store-facts.ts'
import type { Dump, StepKind } from './store-steps.ts'

const processes = ['P'.repeat(43), 'Q'.repeat(43)] as const

function headOf(model: StoreModel, process: string): number {
  return Number(model.facts.get(`head/${process}`) ?? -1)
}

function slotsOf(model: StoreModel, process: string): number[] {
  return model.names(`slot/${process}/`).map((fact) => Number(fact.split('/')[2]))
}

function assignmentFor(random: Prng, process: string, slot: number): Assignment {
  const body = random.below(4) > 0 ? { data: 'x'.repeat(random.below(600)) } : { large: 'y'.repeat(4500) }
  return { process, slot, tag: random.below(2 ** 31), body }
}

function slotEffects(model: StoreModel, { process, slot }: Assignment, assignment: Assignment): Effect[] {
  const { id } = encodeCanonical(assignment)
  const head = Math.max(Number(slot), headOf(model, String(process)))
  return [
    ...contentEffects(model, assignment),
    [`slot/${String(process)}/${String(slot)}`, id],
    [`head/${String(process)}`, String(head)],
  ]
}

async function assign(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const process = processes[random.below(2)] as string
  const assignment = assignmentFor(random, process, headOf(model, process) + 1 + random.below(2))
  await model.write(store, random, slotEffects(model, assignment, assignment), (durability) =>
    store.assignments.write(assignment, { durability }),
  )
}

async function assignMany(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const process = processes[random.below(2)] as string
  const first = headOf(model, process) + 1
  const list = Array.from({ length: 2 + random.below(3) }, (_, i) => assignmentFor(random, process, first + i))
  const effects = list.flatMap((assignment) => slotEffects(model, assignment, assignment))
  await model.write(store, random, effects, (durability) => store.assignments.writeMany(list, { durability }))
}

async function overwrite(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const process = processes[random.below(2)] as string
  const slots = slotsOf(model, process)
  const slot = slots[random.below(Math.max(slots.length, 1))]
  if (slot === undefined) return
  const assignment = assignmentFor(random, process, slot)
  await model.write(store, random, slotEffects(model, assignment, assignment), (durability) =>
    store.assignments.write(assignment, { durability, overwrite: true }),
  )
}

async function prune(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const process = processes[random.below(2)] as string
  const head = headOf(model, process)
  if (head < 0) return
  const below = 1 + random.below(head + 2)
  const gone = slotsOf(model, process).filter((slot) => slot < below && slot < head)
  const effects = gone.map((slot): Effect => [`slot/${process}/${slot}`, undefined])
  await model.writeAlone(store, effects, () => store.assignments.prune(process, { below }))
}

async function writeLocation(store: Store, random: Prng, model: StoreModel): Promise<void> {
  const address = processes[random.below(2)] as string
  const message = { url: `https://example.org/${random.below(2 ** 31)}` }
  const effects: Effect[] = [...contentEffects(model, message), [`location/${address}`, store.content.id(message)]]
  await model.write(store, random, effects, (durability) =>
    store.assignments.writeLocation(address, message, { durability }),
  )
}

export const assignmentSteps: readonly StepKind[] = [
  { name: 'assign', weight: 8, run: assign },
  { name: 'assign-many', weight: 2, run: assignMany },
  { name: 'overwrite', weight: 2, run: overwrite },
  { name: 'prune', weight: 3, run: prune },
  { name: 'location', weight: 1, run: writeLocation },
]

export const assignmentDump: readonly Dump[] = [
  {
    prefix: 'slot/',
    read: async (store) => {
      const found = new Map<string, string>()
      for await (const process of store.assignments.processes()) {
        const listed = await store.assignments.list(process)
        const ranged: number[] = []
        for await (const { slot, id } of store.assignments.range(process)) {
          ranged.push(slot)
          found.set(`slot/${process}/${slot}`, id)
        }
        if (listed.join() !== ranged.join())
          throw new Error(`slots ${listed.join()} are listed, ${ranged.join()} are in the range`)
      }
      return found
    },
  },
  {
    prefix: 'head/',
    read: async (store) => {
      const found = new Map<string, string>()
      for await (const process of store.assignments.processes())
        found.set(`head/${process}`, String((await store.assignments.latest(process))?.slot))
      return found
    },
  },
  {
    prefix: 'location/',
    read: async (store) => {
      const found = new Map<string, string>()
      for (const address of processes) {
        const message = await store.assignments.readLocation(address)
        if (message !== undefined) found.set(`location/${address}`, store.content.id(message))
      }
      return found
    },
  },
]
