/** When the log does its work; injectable, so that tests on a simulated disk need no real time. */
export interface Scheduler {
  /** Runs `task` soon, when the code that is running now and what it awaits have had their turn. */
  soon(task: () => void): void
  /** Runs `task` once after `delayMs`, without keeping the process alive. Returns what cancels it. */
  after(delayMs: number, task: () => void): () => void
}

export const systemScheduler: Scheduler = {
  soon: (task) => {
    setImmediate(task)
  },
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
