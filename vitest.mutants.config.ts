import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { orderFor } from './test/mutants/layers.ts'
import { findMutant, mutantPlugin } from './test/mutants/mutant-plugin.ts'

// The tests that hunt mutants, with the one compiled in that HOLDFAST_MUTANT names: in order of cost, to the first failure.
const mutant = findMutant(process.env['HOLDFAST_MUTANT'] ?? '')
const hunting = orderFor(mutant)
const order = hunting.map((file) => join(import.meta.dirname, file))

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.sort((a, b) => order.indexOf(a.moduleId) - order.indexOf(b.moduleId))
  }
}

export default defineConfig({
  plugins: [mutantPlugin(mutant)],
  test: {
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    bail: 1,
    sequence: { sequencer: InOrder },
    allowOnly: false,
    passWithNoTests: false,
    include: [...hunting],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
})
