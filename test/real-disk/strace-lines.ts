/** Reads what `strace -f -xx` writes: one system call after the other, with when it began and when it had returned. */
export interface SystemCall {
  readonly name: string
  readonly args: readonly string[]
  readonly result: number
  /** Lines of the trace. Whatever is told apart by them happened in that order for the program as well. */
  readonly began: number
  readonly ended: number
}

/** Calls in the order in which they returned. A call cut off by the end of its process is left out. */
export function* systemCalls(trace: string): Generator<SystemCall> {
  const open = new Map<string, { text: string; began: number }>()
  let line = 0
  for (const raw of trace.split('\n')) {
    line++
    const match = /^(\d+) +(.*)$/.exec(raw)
    if (match === null) continue
    const [, thread = '', text = ''] = match
    if (text.startsWith('+++') || text.startsWith('---')) continue
    if (text.endsWith('<unfinished ...>')) {
      open.set(thread, { text: text.slice(0, -'<unfinished ...>'.length), began: line })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)
    const start = resumed === null ? undefined : open.get(thread)
    if (resumed !== null && start === undefined) throw new Error(`trace line ${line}: a call resumes that never began`)
    open.delete(thread)
    const call = parse(start === undefined ? text : start.text + (resumed?.[1] ?? ''), start?.began ?? line, line)
    if (call !== undefined) yield call
  }
}

function parse(text: string, began: number, ended: number): SystemCall | undefined {
  const match = /^(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)/.exec(text)
  if (match === null) throw new Error(`trace line ${ended} is not a system call: ${text.slice(0, 120)}`)
  const [, name = '', args = '', result = ''] = match
  // A call that never came back, of a process that was killed in it.
  if (result === '?') return undefined
  return { name, args: split(args), result: Number(result), began, ended }
}

/** Strings are in hexadecimal, so no comma of theirs can mislead; brackets of vectors are not asked for. */
function split(args: string): string[] {
  return args.split(', ').map((arg) => arg.trim())
}

/** The bytes of an argument that is a string. */
export function stringBytes(arg: string | undefined): Buffer {
  if (arg === undefined || !/^"(?:\\x[0-9a-f]{2})*"$/.test(arg))
    throw new Error(`not a whole string: ${arg?.slice(0, 60)}`)
  return Buffer.from(arg.slice(1, -1).replaceAll('\\x', ''), 'hex')
}
