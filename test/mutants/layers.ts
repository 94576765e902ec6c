/** The tests that hunt mutants, and in which order: the cheapest first that have to do with what a mutant breaks. */
import type { Mutant } from './mutant.ts'

const layerOfFile = {
  'crash/wal-damage': 'L4',
  'crash/wal-faults': 'L3',
  'crash/wal': 'L1',
  'fault/backend-faults': 'L3',
  'crash/store': 'L1',
  'model/model': 'L5',
  'crash/backend-crash': 'L1',
  'crash/damage': 'L4',
  'fault/io-faults': 'L3',
} as const

type Name = keyof typeof layerOfFile

const ofLog: readonly Name[] = ['crash/wal-damage', 'crash/wal-faults', 'crash/wal']
const ofStore: readonly Name[] = [
  'fault/backend-faults',
  'crash/store',
  'crash/backend-crash',
  'model/model',
  'crash/damage',
  'fault/io-faults',
]

const fileOf = (name: Name): string => `test/${name}.test.ts`

export const huntingFiles: readonly string[] = [...ofLog, ...ofStore].map(fileOf)

export function orderFor({ edits, hunter }: Pick<Mutant, 'edits' | 'hunter'>): readonly string[] {
  const inLog = edits.every(({ file }) => /^(wal|fs)\//.test(file))
  const order = (inLog ? [...ofLog, ...ofStore] : [...ofStore, ...ofLog]).map(fileOf)
  return order.toSorted((a, b) => Number(b === hunter) - Number(a === hunter))
}

/** The layer of docs/testing.md that a test belongs to. */
export function layerOf(file: string, test: string): string {
  const layer = [...ofLog, ...ofStore].find((name) => fileOf(name) === file)
  if (layer === undefined) return '?'
  return layerOfFile[layer] === 'L1' && test.includes('recovers to the same') ? 'L2' : layerOfFile[layer]
}
