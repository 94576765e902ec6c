/** Content by hash: a message under the SHA-256 of its canonical bytes, bytes under the SHA-256 of the bytes. */
import { HoldfastError } from '../base/index.ts'
import {
  contentIdOf,
  decodeCanonical,
  type EncodedMessage,
  encodeCanonical,
  isContentId,
  kind,
  linksOf,
} from '../codec/index.ts'
import { type Engine, releasing, type WriteOptions } from '../engine/index.ts'
import { type Entry, TOMBSTONE, UNDECODED } from '../memory/index.ts'
import { contentDomain, contentKey, contentPrefix, pinDomain, pinKey, pinPrefix } from './keys.ts'
import type { ContentId, ContentItem, ContentStore, Message, Value } from './types.ts'

const nothing = Buffer.alloc(0)

export class Contents implements ContentStore {
  readonly #engine: Engine
  /** While a collection runs: what was put or linked since it began, which it must not remove. */
  #touched: Set<ContentId> | undefined
  /** Resolves when the running collection has ended. */
  #collecting: Promise<unknown> | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  id(value: Message | Uint8Array): ContentId {
    return value instanceof Uint8Array ? contentIdOf(value) : encodeMessage(value).id
  }

  put(value: Message | Uint8Array, options?: WriteOptions): Promise<ContentId> {
    return this.#write(options, () => {
      if (value instanceof Uint8Array) return this.putBytes(value)
      return this.putEncoded(encodeMessage(value))
    })
  }

  async get(id: ContentId): Promise<Message | Uint8Array | undefined> {
    return (await this.load(checkedId(id))) as Message | Uint8Array | undefined
  }

  getSync(id: ContentId): Message | Uint8Array | undefined {
    return this.loadSync(checkedId(id)) as Message | Uint8Array | undefined
  }

  async bytes(id: ContentId): Promise<Uint8Array | undefined> {
    const key = contentKey(checkedId(id))
    const entry = await this.#engine.get(key)
    if (entry === undefined) return undefined
    const payload = this.#engine.payload(entry) ?? this.#payloadOf(await this.#engine.access.get(key), id)
    assertHash(id, payload)
    return new Uint8Array(payload)
  }

  async has(id: ContentId): Promise<boolean> {
    const key = contentKey(checkedId(id))
    const entry = this.#engine.tier.peek(key)
    if (entry === undefined) {
      this.#engine.assertReadable()
      return (await this.#engine.access.backend.hasMany([key]))[0] === true
    }
    return (await this.#engine.get(key)) !== undefined
  }

  pin(id: ContentId): Promise<void> {
    return this.#write(undefined, () => {
      this.assertPresent(checkedId(id))
      this.#engine.put(pinKey(id), pinDomain, kind.pin, nothing, 0)
    })
  }

  unpin(id: ContentId): Promise<void> {
    return this.#write(undefined, () => {
      const key = pinKey(checkedId(id))
      if (this.#engine.getSync(key) !== undefined) this.#engine.delete(key, pinDomain)
      else this.#engine.observeAbsence(key)
    })
  }

  async isPinned(id: ContentId): Promise<boolean> {
    return (await this.#engine.get(pinKey(checkedId(id)))) !== undefined
  }

  list(options: { readonly pinned?: boolean } = {}): AsyncGenerator<ContentItem, void, undefined> {
    const [domain, gte] = options.pinned === true ? [pinDomain, pinPrefix] : [contentDomain, contentPrefix]
    const entries = this.#engine.scan({ domain, gte, lt: String.fromCharCode(gte.charCodeAt(0) + 1) })
    return releasing(this.#items(entries), () => entries.return())
  }

  // ------------------------------------------------- for the rooms above, inside a write

  /** Stores an encoded message and the large nested values split out of it. */
  putEncoded(encoded: EncodedMessage): ContentId {
    for (const child of encoded.children) this.#putMessage(child.id, child.bytes)
    this.#putMessage(encoded.id, encoded.bytes)
    return encoded.id
  }

  /** As `putEncoded` for content that should be there already: writes only what is missing of it. */
  restoreEncoded(encoded: EncodedMessage): void {
    for (const { id, bytes } of [...encoded.children, encoded]) {
      if (this.#engine.getSync(contentKey(id)) === undefined) this.#putMessage(id, bytes)
    }
  }

  putBytes(bytes: Uint8Array): ContentId {
    const id = contentIdOf(bytes)
    this.#touched?.add(id)
    const existing = this.#engine.getSync(contentKey(id))
    // The same bytes may have been put as a message: `get` goes on answering that message, `bytes` these bytes.
    if (existing !== undefined) this.#engine.observe(existing)
    else
      this.#engine.markAbsent(this.#engine.put(contentKey(id), contentDomain, kind.contentBytes, bytes, bytes.length))
    return id
  }

  /** HOLDFAST_MISSING_CONTENT unless the content is there; keeps a running collection from removing it. */
  assertPresent(id: ContentId): void {
    this.#touched?.add(id)
    const entry = this.#engine.getSync(contentKey(id))
    if (entry === undefined) throw missingContent(id, `content ${id}`)
    this.#engine.observe(entry)
  }

  // ------------------------------------------------- reading, for the rooms above

  /** The value if memory has it decoded and acknowledged; undefined says nothing about whether it exists. */
  inMemory(id: ContentId): Value | undefined {
    const entry = this.#engine.tier.get(contentKey(id))
    if (entry === undefined || entry.kind === TOMBSTONE || !this.#engine.isAcknowledged(entry)) return undefined
    return this.#decodeSync(entry, id)
  }

  loadSync(id: ContentId): Value | undefined {
    const entry = this.#engine.getSync(contentKey(id))
    return entry === undefined ? undefined : this.#decodeSync(entry, id)
  }

  async load(id: ContentId): Promise<Value | undefined> {
    const entry = await this.#engine.get(contentKey(id))
    return entry === undefined ? undefined : this.#decode(entry, id)
  }

  /** As `load` for each; what memory lacks is read in one go. */
  async loadMany(ids: readonly ContentId[]): Promise<(Value | undefined)[]> {
    const found: (Value | undefined)[] = ids.map((id) => this.inMemory(id))
    const missing = ids.filter((_, i) => found[i] === undefined)
    if (missing.length === 0) return found
    await this.#engine.prefetch(missing.map(contentKey))
    for (let i = 0; i < ids.length; i++) {
      if (found[i] === undefined) found[i] = this.inMemory(ids[i] as string) ?? (await this.load(ids[i] as string))
    }
    return found
  }

  // ------------------------------------------------- for the garbage collector

  /** Runs collections one after the other; each sees what is touched while it runs. */
  async collect<T>(run: (touched: ReadonlySet<ContentId>) => Promise<T>): Promise<T> {
    while (this.#collecting !== undefined) await this.#collecting
    // From this step on: what is touched right after the call counts.
    const touched = new Set<ContentId>()
    this.#touched = touched
    const running = run(touched).finally(() => {
      this.#touched = undefined
      this.#collecting = undefined
    })
    this.#collecting = running.catch(() => undefined)
    return running
  }

  /** Somebody refers to it now: keeps a running collection from removing it. */
  touch(id: ContentId): void {
    this.#touched?.add(id)
  }

  // ------------------------------------------------- inside

  #write<T>(options: WriteOptions | undefined, fn: () => T): Promise<T> {
    return this.#engine.write(options, fn)
  }

  async *#items(entries: AsyncIterable<Entry>): AsyncGenerator<ContentItem, void, undefined> {
    for await (const entry of entries) {
      const id = entry.key.slice(1)
      const content = entry.kind === kind.pin ? await this.#engine.get(contentKey(id)) : entry
      if (content !== undefined) yield { id, type: content.kind === kind.contentMessage ? 'message' : 'bytes' }
    }
  }

  #putMessage(id: ContentId, bytes: Buffer): void {
    this.#touched?.add(id)
    const key = contentKey(id)
    const existing = this.#engine.tier.peek(key)
    if (existing !== undefined && existing.kind === kind.contentMessage) this.#engine.observe(existing)
    else this.#engine.put(key, contentDomain, kind.contentMessage, bytes, bytes.length)
  }

  #decodeSync(entry: Entry, id: ContentId): Value {
    if (entry.value !== UNDECODED && entry.kind === kind.contentMessage) return handOut(entry.value as Value)
    const payload = this.#payloadOf(entry, id)
    if (entry.kind === kind.contentBytes) return new Uint8Array(payload)
    return this.#keep(entry, id, payload, (childId) => {
      const child = this.loadSync(childId)
      if (child === undefined) throw missingContent(childId, `content ${id}`)
      return child
    })
  }

  async #decode(entry: Entry, id: ContentId): Promise<Value> {
    if (entry.value !== UNDECODED || entry.kind === kind.contentBytes) return this.#decodeSync(entry, id)
    const payload = this.#payloadOf(entry, id)
    const children = new Map<ContentId, Value>()
    for (const childId of linksOf(payload)) {
      const child = await this.load(childId)
      if (child === undefined) throw missingContent(childId, `content ${id}`)
      children.set(childId, child)
    }
    return this.#keep(entry, id, payload, (childId) => children.get(childId))
  }

  /** Decodes and leaves the shared, frozen value with the entry for the next reader. */
  #keep(entry: Entry, id: ContentId, payload: Buffer, child: (id: ContentId) => unknown): Value {
    try {
      entry.value = decodeCanonical(payload, child)
    } catch (error) {
      if (error instanceof HoldfastError) throw error
      throw corruptContent(id, 'its bytes are no canonical message', error)
    }
    this.#engine.tier.recost(entry)
    return handOut(entry.value as Value)
  }

  #payloadOf(entry: Entry | undefined, id: ContentId): Buffer {
    const payload = entry === undefined ? undefined : this.#engine.payload(entry)
    if (entry === undefined || payload === undefined) throw missingContent(id, `content ${id}`)
    if (entry.kind !== kind.contentMessage && entry.kind !== kind.contentBytes)
      throw corruptContent(id, `it has kind ${entry.kind}`)
    // What this process wrote or replayed was covered by the log's checksums; the backend's bytes are proven here.
    if (entry.sequence === 0) assertHash(id, payload)
    return payload
  }
}

export function encodeMessage(value: unknown): EncodedMessage {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('content must be a plain object (a message) or a Uint8Array')
  }
  return encodeCanonical(value)
}

export function missingContent(id: ContentId, where: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_MISSING_CONTENT',
    `${where}: content ${id} is not in the store; run verify, restore it or write it again`,
    {
      detail: { id, where },
    },
  )
}

/** TypeError unless it is a string; HOLDFAST_INVALID_ID unless it is a content id. */
function checkedId(id: unknown): ContentId {
  if (typeof id !== 'string') throw new TypeError('a content id is a string')
  if (isContentId(id)) return id
  throw new HoldfastError(
    'HOLDFAST_INVALID_ID',
    `${JSON.stringify(id)} is no content id: it takes 43 base64url characters`,
    { detail: { id } },
  )
}

function handOut(value: Value): Value {
  return value instanceof Uint8Array ? new Uint8Array(value) : value
}

function assertHash(id: ContentId, payload: Uint8Array): void {
  if (contentIdOf(payload) !== id) throw corruptContent(id, 'its bytes do not have this hash')
}

function corruptContent(id: ContentId, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_CORRUPT',
    `content ${id} is damaged: ${why}; run verify and restore it from a backup`,
    {
      detail: { id },
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
