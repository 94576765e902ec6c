import type { CrashMode } from './simulated-disk.ts'

/** Where one life ends: right before this cut point takes effect. One past the last is the end of the life. */
export interface CrashCut {
  readonly call: number
  readonly mode: CrashMode
  readonly tearBytes: number
}

/** All it takes to see one case again. */
export interface CrashCase {
  readonly seed: number
  /** Which of the steps of the first life are taken; all of them by default. */
  readonly steps?: readonly number[]
  /** Absent: the workload failed without any crash. */
  readonly first?: CrashCut
  /** The recovery after the first crash was cut off as well. */
  readonly recovery?: CrashCut
  /** Or it went on, and its life was cut off so many cut points after the check. */
  readonly again?: CrashCut
}

const modes: readonly CrashMode[] = ['strict', 'all', 'subset', 'directory-first']

/** One line of `name=value`, which `parseCase` reads. */
export function formatCase({ seed, steps, first, recovery, again }: CrashCase): string {
  const parts = [`seed=${seed}`]
  if (first !== undefined) parts.push(`mode=${first.mode}`, `tear=${first.tearBytes}`, `call=${first.call}`)
  if (recovery !== undefined) parts.push(`recovery=${formatCut(recovery)}`)
  if (again !== undefined) parts.push(`again=${formatCut(again)}`)
  if (steps !== undefined) parts.push(`steps=${steps.join()}`)
  return parts.join(' ')
}

export function parseCase(spec: string): CrashCase {
  const fields = new Map<string, string>()
  for (const part of spec.trim().split(/\s+/)) {
    const [, name, value] = /^(seed|mode|tear|call|recovery|again|steps)=(.*)$/.exec(part) ?? []
    if (name === undefined || value === undefined || fields.has(name)) throw malformed(spec, part)
    fields.set(name, value)
  }
  const number = (name: string): number => {
    const value = fields.get(name) ?? ''
    if (!/^[0-9]+$/.test(value)) throw malformed(spec, `${name}=${value}`)
    return Number(value)
  }
  const cut = (name: string): CrashCut | undefined => {
    const value = fields.get(name)
    if (value === undefined) return undefined
    const [, call, mode, tear] = /^([0-9]+):([a-z-]+):([0-9]+)$/.exec(value) ?? []
    return { call: Number(call ?? Number.NaN), mode: asMode(spec, mode), tearBytes: Number(tear) }
  }
  const steps = fields.get('steps')
  const first = fields.has('call')
    ? { call: number('call'), mode: asMode(spec, fields.get('mode')), tearBytes: number('tear') }
    : undefined
  return {
    seed: number('seed'),
    ...(steps === undefined ? {} : { steps: steps === '' ? [] : steps.split(',').map(Number) }),
    ...given('first', first),
    ...given('recovery', cut('recovery')),
    ...given('again', cut('again')),
  }
}

/** The seed of what a crash leaves: it follows from the case, so that the case brings it back. */
export function luckOf(seed: number, { call, mode, tearBytes }: CrashCut): number {
  return (seed * 1_000_003 + call * 10_007 + modes.indexOf(mode) * 8191 + tearBytes) >>> 0
}

/** A crash broke a promise, or the workload failed without one. */
export class CrashCaseFailed extends Error {
  readonly case: CrashCase
  /** The case in one line, for the option `replay`. */
  readonly replay: string
  /** The steps of its first life, described. */
  readonly steps: readonly string[]

  constructor(failed: CrashCase, what: string, steps: readonly string[], command: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super([reason, `  ${what}`, `  steps: ${steps.join(', ')}`, `  again: ${command}`].join('\n'), { cause })
    this.name = 'CrashCaseFailed'
    this.case = failed
    this.replay = formatCase(failed)
    this.steps = steps
  }
}

/** For people: `seed 3, subset (512 bytes) at call 118, write '/lines'`. */
export function describeCase({ seed, first, recovery, again }: CrashCase, call: string | undefined): string {
  if (first === undefined) return `seed ${seed}, without a crash`
  const parts = [`seed ${seed}, ${describeCut(first)}${call === undefined ? '' : `, ${call}`}`]
  if (recovery !== undefined) parts.push(`its recovery cut off: ${describeCut(recovery)}`)
  if (again !== undefined) parts.push(`went on, then ${describeCut(again)} after the check`)
  return parts.join('; ')
}

function describeCut({ call, mode, tearBytes }: CrashCut): string {
  return `${mode} (${tearBytes} bytes) at call ${call}`
}

function formatCut({ call, mode, tearBytes }: CrashCut): string {
  return `${call}:${mode}:${tearBytes}`
}

function asMode(spec: string, value: string | undefined): CrashMode {
  const mode = modes.find((each) => each === value)
  if (mode === undefined) throw malformed(spec, String(value))
  return mode
}

function given<Name extends string, T>(name: Name, value: T | undefined): { [key in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: T }
}

function malformed(spec: string, part: string): TypeError {
  return new TypeError(`${JSON.stringify(spec)} is no crash case: what is ${JSON.stringify(part)}?`)
}
