/**
 * Does to a volume what a traced program did to a directory, call by call. A call it does not know is an error, so that
 * nothing the program did can be missing.
 */
import { stringBytes, type SystemCall } from './strace-lines.ts'
import { DirectoryNode, FileNode, type VolumeNode } from './volume.ts'

/** The calls to trace: all that can change a file, or where the next write goes. */
export const tracedCalls = [
  ...['open', 'openat', 'creat', 'close', 'dup', 'dup2', 'dup3', 'lseek'],
  ...['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'copy_file_range', 'sendfile', 'splice'],
  ...['fsync', 'fdatasync', 'sync', 'syncfs', 'sync_file_range'],
  ...['truncate', 'ftruncate', 'fallocate', 'mkdir', 'mkdirat', 'rmdir', 'unlink', 'unlinkat'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat'],
]

interface OpenFile {
  readonly node: VolumeNode
  readonly path: string
  readonly opened: number
  position: number
}

export interface Mark {
  readonly number: number
  readonly durability: string
}

/** What one call did: nothing to the volume, something, or the program said that a record is there. */
export type Step = 'nothing' | 'changed' | Mark

export class Replay {
  readonly volume: DirectoryNode
  readonly #root: string
  readonly #marks: string
  readonly #open = new Map<number, OpenFile>()
  #marksDescriptor = -1

  constructor(volume: DirectoryNode, root: string, marks: string) {
    this.volume = volume
    this.#root = root
    this.#marks = marks
  }

  step(call: SystemCall): Step {
    if (call.name === 'close') return this.#close(call)
    if (call.result < 0) return 'nothing'
    switch (call.name) {
      case 'open':
      case 'openat':
        return this.#openFile(call, call.name === 'open' ? call.args : call.args.slice(1))
      case 'write':
      case 'pwrite64':
        return this.#write(call)
      case 'lseek':
        return this.#seek(call)
      case 'fsync':
      case 'fdatasync':
        return this.#sync(call)
      case 'ftruncate':
        return this.#truncate(call)
      case 'mkdir':
      case 'unlink':
      case 'rmdir':
      case 'rename':
        return this.#changeNames(call)
      default:
        return this.#refuseInside(call)
    }
  }

  #openFile(call: SystemCall, [pathArg, flags = '']: readonly string[]): Step {
    const path = stringBytes(pathArg).toString()
    if (path === this.#marks) this.#marksDescriptor = call.result
    if (!this.#isInside(path)) return 'nothing'
    if (flags.includes('O_APPEND')) throw new Error(`${path} is opened for appending, which is not replayed`)
    const existing = this.#find(path)
    const node = existing ?? new FileNode()
    this.#open.set(call.result, { node, path, opened: call.ended, position: 0 })
    if (existing === undefined) {
      if (!flags.includes('O_CREAT')) throw new Error(`${path} was opened and is not in the volume`)
      this.#rename(call, [[path, node]])
      return 'changed'
    }
    if (!flags.includes('O_TRUNC') || node.kind === 'directory' || node.now.size === 0) return 'nothing'
    node.change({ at: call.ended, length: 0 })
    return 'changed'
  }

  /** From when it begins another thread may be given the number. */
  #close({ args: [descriptor], began }: SystemCall): Step {
    const file = this.#open.get(Number(descriptor))
    if (file !== undefined && file.opened < began) this.#open.delete(Number(descriptor))
    return 'nothing'
  }

  #write(call: SystemCall): Step {
    const descriptor = Number(call.args[0])
    if (descriptor === this.#marksDescriptor) return this.#mark(call)
    const file = this.#open.get(descriptor)
    if (file === undefined) return 'nothing'
    if (file.node.kind !== 'file') throw new Error(`a directory is written to: ${file.path}`)
    const offset = call.name === 'write' ? file.position : Number(call.args[3])
    const bytes = stringBytes(call.args[1]).subarray(0, call.result)
    if (call.name === 'write') file.position += bytes.length
    file.node.change({ at: call.ended, offset, bytes })
    return 'changed'
  }

  #mark(call: SystemCall): Step {
    const [what, number, durability = ''] = stringBytes(call.args[1]).toString().trim().split(' ')
    return what === 'ack' ? { number: Number(number), durability } : 'nothing'
  }

  #seek(call: SystemCall): Step {
    const file = this.#open.get(Number(call.args[0]))
    if (file !== undefined) file.position = call.result
    return 'nothing'
  }

  #sync(call: SystemCall): Step {
    const file = this.#open.get(Number(call.args[0]))
    if (file === undefined) return 'nothing'
    file.node.sync(call.began)
    return 'changed'
  }

  #truncate(call: SystemCall): Step {
    const file = this.#open.get(Number(call.args[0]))
    if (file?.node.kind !== 'file') return 'nothing'
    file.node.change({ at: call.ended, length: Number(call.args[1]) })
    return 'changed'
  }

  #changeNames(call: SystemCall): Step {
    const from = stringBytes(call.args[0]).toString()
    const to = call.name === 'rename' ? stringBytes(call.args[1]).toString() : undefined
    if (!this.#isInside(from) && (to === undefined || !this.#isInside(to))) return 'nothing'
    if (call.name === 'mkdir') this.#rename(call, [[from, new DirectoryNode()]])
    else if (to === undefined) this.#rename(call, [[from, undefined]])
    else {
      const node = this.#find(from)
      if (node === undefined) throw new Error(`${from} was renamed and is not in the volume`)
      this.#rename(call, [
        [from, undefined],
        [to, node],
      ])
    }
    return 'changed'
  }

  #rename(call: SystemCall, changes: readonly (readonly [string, VolumeNode | undefined])[]): void {
    const directories = new Set(changes.map(([path]) => path.slice(0, path.lastIndexOf('/'))))
    if (directories.size !== 1) throw new Error('a rename between directories is not replayed')
    const [directory = ''] = directories
    const parent = this.#find(directory)
    if (parent?.kind !== 'directory') throw new Error(`${directory} is not a directory of the volume`)
    parent.change({ at: call.ended, names: changes.map(([path, node]) => [path.slice(directory.length + 1), node]) })
  }

  #refuseInside(call: SystemCall): Step {
    const paths = call.args.filter((arg) => /^"(?:\\x..)+"$/.test(arg)).map((arg) => stringBytes(arg).toString())
    const touched = call.args.some((arg) => this.#open.has(Number(arg))) || paths.some((path) => this.#isInside(path))
    if (touched) throw new Error(`trace line ${call.ended}: ${call.name} is not replayed`)
    return 'nothing'
  }

  #isInside(path: string): boolean {
    return path === this.#root || path.startsWith(`${this.#root}/`)
  }

  #find(path: string): VolumeNode | undefined {
    let node: VolumeNode | undefined = this.volume
    for (const name of path.slice(this.#root.length).split('/')) {
      if (name === '') continue
      node = node?.kind === 'directory' ? node.now.get(name) : undefined
    }
    return node
  }
}
