import type { FileHandle, FileLock, FileSystem } from '../fs/index.ts'
import type { CallMatch, Fault, Operation, Verdict } from './fault.ts'
import { FaultyHandle } from './faulty-handle.ts'
import { systemError } from './system-error.ts'

/** A fault at work: how many calls matched it so far, and how many of them it hit. */
export interface InjectedFault {
  readonly calls: number
  readonly fired: number
  remove(): void
}

/** A call to be held up: `reached` resolves when it is made, `resume` lets it go on. */
export interface HeldCall {
  readonly reached: Promise<void>
  resume(): void
}

interface Rule {
  readonly fault: Fault
  calls: number
  fired: number
}

interface Hold {
  readonly match: CallMatch
  calls: number
  readonly arrive: () => void
  readonly resumed: Promise<void>
}

/**
 * A file system that fails on command, around any other. To fail every call of a run in turn: a fault with `call: n`
 * for n = 1, 2, … until a run ends with `fired` still 0.
 */
export class FaultInjector {
  readonly fileSystem: FileSystem
  #rules: Rule[] = []
  #holds: Hold[] = []

  constructor(inner: FileSystem) {
    this.fileSystem = this.#wrap(inner)
  }

  inject(fault: Fault): InjectedFault {
    const rule: Rule = { fault, calls: 0, fired: 0 }
    this.#rules.push(rule)
    return {
      get calls() {
        return rule.calls
      },
      get fired() {
        return rule.fired
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule)
      },
    }
  }

  /** Holds up one matching asynchronous call before it has any effect. */
  hold(match: CallMatch): HeldCall {
    const reached = resolvers()
    const resumed = resolvers()
    this.#holds.push({ match, calls: 0, arrive: reached.resolve, resumed: resumed.promise })
    return { reached: reached.promise, resume: resumed.resolve }
  }

  /** Removes all faults. Calls being held stay held. */
  clear(): void {
    this.#rules = []
  }

  #decide(operation: Operation, paths: readonly string[]): Verdict | undefined {
    let verdict: Verdict | undefined
    for (const rule of this.#rules) {
      if (!matches(rule.fault, operation, paths)) continue
      rule.calls += 1
      const first = rule.fault.call ?? 1
      const hit = rule.fault.repeat === true ? rule.calls >= first : rule.calls === first
      if (!hit || verdict !== undefined) continue
      rule.fired += 1
      verdict = verdictOf(rule.fault, operation, paths[0] ?? '')
    }
    return verdict
  }

  #heldBy(operation: Operation, paths: readonly string[]): Hold | undefined {
    for (const hold of this.#holds) {
      if (!matches(hold.match, operation, paths)) continue
      hold.calls += 1
      if (hold.calls !== (hold.match.call ?? 1)) continue
      this.#holds = this.#holds.filter((other) => other !== hold)
      return hold
    }
    return undefined
  }

  // Judged when the call is made, in the order of the calls; held up, if so, only afterwards.
  async #pass(operation: Operation, paths: readonly string[]): Promise<Verdict | undefined> {
    const hold = this.#heldBy(operation, paths)
    const verdict = this.#decide(operation, paths)
    if (hold !== undefined) {
      hold.arrive()
      await hold.resumed
    }
    return verdict
  }

  async #run<T>(operation: Operation, paths: readonly string[], perform: () => Promise<T>): Promise<T> {
    const verdict = await this.#pass(operation, paths)
    if (verdict?.error === undefined) return perform()
    if (verdict.after) await perform()
    throw verdict.error
  }

  #wrap(inner: FileSystem): FileSystem {
    const judge = {
      now: (operation: Operation, path: string) => this.#decide(operation, [path]),
      later: (operation: Operation, path: string) => this.#pass(operation, [path]),
    }
    return {
      open: (path, mode): Promise<FileHandle> =>
        this.#run('open', [path], async () => new FaultyHandle(await inner.open(path, mode), judge)),
      mkdir: (path) => this.#run('mkdir', [path], () => inner.mkdir(path)),
      readdir: (path) => this.#run('readdir', [path], () => inner.readdir(path)),
      stat: (path) => this.#run('stat', [path], () => inner.stat(path)),
      rename: (from, to) => this.#run('rename', [from, to], () => inner.rename(from, to)),
      unlink: (path) => this.#run('unlink', [path], () => inner.unlink(path)),
      removeTree: (path) => this.#run('removeTree', [path], () => inner.removeTree(path)),
      syncDirectory: (path) => this.#run('syncDirectory', [path], () => inner.syncDirectory(path)),
      realpath: (path) => this.#run('realpath', [path], () => inner.realpath(path)),
      lock: (path, onLost): Promise<FileLock> => this.#run('lock', [path], () => inner.lock(path, onLost)),
    }
  }
}

function matches(match: CallMatch, operation: Operation, paths: readonly string[]): boolean {
  const named =
    typeof match.operation === 'string' ? match.operation === operation : match.operation.includes(operation)
  const { path } = match
  if (!named || path === undefined) return named
  return paths.some((candidate) => (typeof path === 'string' ? candidate.includes(path) : path.test(candidate)))
}

function verdictOf(fault: Fault, operation: Operation, path: string): Verdict {
  const code = fault.code ?? (fault.shortWrite === undefined ? 'EIO' : undefined)
  return {
    error: code === undefined ? undefined : systemError(code, operation, path),
    shortWrite: fault.shortWrite,
    after: fault.fails === 'after',
    unsynced: fault.unsynced ?? 'drop',
  }
}

function resolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
