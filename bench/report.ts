import type { Machine } from './machine.ts'
import type { Figures, Measure } from './measures/index.ts'
import type { Peer } from './peers/index.ts'
import { median } from './statistics.ts'

export interface Row {
  readonly peer: Peer
  readonly runs: readonly Figures[]
  readonly errors: readonly string[]
}

export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return ''
  const size = Math.abs(value)
  if (size >= 1e6) return `${(value / 1e6).toFixed(2)}M`
  if (size >= 1e4) return `${(value / 1e3).toFixed(1)}k`
  if (size >= 100) return String(Math.round(value))
  return size >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function medianOf(runs: readonly Figures[], name: string): number | undefined {
  const values = runs.map((run) => run[name]).filter((value) => typeof value === 'number')
  return values.length === 0 ? undefined : median(values)
}

/** The median of the best rival: neither this project nor a structure that keeps nothing. */
function bestRival(measure: Measure, rows: readonly Row[]): number | undefined {
  const rivals = rows.filter(({ peer, runs }) => !peer.ours && !peer.memoryOnly && runs.length > 0)
  const medians = rivals.map(({ runs }) => medianOf(runs, 'value') ?? Number.NaN)
  if (medians.length === 0) return undefined
  return measure.better === 'higher' ? Math.max(...medians) : Math.min(...medians)
}

// Always "how many times better than the best rival", so that above 1 is good whatever the unit.
function ratio(measure: Measure, value: number, best: number | undefined): string {
  if (best === undefined) return ''
  return (measure.better === 'higher' ? value / best : best / value).toFixed(2)
}

function line(measure: Measure, row: Row, best: number | undefined): string {
  const { peer, runs, errors } = row
  if (runs.length === 0) return `| ${peer.name} | 0 | failed: ${errors[0] ?? ''} | | | | | | | |`
  const values = runs.map((run) => run.value)
  const middle = median(values)
  const cells = [
    peer.memoryOnly ? `${peer.name} (memory only)` : peer.name,
    errors.length > 0 ? `${runs.length}, ${errors.length} failed` : runs.length,
    figure(middle),
    `${figure(Math.min(...values))}–${figure(Math.max(...values))}`,
    figure(medianOf(runs, 'p50us')),
    figure(medianOf(runs, 'p99us')),
    figure(medianOf(runs, 'cpuUs')),
    figure(medianOf(runs, 'openMs')),
    figure(medianOf(runs, 'peakMiB')),
    ratio(measure, middle, best),
  ]
  return `| ${cells.join(' | ')} |`
}

export function table(measure: Measure, rows: readonly Row[]): string {
  const best = bestRival(measure, rows)
  const head = `| store | runs | ${measure.unit}, median | min–max | p50 µs | p99 µs | CPU µs/op | open ms | peak MiB | × best peer |`
  const lines = rows.map((row) => line(measure, row, best))
  return [
    `### ${measure.name}: ${measure.title}`,
    '',
    head,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}

export function machineLines(facts: readonly Machine[], revision: string): string {
  const [first] = facts
  if (!first) return ''
  const loads = facts.map(({ load }) => load.toFixed(2)).join(', ')
  const floors = facts.map((each) => `${each.fdatasyncP50us}/${each.fdatasyncP99us}`).join(', ')
  return [
    `- ${first.cpu}, ${first.cores} cores, ${first.memoryGiB} GiB; ${first.kernel}; Node ${first.node}; ${first.fileSystem}`,
    `- load average at the start of each run: ${loads}`,
    `- write in place + fdatasync of 2.2 KB, p50/p99 µs, at the start of each run: ${floors}`,
    `- holdfast ${revision}`,
    '',
  ].join('\n')
}
