import { Presets, SingleBar } from 'cli-progress'
import { formatCount } from './text.ts'
import type { TerminalOutput } from './terminal.ts'

/** Progress of one long piece of work. */
export interface Progress {
  update(done: number, label: string): void
  stop(): void
}

const silent: Progress = { update() {}, stop() {} }

/**
 * A progress bar on stderr if that is a terminal, else nothing. Without a `total` there is no bar to fill, only the
 * label that moves on.
 */
export function startProgress(stderr: TerminalOutput, verb: string, total: number | undefined): Progress {
  if (stderr.isTTY !== true) return silent
  const format = total === undefined ? `${verb} {label}` : `${verb} {bar} {percentage}%  {label}`
  const bar = new SingleBar({ format, stream: stderr, hideCursor: true, clearOnComplete: true, fps: 8 }, Presets.legacy)
  bar.start(total ?? 1, 0, { label: '' })
  return {
    update: (done, label) => bar.update(total === undefined ? 0 : Math.min(done, total), { label }),
    stop: () => bar.stop(),
  }
}

export function countLabel(count: number, what: string): string {
  return `${formatCount(count)} ${what}`
}
