/**
 * Ends a test run with one line for programs: `N passed, N failed[, N skipped]`. Whatever keeps tests from running
 * counts as failed: a file or suite that could not be set up, an unhandled error, a test still pending at the end.
 * Before it, one line for each layer of the crash tests that took part: what it did, or that it was skipped and why.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    const layers = new Map()
    for (const module of modules) {
      count.failed += groupsWithErrors(module)
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === 'pending' ? 'failed' : state] += 1
        for (const report of test.meta().layers ?? []) addToLayer(layers, report, test)
      }
    }
    printLayers(layers)
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`)
  }
}

function addToLayer(layers, { layer, counts }, test) {
  const total = layers.get(layer) ?? { passed: 0, failed: 0, skipped: [], counts: {} }
  layers.set(layer, total)
  const { state, note } = test.result()
  if (state === 'skipped') total.skipped.push(note ?? test.name)
  else total[state === 'passed' ? 'passed' : 'failed'] += 1
  for (const [unit, number] of Object.entries(counts)) total.counts[unit] = (total.counts[unit] ?? 0) + number
}

function printLayers(layers) {
  const order = [...layers.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  for (const layer of order) {
    const { passed, failed, skipped, counts } = layers.get(layer)
    const what = Object.entries(counts).map(([unit, number]) => `${number.toLocaleString('en')} ${unit}`)
    const parts = [`${layer.padEnd(7)} ${what.join(', ')}`.trimEnd(), `${passed} tests passed`]
    if (failed > 0) parts.push(`${failed} FAILED`)
    for (const reason of skipped) parts.push(`skipped: ${reason}`)
    console.log(parts.join(' | '))
  }
}

function groupsWithErrors(module) {
  return [module, ...module.children.allSuites()].filter((group) => group.errors().length > 0).length
}
