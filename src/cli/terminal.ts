import type { Readable, Writable } from 'node:stream'

/** The outside world of one command: what `main` takes from the process and tests make up. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Calls `handler` at the next interrupt instead of dying; the result takes that back. */
  onInterrupt(handler: () => void): () => void
}

export type TerminalOutput = Writable & { readonly isTTY?: boolean }

/** A second interrupt is not caught: whoever insists gets out. */
export function processTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    onInterrupt(handler) {
      process.once('SIGINT', handler)
      process.once('SIGTERM', handler)
      return () => {
        process.off('SIGINT', handler)
        process.off('SIGTERM', handler)
      }
    },
  }
}
