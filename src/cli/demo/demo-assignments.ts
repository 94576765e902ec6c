import { createHash } from 'node:crypto'
import type { Assignment } from '../../index.ts'

const label = 'holdfast demo'

/** The process the demo's writer fills. */
export const demoProcess = digest(Buffer.from(label))

/**
 * The assignments the writer writes, from slot 0 on without end. Writer and checker derive them independently: what
 * the checker finds is compared with what must have been written, not with what the store says was written.
 */
export function* demoAssignments(): Generator<Assignment> {
  let previous: { id: string; chain: string } | undefined
  for (let slot = 0; ; slot += 1) {
    const id = digest(Buffer.from(`${label}/${slot}`))
    const chain = previous === undefined ? digest(raw(demoProcess)) : digest(raw(previous.id), raw(previous.chain))
    yield {
      id,
      process: demoProcess,
      slot,
      epoch: '0',
      'block-height': 1_600_000 + Math.floor(slot / 100),
      timestamp: 1_735_689_600_000 + slot * 500,
      'hash-chain': chain,
      body: { type: 'Message', action: 'Eval', target: demoProcess, data: textOf(id, dataLength(slot)) },
    }
    previous = { id, chain }
  }
}

/** Mostly small; now and then long enough to be stored under a content id of its own. */
function dataLength(slot: number): number {
  return slot % 50 === 49 ? 6000 : 100 + ((slot * 37) % 900)
}

function textOf(id: string, length: number): string {
  return id.repeat(Math.ceil(length / id.length)).slice(0, length)
}

function digest(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('base64url')
}

function raw(id: string): Uint8Array {
  return Buffer.from(id, 'base64url')
}
