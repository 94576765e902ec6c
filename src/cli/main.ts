import { CommanderError } from 'commander'
import { explainError, formatExplanation, formatStack } from './explain-error.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { stringifyValue } from './json-value.ts'
import { BrokenPipeError } from './output.ts'
import { createProgram } from './program.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** Runs the command line `argv` (as in `process.argv`) and resolves to the exit code. Never rejects. */
export function main(argv: readonly string[]): Promise<number> {
  return run(argv, processTerminal())
}

/** {@link main} with the outside world handed in. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  // A reader of our messages that goes away is no reason to stop.
  terminal.stderr.on('error', () => {})
  const program = createProgram(terminal)
  try {
    return await program.run(argv)
  } catch (error) {
    if (error instanceof BrokenPipeError) return exitCodes.ok
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    return reportFailure(error, terminal, program.flags())
  }
}

function reportFailure(error: unknown, terminal: Terminal, flags: { json: boolean; debug: boolean }): ExitCode {
  const explanation = explainError(error)
  const { exitCode, code, message, next, detail } = explanation
  const text = flags.json ? stringifyValue({ error: { code, message, next, detail } }) : formatExplanation(explanation)
  terminal.stderr.write(`${text}\n`)
  if (flags.debug) terminal.stderr.write(`${formatStack(error)}\n`)
  return exitCode
}
