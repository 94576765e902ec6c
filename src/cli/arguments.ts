import { InvalidArgumentError } from 'commander'
import { isProcessName } from './line-format.ts'

/** Parsers of command line arguments. They throw commander's InvalidArgumentError, which ends in exit code 2. */

export function parseCount(text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError('It must be a whole number of at least 1.')
  }
  return count
}

export function parseProcess(text: string): string {
  if (!isProcessName(text)) throw new InvalidArgumentError('A process is 43 base64url characters.')
  return text
}

export function parseProcesses(text: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), parseProcess(text)]
}

export interface SlotRange {
  readonly from?: number
  readonly to?: number
}

/** `5..10`, `5..`, `..10`, `..` and `5`, which is `5..5`. Both ends are included. */
export function parseSlotRange(text: string): SlotRange {
  const match = /^(\d*)(\.\.)?(\d*)$/.exec(text)
  if (match === null || text === '') throw new InvalidArgumentError('A range is FROM..TO, FROM.., ..TO or one slot.')
  const [, first = '', dots, last = ''] = match
  const from = first === '' ? undefined : parseSlot(first)
  const to = dots === undefined ? from : last === '' ? undefined : parseSlot(last)
  if (from !== undefined && to !== undefined && from > to) {
    throw new InvalidArgumentError(`It is empty: ${from} is above ${to}.`)
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}

function parseSlot(text: string): number {
  const slot = Number(text)
  if (!Number.isSafeInteger(slot)) throw new InvalidArgumentError(`Slot ${text} is too large.`)
  return slot
}
