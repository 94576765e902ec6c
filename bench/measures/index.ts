import { footprintMeasures } from './footprint.ts'
import type { Measure } from './measure.ts'
import { readMeasures } from './reads.ts'
import { recoveryMeasures } from './recovery.ts'
import { writeMeasures } from './writes.ts'

const all = [...writeMeasures, ...readMeasures, ...recoveryMeasures, ...footprintMeasures]

export const measures: ReadonlyMap<string, Measure> = new Map(all.map((measure) => [measure.name, measure]))
export type { DataSet, Figures, Job, Measure } from './measure.ts'
