/**
 * Ends a test run with one line for programs: `N passed, N failed[, N skipped]`. Whatever keeps tests from running
 * counts as failed: a file or suite that could not be set up, an unhandled error, a test still pending at the end.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      count.failed += groupsWithErrors(module)
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === 'pending' ? 'failed' : state] += 1
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
  }
}

function groupsWithErrors(module) {
  return [module, ...module.children.allSuites()].filter((group) => group.errors().length > 0).length
}
