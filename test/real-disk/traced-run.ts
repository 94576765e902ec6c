/** A program's run under strace, and the same again on a volume that can be stopped anywhere. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended } from '../crash/compiled-child.ts'
import { writeTree } from './checked-tree.ts'
import type { Told } from './explorer.ts'
import type { WriterPlan } from './record-writer.ts'
import { Replay, tracedCalls } from './replay.ts'
import { systemCalls } from './strace-lines.ts'
import { type DirectoryNode, type Tree, volumeOf } from './volume.ts'

/** Why nothing can be traced here; undefined when it can. */
export function whyNoTrace(): string | undefined {
  const { status, error } = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', process.execPath, '-v'])
  if (error !== undefined) return 'needs strace'
  return status === 0 ? undefined : 'strace may not trace here'
}

export interface TracedRun {
  readonly trace: string
  readonly start: Tree
  /** The directory that the run worked on, as it is when it ended. */
  readonly root: string
  readonly marks: string
}

/** Runs the writer to its end on what is in `start`, in a directory of its own, and records what it does. */
export async function traceRun(
  program: string,
  place: string,
  start: Tree,
  plan: Omit<WriterPlan, 'location' | 'marks'>,
): Promise<TracedRun> {
  const root = join(place, 'volume')
  const marks = join(place, 'marks')
  const output = join(place, 'trace')
  mkdirSync(place, { recursive: true })
  writeTree(start, root)
  const whole: WriterPlan = { ...plan, location: join(root, 'store'), marks }
  const flags = ['-f', '--seccomp-bpf', '-xx', '-s', '16777216', '-o', output, '-e', `trace=${tracedCalls.join()}`]
  const child = spawn('strace', [...flags, process.execPath, program, JSON.stringify(whole)], {
    // What goes through io_uring is not seen by strace.
    env: { ...process.env, UV_USE_IO_URING: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const how = await ended(child)
  if (how !== '0') throw new Error(`the traced writer ended with ${how}`)
  return { trace: readFileSync(output, 'latin1'), start, root, marks }
}

/**
 * Calls `at` after every call that changed the volume and after every acknowledgement. `known`: the last record that
 * was in the store when the run began; what recovery finds once must be there after every crash of that recovery.
 */
export async function replayRun(
  run: TracedRun,
  known: number,
  at: (volume: DirectoryNode, told: Told, line: number) => Promise<void>,
): Promise<{ volume: DirectoryNode; told: Told }> {
  const replay = new Replay(volumeOf(run.start), run.root, run.marks)
  const told: Told = { kill: known, powerCut: known }
  for (const call of systemCalls(run.trace)) {
    const step = replay.step(call)
    if (step === 'nothing') continue
    if (step !== 'changed') {
      told.kill = Math.max(told.kill, step.number)
      if (step.durability === 'sync') told.powerCut = Math.max(told.powerCut, step.number)
    }
    await at(replay.volume, told, call.ended)
  }
  return { volume: replay.volume, told }
}
