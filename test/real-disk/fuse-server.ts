// A file system in memory that forgets what was not synced. It serves the requests of descriptor 3, one after the other.
// Its root holds the tree of the directory named by the plan, and the file `.control`, which takes one command a write:
//   crash <cut> <seed>     the power goes: what the cut leaves is durable, and all there is
//   fail <text> <times>    the next syncs of files whose path has this text fail with EIO, and their pages count as clean
// With `log`, writes and syncs of the files in the root are written there, in the order they came (see block-log.ts).
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { encodeEvent, type LoggedFile } from './block-log.ts'
import { readTree } from './checked-tree.ts'
import {
  attributeReply,
  directoryReply,
  entryReply,
  errno,
  initReply,
  namesIn,
  openReply,
  operation,
  parseRequest,
  reply,
  type Request,
  requestBytesMax,
  statReply,
} from './fuse-protocol.ts'
import { crash, type Cut } from './power-cut.ts'
import { DirectoryNode, FileNode, type NameChange, type Tree, type VolumeNode, volumeOf } from './volume.ts'

export interface ServerPlan {
  /** A directory whose content the volume starts with; all of it counts as durable. */
  readonly start?: string
  readonly log?: string
}

class Refusal extends Error {
  readonly errno: number

  constructor(code: keyof typeof errno) {
    super(code)
    this.errno = errno[code]
  }
}

interface Time {
  readonly seconds: bigint
  readonly nanoseconds: number
}

const longAgo: Time = { seconds: 1n, nanoseconds: 0 }
const rootNumber = 1
const device = 3

class Server {
  readonly #log: number | undefined
  readonly #control = new FileNode()
  #root: DirectoryNode
  #numbers = new Map<VolumeNode, number>()
  #nodes = new Map<number, VolumeNode>()
  #paths = new Map<VolumeNode, string>()
  #modified = new Map<VolumeNode, Time>()
  #next = rootNumber
  #moment = 0
  #failing = { text: '', times: 0 }

  constructor(plan: ServerPlan) {
    this.#log = plan.log === undefined ? undefined : openSync(plan.log, 'w')
    this.#root = this.#mounted(plan.start === undefined ? new Map() : readTree(plan.start))
  }

  /** Answers the body of the reply; undefined when there is none to send. */
  serve(request: Request): Uint8Array | undefined {
    const { body } = request
    switch (request.operation) {
      case operation.init:
        return initReply()
      case operation.lookup:
        return this.#lookup(request)
      case operation.getAttributes:
        return attributeReply(this.#attributes(this.#node(request)))
      case operation.setAttributes:
        return this.#setAttributes(request)
      case operation.makeDirectory:
        return this.#create(request, 8, new DirectoryNode())
      case operation.create:
        return Buffer.concat([this.#create(request, 16, new FileNode()), openReply(false)])
      case operation.unlink:
      case operation.removeDirectory:
        return this.#remove(request)
      case operation.rename:
        return this.#rename(request, 8)
      case operation.rename2:
        return this.#rename(request, 16)
      case operation.open:
        return openReply(this.#node(request) === this.#control)
      case operation.openDirectory:
        return openReply(false)
      case operation.read:
        return this.#read(this.#file(request), Number(body.readBigUInt64LE(8)), body.readUInt32LE(16))
      case operation.write:
        return this.#write(this.#file(request), request)
      case operation.readDirectory:
        return this.#list(request)
      case operation.sync:
      case operation.syncDirectory:
        return this.#sync(this.#node(request))
      case operation.statFileSystem:
        return statReply()
      case operation.release:
      case operation.releaseDirectory:
      case operation.flush:
      case operation.destroy:
        return new Uint8Array(0)
      default:
        throw new Refusal('ENOSYS')
    }
  }

  #mounted(tree: Tree): DirectoryNode {
    const root = volumeOf(tree)
    this.#numbers = new Map()
    this.#nodes = new Map()
    this.#paths = new Map([[root, '']])
    this.#modified = new Map()
    this.#register(root, rootNumber)
    this.#next = Math.max(this.#next, rootNumber)
    return root
  }

  #register(node: VolumeNode, number: number): number {
    this.#numbers.set(node, number)
    this.#nodes.set(number, node)
    return number
  }

  #attributes(node: VolumeNode): { number: number; node: VolumeNode; modified: Time } {
    const number = this.#numbers.get(node) ?? this.#register(node, ++this.#next)
    return { number, node, modified: this.#modified.get(node) ?? longAgo }
  }

  #node({ node }: { node: number }): VolumeNode {
    const found = this.#nodes.get(node)
    if (found === undefined) throw new Refusal('ENOENT')
    return found
  }

  #file(request: Request): FileNode {
    const node = this.#node(request)
    if (node.kind !== 'file') throw new Refusal('EINVAL')
    return node
  }

  #directory(node: VolumeNode): DirectoryNode {
    if (node.kind !== 'directory') throw new Refusal('ENOTDIR')
    return node
  }

  #child(directory: DirectoryNode, name: string): VolumeNode {
    const found = directory === this.#root && name === '.control' ? this.#control : directory.now.get(name)
    if (found === undefined) throw new Refusal('ENOENT')
    if (!this.#paths.has(found)) this.#paths.set(found, `${this.#paths.get(directory)}/${name}`)
    return found
  }

  #lookup(request: Request): Buffer {
    const [name = ''] = namesIn(request.body, 0)
    return entryReply(this.#attributes(this.#child(this.#directory(this.#node(request)), name)))
  }

  #setAttributes(request: Request): Buffer {
    const node = this.#node(request)
    const valid = request.body.readUInt32LE(0)
    const [size, modifiedGiven, modifiedNow] = [1 << 3, 1 << 5, 1 << 8]
    if ((valid & size) !== 0 && node.kind === 'file')
      node.change({ at: ++this.#moment, length: Number(request.body.readBigUInt64LE(16)) })
    if ((valid & modifiedNow) !== 0) this.#modified.set(node, now())
    else if ((valid & modifiedGiven) !== 0) {
      const seconds = request.body.readBigUInt64LE(40)
      this.#modified.set(node, { seconds, nanoseconds: request.body.readUInt32LE(60) })
    }
    return attributeReply(this.#attributes(node))
  }

  #create(request: Request, namesAt: number, node: VolumeNode): Buffer {
    const directory = this.#directory(this.#node(request))
    const [name = ''] = namesIn(request.body, namesAt)
    if (directory.now.has(name)) throw new Refusal('EEXIST')
    this.#modified.set(node, now())
    this.#paths.set(node, `${this.#paths.get(directory)}/${name}`)
    this.#change(directory, [[name, node]])
    return entryReply(this.#attributes(node))
  }

  #remove(request: Request): Uint8Array {
    const directory = this.#directory(this.#node(request))
    const [name = ''] = namesIn(request.body, 0)
    const node = this.#child(directory, name)
    if (node.kind === 'directory' && node.now.size > 0) throw new Refusal('ENOTEMPTY')
    this.#change(directory, [[name, undefined]])
    return new Uint8Array(0)
  }

  #rename(request: Request, namesAt: number): Uint8Array {
    const directory = this.#directory(this.#node(request))
    const target = this.#directory(this.#node({ node: Number(request.body.readBigUInt64LE(0)) }))
    const [from = '', to = ''] = namesIn(request.body, namesAt)
    const node = this.#child(directory, from)
    this.#paths.set(node, `${this.#paths.get(target)}/${to}`)
    if (directory === target) {
      this.#change(directory, [
        [from, undefined],
        [to, node],
      ])
    } else {
      this.#change(target, [[to, node]])
      this.#change(directory, [[from, undefined]])
    }
    return new Uint8Array(0)
  }

  #change(directory: DirectoryNode, names: NameChange['names']): void {
    directory.change({ at: ++this.#moment, names })
  }

  #read(file: FileNode, offset: number, size: number): Uint8Array {
    return file.now.view(offset, offset + size)
  }

  #write(file: FileNode, { body }: Request): Buffer {
    const size = body.readUInt32LE(16)
    const bytes = Buffer.from(body.subarray(40, 40 + size))
    const offset = Number(body.readBigUInt64LE(8))
    if (file === this.#control) this.#command(bytes.toString().trim())
    else {
      file.change({ at: ++this.#moment, offset, bytes })
      this.#record(file, offset, bytes)
    }
    const written = Buffer.alloc(8)
    written.writeUInt32LE(size, 0)
    return written
  }

  #list(request: Request): Buffer {
    const directory = this.#directory(this.#node(request))
    const entries = [...directory.now].map(([name, node]) => [name, this.#attributes(node).number, node] as const)
    return directoryReply(entries, Number(request.body.readBigUInt64LE(8)), request.body.readUInt32LE(16))
  }

  #sync(node: VolumeNode): Uint8Array {
    if (this.#failing.times > 0 && (this.#paths.get(node) ?? '').includes(this.#failing.text)) {
      this.#failing.times--
      // As the kernel does with pages it could not write: they count as clean, and the disk never gets them.
      node.unsynced = []
      throw new Refusal('EIO')
    }
    node.sync(++this.#moment)
    this.#record(node, undefined, undefined)
    return new Uint8Array(0)
  }

  #record(node: VolumeNode, offset: number | undefined, bytes: Uint8Array | undefined): void {
    if (this.#log === undefined) return
    const file = this.#paths.get(node)?.slice(1)
    if (file === 'disk' || file === 'marks') writeSync(this.#log, encodeEvent(file satisfies LoggedFile, offset, bytes))
  }

  #command(text: string): void {
    const [verb = '', ...rest] = text.split(' ')
    if (verb === 'crash') {
      const cut = rest.slice(0, -1).join(' ') as Cut
      const seed = Number(rest.at(-1))
      const tree = crash(this.#root, cut, seed) ?? crash(this.#root, 'strict', seed)
      this.#root = this.#mounted(tree as Tree)
    } else if (verb === 'fail') this.#failing = { text: rest[0] ?? '', times: Number(rest[1]) }
    else throw new Refusal('EINVAL')
  }
}

function now(): Time {
  const milliseconds = Date.now()
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanoseconds: (milliseconds % 1000) * 1_000_000 }
}

const unanswered = new Set<number>([operation.forget, operation.forgetMany, operation.interrupt])

function run(server: Server): void {
  const buffer = Buffer.alloc(requestBytesMax)
  for (;;) {
    let length: number
    try {
      length = readSync(device, buffer)
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'EINTR' || code === 'EAGAIN' || code === 'ENOENT') continue
      // Unmounted.
      if (code === 'ENODEV') break
      throw error
    }
    const request = parseRequest(buffer.subarray(0, length))
    if (!unanswered.has(request.operation)) answer(server, request)
  }
  closeSync(device)
}

function answer(server: Server, request: Request): void {
  let bytes: Buffer
  try {
    bytes = reply(request, server.serve(request))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    bytes = reply(request, undefined, error.errno)
  }
  try {
    writeSync(device, bytes)
  } catch (error) {
    // Whoever asked is gone.
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
}

run(new Server(JSON.parse(process.argv[2] as string) as ServerPlan))
