/**
 * What the fault loops do to a store: five workloads, short and the same in every run, so that "the n-th call" means the
 * same call each time. Each is one life or more, with the store closed and opened again in between.
 */
import type { Life } from './fault-world.ts'

export type Step = (life: Life) => Promise<unknown>

export interface Workload {
  readonly name: string
  readonly lives: readonly (readonly Step[])[]
}

/** Every group and file operation of a store at least once. */
export const everyday: Workload = {
  name: 'writes of every durability',
  lives: [
    [
      (life) => life.assignment('sync'),
      (life) => Promise.all([life.assignment('sync'), life.assignment('sync'), life.assignment('os')]),
      (life) => life.many(3),
      (life) => life.checkpoint(),
      (life) => life.assignment('os'),
      (life) => life.path(),
      (life) => Promise.all([life.assignment('buffered'), life.assignment('sync')]),
      (life) => life.verify(),
      (life) => life.assignment('buffered'),
      (life) => life.sync(),
      (life) => life.many(2),
      (life) => life.checkpoint(),
      (life) => life.assignment('sync'),
    ],
  ],
}

const deletions: Workload = {
  name: 'deletions and overwrites',
  lives: [
    [
      (life) => Promise.all(['kept', 'gone', 'twice/a', 'twice/b'].map((path) => life.path(path))),
      (life) => life.assignment('sync'),
      (life) => life.checkpoint(),
      (life) => life.remove('gone'),
      (life) => Promise.all([life.path('kept'), life.remove('twice/a', 'os'), life.overwrite()]),
      (life) => life.checkpoint(),
      (life) => Promise.all([life.path('gone', 'buffered'), life.remove('kept')]),
      (life) => life.verify(),
      (life) => life.removeGroup('twice'),
      (life) => life.sync(),
      (life) => life.path('kept'),
    ],
  ],
}

const pruning: Workload = {
  name: 'pruning and collecting',
  lives: [
    [
      (life) => Promise.all([0, 1, 2, 3].map(() => life.slot())),
      (life) => Promise.all([life.pinned('kept'), life.content('garbage')]),
      (life) => life.checkpoint(),
      (life) => life.prune(),
      (life) => life.collect(),
      (life) => life.checkpoint(),
      (life) => Promise.all([life.slot(), life.slot(), life.content('garbage')]),
      (life) => life.prune(),
      (life) => life.verify(),
      (life) => life.collect(),
    ],
  ],
}

const large: Workload = {
  name: 'transactions and large values',
  lives: [
    [
      (life) => life.transaction(),
      (life) => life.content('large', 20_000),
      (life) => life.undone(),
      (life) => Promise.all([life.location(), life.many(2), life.transaction(), life.assignment('sync')]),
      (life) => life.checkpoint(),
      (life) => Promise.all(Array.from({ length: 8 }, () => life.path(undefined, 'buffered'))),
      (life) => life.many(3),
      (life) => life.checkpoint(),
      (life) => life.transaction(),
    ],
  ],
}

const restarts: Workload = {
  name: 'restarts',
  lives: [
    [(life) => life.assignment('sync'), (life) => life.path('a')],
    [(life) => life.remove('a'), (life) => life.checkpoint(), (life) => life.assignment('os')],
    [(life) => life.many(2), (life) => life.path('a', 'buffered'), (life) => life.verify()],
  ],
}

/** The other four. */
export const furtherWorkloads: readonly Workload[] = [deletions, pruning, large, restarts]
