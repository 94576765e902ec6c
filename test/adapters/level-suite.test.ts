/** The outside suite for abstract-level databases, run by tape in this process: every assertion of it counts. */
import suite from 'abstract-level/test'
import tape from 'tape'
import { expect, test } from 'vitest'
import { HoldfastLevel } from '../../src/adapters/level.ts'
import { temporaryStore } from './temporary-store.ts'

/** As many as docs/adapters.md says. */
const assertionsMin = 4580
const timeoutMs = 120_000

/** A row of tape's results: one of the assertions, or the beginning or end of a test. */
interface Row {
  readonly type: 'assert' | 'test' | 'end'
  readonly name?: string
  readonly ok?: boolean
  readonly expected?: unknown
  readonly actual?: unknown
}

interface Results {
  readonly assertions: number
  readonly failures: readonly string[]
}

function resultsOf(harness: tape.Harness): Promise<Results> {
  return new Promise((resolve, reject) => {
    let assertions = 0
    let title = ''
    const failures: string[] = []
    const rows = harness.createStream({ objectMode: true })
    rows.on('data', ({ type, name, ok, expected, actual }: Row) => {
      if (type === 'test') title = name ?? ''
      if (type !== 'assert') return
      assertions++
      if (ok !== true) failures.push(`${title}: ${name}: expected ${String(expected)}, was ${String(actual)}`)
    })
    rows.on('error', reject)
    rows.on('end', () => resolve({ assertions, failures }))
  })
}

test(
  'abstract-level/test passes on a view of a key-value namespace',
  async (context) => {
    // Ten thousand writes that wait for the disk would test the disk.
    const { store, remove } = await temporaryStore({ durability: 'os' })
    const harness = tape.createHarness()
    const results = resultsOf(harness)
    let databases = 0
    suite({
      test: harness,
      factory: (options) => new HoldfastLevel(store, { ...options, namespace: `database ${++databases}` }),
    })
    const { assertions, failures } = await results
    await remove()
    expect(failures).toEqual([])
    expect(databases).toBeGreaterThan(100)
    expect(assertions).toBeGreaterThanOrEqual(assertionsMin)
    await context.annotate(`${assertions} assertions`)
  },
  timeoutMs,
)
