import { fork } from 'node:child_process'
import type { Figures, Job } from './measures/index.ts'
import { workerFile } from './places.ts'
import { memoryOf } from './process-facts.ts'

export interface Outcome {
  readonly figures?: Figures
  readonly error?: string
}

interface Report {
  readonly result?: Figures
  readonly ready?: Figures
  readonly error?: string
}

const sampleEveryMs = 50

/** Highest resident size seen from outside, so that a blocked event loop hides nothing. */
function sampleMemory(pid: number): () => { sampledMiB: number; sampledAnonymousMiB: number } {
  let sampledMiB = 0
  let sampledAnonymousMiB = 0
  const timer = setInterval(() => {
    try {
      const { rssMiB, anonymousMiB } = memoryOf(pid)
      sampledMiB = Math.max(sampledMiB, rssMiB)
      sampledAnonymousMiB = Math.max(sampledAnonymousMiB, anonymousMiB)
    } catch {
      // The process has just ended.
    }
  }, sampleEveryMs)
  return () => {
    clearInterval(timer)
    return { sampledMiB, sampledAnonymousMiB }
  }
}

/** Runs one job in a process of its own. A filler that says it is ready is killed with SIGKILL at once. */
export function runJob(
  job: Job,
  options: { readonly sampled?: boolean; readonly timeoutMs: number },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = fork(workerFile, [JSON.stringify(job)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'], execArgv: [] })
    const stopSampling = options.sampled && child.pid ? sampleMemory(child.pid) : undefined
    let report: Report = {}
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString()
    })
    child.on('message', (message: Report) => {
      report = message
      if (message.ready) child.kill('SIGKILL')
    })
    const timer = setTimeout(() => {
      complaint = `no result within ${options.timeoutMs / 1000} s`
      child.kill('SIGKILL')
    }, options.timeoutMs)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      const sampled = stopSampling?.()
      const figures = report.result ?? report.ready
      if (figures) return resolve({ figures: { ...figures, ...sampled } })
      if (report.error !== undefined) return resolve({ error: report.error })
      const reason = complaint.split('\n').find((line) => line.includes('Error')) || complaint
      return resolve({ error: `${reason.trim().slice(0, 300)} (ended with ${code ?? signal})` })
    })
  })
}
