import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { CliError } from './cli-error.ts'
import { systemCode } from '../base/index.ts'
import type { Terminal } from './terminal.ts'

const chunkBytes = 256 * 1024

export interface Input {
  readonly name: string
  /** Size in bytes, when it is a file that has one. */
  readonly bytes: number | undefined
  readonly stream: Readable
}

/** Opens a file of the user's, or standard input for `-`, before anything is done with the store. */
export async function openInput(file: string, terminal: Terminal): Promise<Input> {
  if (file === '-') return { name: 'stdin', bytes: undefined, stream: terminal.stdin }
  try {
    const handle = await open(file, 'r')
    const stat = await handle.stat()
    if (stat.isDirectory()) {
      await handle.close()
      throw new CliError('CLI_INPUT', `${file} is a directory`, {
        next: 'name a file of JSON lines, or - for standard input',
      })
    }
    return {
      name: file,
      bytes: stat.isFile() ? stat.size : undefined,
      stream: handle.createReadStream({ highWaterMark: chunkBytes }),
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    const reason =
      systemCode(error) === 'ENOENT' ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    throw new CliError('CLI_INPUT', `cannot read ${file}: ${reason}`, {
      next: 'check the path and its permissions',
      detail: { file },
      cause: error,
    })
  }
}
