/** Content, pins and garbage in the model, and the contents that commands choose from. */
import { contentIdOf, decodeCanonical, encodeCanonical } from '../../src/codec/index.ts'
import type { Message } from '../../src/index.ts'
import { Refusal } from './operation.ts'
import { type Content, type State, withEntry, withoutKeys } from './state.ts'

export interface Item {
  readonly name: string
  readonly value: Message | Uint8Array
  readonly id: string
  /** It and what is split out of it, in the order in which they are stored. */
  readonly parts: ReadonlyMap<string, Content>
}

export function messageItem(name: string, value: Message): Item {
  const { id, bytes, children } = encodeCanonical(value)
  const parts = new Map<string, Content>()
  for (const child of children) {
    parts.set(child.id, {
      ...{ value: decodeCanonical(child.bytes, (linked) => parts.get(linked)?.value) },
      ...{ bytes: new Uint8Array(child.bytes), links: [], isMessage: true },
    })
  }
  parts.set(id, { value, bytes: new Uint8Array(bytes), links: children.map((child) => child.id), isMessage: true })
  return { name, value, id, parts }
}

function bytesItem(name: string, bytes: Uint8Array): Item {
  const id = contentIdOf(bytes)
  return { name, value: bytes, id, parts: new Map([[id, { value: bytes, bytes, links: [], isMessage: false }]]) }
}

/** Large enough to be stored under its own id, in several messages. */
export const large = 'large '.repeat(720)

const small = { n: 0, text: 'zero' }

export const items: readonly Item[] = [
  messageItem('small', small),
  messageItem('message 1', { n: 1, list: [1, 2n, null, true] }),
  messageItem('message 2', { n: 2, text: 'x'.repeat(400) }),
  messageItem('large', { n: 3, large }),
  messageItem('large too', { n: 4, nested: { large }, bytes: new Uint8Array([1, 2, 3]) }),
  bytesItem('empty bytes', new Uint8Array(0)),
  bytesItem('bytes', new Uint8Array(700).fill(7)),
  // The same id as the message: the first message put stays one.
  bytesItem('the bytes of small', new Uint8Array(encodeCanonical(small).bytes)),
]

export function put(state: State, item: Item): State {
  if (!(item.value instanceof Uint8Array)) return putParts(state, item)
  return state.contents.has(item.id) ? state : putParts(state, item)
}

function putParts(state: State, item: Item): State {
  let { contents } = state
  for (const [id, content] of item.parts) {
    if (contents.get(id)?.isMessage !== true) contents = withEntry(contents, id, content)
  }
  return contents === state.contents ? state : { ...state, contents }
}

export function pin(state: State, id: string): State {
  if (!state.contents.has(id)) throw new Refusal('HOLDFAST_MISSING_CONTENT')
  return state.pins.has(id) ? state : { ...state, pins: new Set([...state.pins, id]) }
}

export function unpin(state: State, id: string): State {
  return state.pins.has(id) ? { ...state, pins: new Set([...state.pins].filter((other) => other !== id)) } : state
}

export function garbageOf(state: State): Set<string> {
  const reached = new Set<string>([...state.pins, ...state.locations.values()])
  for (const slots of state.slots.values()) for (const { id } of slots.values()) reached.add(id)
  for (const entry of state.paths.values()) {
    if (entry.type === 'link' && entry.target.startsWith('data/')) reached.add(entry.target.slice('data/'.length))
  }
  // A set grows while it is walked.
  for (const id of reached) for (const link of state.contents.get(id)?.links ?? []) reached.add(link)
  return new Set([...state.contents.keys()].filter((id) => !reached.has(id)))
}

export function collect(state: State): State {
  const garbage = garbageOf(state)
  return garbage.size === 0 ? state : { ...state, contents: withoutKeys(state.contents, (id) => garbage.has(id)) }
}
