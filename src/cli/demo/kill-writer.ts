import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ContentId } from '../../index.ts'

export interface KilledWriter {
  /** What the writer was told is durable before it died. */
  readonly acknowledged: ReadonlyMap<number, ContentId>
  /** How it ended: `SIGKILL`, or what else happened, which is a failure of the demo. */
  readonly ending: string
  readonly errors: string
}

/** Starts the writer on a store that is closed here, and kills it in mid-stream after `count` acknowledgements. */
export async function killWriter(location: string, count: number): Promise<KilledWriter> {
  const child = startWriter(location)
  const acknowledged = new Map<number, ContentId>()
  let errors = ''
  let rest = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    // What has no line end was cut off by the kill and acknowledges nothing.
    rest = lines.pop() ?? ''
    for (const line of lines) addAcknowledged(acknowledged, line)
    if (acknowledged.size >= count) child.kill('SIGKILL')
  })
  const ending = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  return { acknowledged, ending, errors }
}

function startWriter(location: string): ChildProcess {
  // Runs from the sources as from dist: the writer stands beside this file, whatever that one ends in.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const script = fileURLToPath(new URL(`./writer.${extension}`, import.meta.url))
  return spawn(process.execPath, [...process.execArgv, script, location], { stdio: ['ignore', 'pipe', 'pipe'] })
}

function addAcknowledged(acknowledged: Map<number, ContentId>, line: string): void {
  const [slot, id] = line.split(' ')
  if (slot !== undefined && id !== undefined) acknowledged.set(Number(slot), id)
}
