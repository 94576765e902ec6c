/** The loop of the I/O fault suites: the n-th call of a kind fails, for n = 1, 2, … until a run has no such call. */
import { expect } from 'vitest'
import { anySync, anyWrite, type Fault } from '../../src/testing/index.ts'
import { type Aftermath, type Machine, surviveFault } from './fault-world.ts'

export interface Kind {
  readonly name: string
  readonly fault: Omit<Fault, 'call' | 'repeat'>
  /** Nobody may notice: every run must go on. */
  readonly harmless?: boolean
  /** So many small writes at the end of each life: enough of them, and the last segment is a prepared file. */
  readonly smallWrites?: number
}

const dataSync = ['datasync', 'datasyncSync'] as const

export const kinds: readonly Kind[] = [
  { name: 'a write fails', fault: { operation: anyWrite } },
  { name: 'a write fills the disk half way', fault: { operation: anyWrite, shortWrite: 20, code: 'ENOSPC' } },
  { name: 'a write is short', fault: { operation: anyWrite, shortWrite: 7 }, harmless: true },
  { name: 'a datasync fails and drops its pages', fault: { operation: dataSync, unsynced: 'drop' }, smallWrites: 4 },
  { name: 'a datasync fails and keeps some pages', fault: { operation: dataSync, unsynced: 'some' } },
  { name: 'a directory sync fails', fault: { operation: 'syncDirectory' } },
  { name: 'a file cannot be opened', fault: { operation: 'open', code: 'EMFILE' } },
  { name: 'a rename fails', fault: { operation: 'rename' } },
  { name: 'a file cannot be removed', fault: { operation: ['unlink', 'removeTree'] } },
  { name: 'a file cannot be shortened', fault: { operation: 'truncate' }, smallWrites: 12 },
  { name: 'a file cannot be read', fault: { operation: ['read', 'readSync'] } },
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
  { name: 'a rename succeeds and reports failure', fault: { operation: 'rename', fails: 'after' } },
  { name: 'a removal succeeds and reports failure', fault: { operation: ['unlink', 'removeTree'], fails: 'after' } },
  { name: 'a quota is reached', fault: { operation: anyWrite, code: 'EDQUOT' } },
]

/** One fault at each call in turn, once or from then on; `aftermathOf` says what is checked after the fault at a call. */
export async function failEveryCall(
  age: string,
  machine: Machine,
  { name, fault, harmless, smallWrites }: Kind,
  aftermathOf: (call: number, repeat: boolean) => Aftermath,
): Promise<void> {
  for (const repeat of [false, true]) {
    let call = 1
    for (; ; call++) {
      const aftermath = aftermathOf(call, repeat)
      const context = `${age}: ${name}, call ${call}${repeat ? ' and later' : ''}, ${aftermath}`
      const run = { fault: { ...fault, call, repeat }, aftermath, context, smallWrites: smallWrites ?? 0 }
      const { fired, result } = await surviveFault(machine, run)
      if (fired === 0 || harmless === true) expect(result, context).toBe('went on')
      if (fired === 0) break
    }
    expect(call, `${age}: ${name} never happened`).toBeGreaterThan(1)
  }
}
