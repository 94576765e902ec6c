/** The loop of the I/O fault suites: the n-th call of a kind fails, for n = 1, 2, … until a run has no such call. */
import { expect } from 'vitest'
import { anyRead, anySync, anyWrite, type Fault } from '../../src/testing/index.ts'
import { type Aftermath, type Machine, surviveFault } from './fault-world.ts'
import type { Workload } from './workloads.ts'

export interface Kind {
  readonly name: string
  readonly fault: Omit<Fault, 'call' | 'repeat'>
  /** Nobody may notice: every run must go on. */
  readonly harmless?: boolean
  /** So many small writes at the end of each life: enough of them, and the last segment is a prepared file. */
  readonly smallWrites?: number
}

export const kinds: readonly Kind[] = [
  { name: 'a write fails', fault: { operation: anyWrite } },
  { name: 'a write fills the disk half way', fault: { operation: anyWrite, shortWrite: 20, code: 'ENOSPC' } },
  { name: 'a write is short', fault: { operation: anyWrite, shortWrite: 7 }, harmless: true },
  { name: 'a datasync fails and drops its pages', fault: { operation: anySync, unsynced: 'drop' }, smallWrites: 4 },
  { name: 'a datasync fails and keeps some pages', fault: { operation: anySync, unsynced: 'some' } },
  { name: 'a directory sync fails', fault: { operation: 'syncDirectory' } },
  { name: 'a file cannot be opened', fault: { operation: 'open', code: 'EMFILE' } },
  { name: 'a rename fails', fault: { operation: 'rename' } },
  { name: 'a file cannot be removed', fault: { operation: ['unlink', 'removeTree'] } },
  { name: 'a file cannot be shortened', fault: { operation: 'truncate' }, smallWrites: 15 },
  { name: 'a file cannot be read', fault: { operation: anyRead } },
  { name: 'a file cannot be closed', fault: { operation: 'close' } },
  { name: 'metadata cannot be read', fault: { operation: ['stat', 'size', 'readdir', 'realpath'] } },
  { name: 'a directory cannot be made or locked', fault: { operation: ['mkdir', 'lock'] } },
]

export const furtherKinds: readonly Kind[] = [
  { name: 'a write succeeds and reports failure', fault: { operation: anyWrite, fails: 'after' } },
  { name: 'a sync finds the disk full and keeps all', fault: { operation: anySync, unsynced: 'keep', code: 'ENOSPC' } },
  { name: 'a sync succeeds and reports failure', fault: { operation: anySync, fails: 'after' } },
  { name: 'a directory sync reports failure', fault: { operation: 'syncDirectory', fails: 'after' } },
  { name: 'a file cannot be created, disk full', fault: { operation: 'open', code: 'ENOSPC' } },
  { name: 'a rename finds the disk full', fault: { operation: 'rename', code: 'ENOSPC' } },
  { name: 'a rename succeeds and reports failure', fault: { operation: 'rename', fails: 'after' } },
  { name: 'a removal succeeds and reports failure', fault: { operation: ['unlink', 'removeTree'], fails: 'after' } },
  { name: 'descriptors for directories run out', fault: { operation: ['readdir', 'syncDirectory'], code: 'EMFILE' } },
  { name: 'a quota is reached', fault: { operation: anyWrite, code: 'EDQUOT' } },
]

export interface FaultLoop {
  readonly workload: Workload
  /** In words. */
  readonly age: string
  readonly machine: Machine
  readonly kind: Kind
  /** 1: every call. 3: every third. */
  readonly stride: number
  /** What is checked after the fault at a call. */
  readonly aftermathOf: (call: number, repeat: boolean) => Aftermath
}

/** One fault at each call in turn, once or from then on. Answers how many runs had one. */
export async function failEveryCall(loop: FaultLoop): Promise<number> {
  const { workload, age, machine, kind, stride, aftermathOf } = loop
  const { name, fault, harmless, smallWrites = 0 } = kind
  let faults = 0
  for (const repeat of [false, true]) {
    let call = 1
    for (; ; call += stride) {
      const aftermath = aftermathOf(call, repeat)
      const context = `${workload.name}, ${age}: ${name}, call ${call}${repeat ? ' and later' : ''}, ${aftermath}`
      const run = { workload, fault: { ...fault, call, repeat }, aftermath, context, smallWrites }
      const { fired, result } = await surviveFault(machine, run)
      if (fired === 0 || harmless === true) expect(result, context).toBe('went on')
      if (fired === 0) break
      faults++
    }
    expect(call, `${workload.name}, ${age}: ${name} never happened`).toBeGreaterThan(1)
  }
  return faults
}
