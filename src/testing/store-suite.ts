import { assignmentChecks } from './store-suite-assignments.ts'
import { contentChecks } from './store-suite-content.ts'
import { lifecycleChecks } from './store-suite-lifecycle.ts'
import { linkChecks } from './store-suite-links.ts'
import { pathChecks } from './store-suite-paths.ts'
import { rangeChecks } from './store-suite-ranges.ts'
import type { StoreHarness } from './store-suite-tools.ts'
import { transactionChecks } from './store-suite-transactions.ts'
import type { SuiteRunner } from './backend-suite.ts'

const checks = {
  ...contentChecks,
  ...pathChecks,
  ...linkChecks,
  ...assignmentChecks,
  ...rangeChecks,
  ...transactionChecks,
  ...lifecycleChecks,
}

/** What a whole store promises to its user, whatever file system and backend it runs on. Works with any runner. */
export function storeSuite(runner: SuiteRunner, harness: StoreHarness): void {
  for (const [name, check] of Object.entries(checks)) {
    runner.test(name, async () => {
      const place = await harness.create()
      try {
        const store = await place.open()
        try {
          await check(store, place)
        } finally {
          await store.close()
        }
      } finally {
        await place.dispose()
      }
    })
  }
}
