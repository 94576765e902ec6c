import { HoldfastError } from '../base/index.ts'
import type { FileHandle } from './file-system.ts'

/**
 * Writes all of `data` at `position`, however short the single transfers are. Resolves when the operating system has
 * every byte; nothing is durable before `datasync`. Rejects with the system error of the transfer that failed: the
 * bytes before it may be in the file by then.
 */
export async function writeFully(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < data.length) {
    const rest = done === 0 ? data : data.subarray(done)
    const written = await handle.write(rest, position + done)
    if (written <= 0) throw stalled(handle, position + done, rest.length)
    done += written
  }
}

/** `writeFully` without leaving the call: for the path of a single durable write. */
export function writeFullySync(handle: FileHandle, data: Uint8Array, position: number): void {
  let done = 0
  while (done < data.length) {
    const rest = done === 0 ? data : data.subarray(done)
    const written = handle.writeSync(rest, position + done)
    if (written <= 0) throw stalled(handle, position + done, rest.length)
    done += written
  }
}

/** Fills `target` from `position` on; resolves to the bytes read, fewer than its length only at the end of the file. */
export async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0
  while (done < target.length) {
    const rest = done === 0 ? target : target.subarray(done)
    const got = await handle.read(rest, position + done)
    if (got === 0) break
    done += got
  }
  return done
}

// A transfer of nothing would loop for ever: it is a failure even though the system reported none.
function stalled(handle: FileHandle, position: number, bytes: number): HoldfastError {
  const where = `${handle.path} at byte ${position}`
  return new HoldfastError('HOLDFAST_IO', `could not write ${bytes} bytes to ${where}: the system accepted none`, {
    detail: { path: handle.path, action: 'write', position },
  })
}
