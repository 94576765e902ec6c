import { digestBytes, digestToId } from './content-id.ts'
import { code, linkExtension } from './message-pack.ts'

/**
 * Ids of the contents that the canonical bytes of a message link to directly, in the order of their first appearance,
 * each once. Steps over every value without building it. Throws an Error when the bytes are not MessagePack.
 */
export function linksOf(bytes: Uint8Array): string[] {
  const ids = new Set<string>()
  // Values still to step over: a container replaces itself by its items, so nesting needs no recursion.
  let pending = 1
  let position = 0
  while (pending > 0) {
    pending--
    const { header, payload, items } = measure(bytes, position)
    const next = position + header + payload
    if (next > bytes.length) throw new Error(`not a canonical message: the bytes end too early at byte ${position}`)
    if (isLink(bytes, position)) ids.add(digestToId(bytes, position + header))
    position = next
    pending += items
    // Every pending value takes a byte at least: a forged length ends here.
    if (pending > bytes.length - position) throw new Error('not a canonical message: the bytes end too early')
  }
  if (position !== bytes.length)
    throw new Error(`not a canonical message: more bytes follow the value at byte ${position}`)
  return [...ids]
}

function isLink(bytes: Uint8Array, position: number): boolean {
  return bytes[position] === code.ext8 && bytes[position + 1] === digestBytes && bytes[position + 2] === linkExtension
}

interface Measure {
  readonly header: number
  readonly payload: number
  readonly items: number
}

function measure(bytes: Uint8Array, position: number): Measure {
  const byte = bytes[position]
  if (byte === undefined) throw new Error('not a canonical message: the bytes end too early')
  if (byte < 0x80 || byte >= 0xe0) return { header: 1, payload: 0, items: 0 }
  if (byte < 0x90) return { header: 1, payload: 0, items: 2 * (byte & 0x0f) }
  if (byte < 0xa0) return { header: 1, payload: 0, items: byte & 0x0f }
  if (byte < 0xc0) return { header: 1, payload: byte & 0x1f, items: 0 }
  const form = forms.get(byte)
  if (form === undefined) throw new Error(`not a canonical message: type byte 0x${byte.toString(16)} is not in use`)
  const length = lengthAt(bytes, position + 1, form.width)
  return {
    header: 1 + form.width + form.extra,
    payload: form.fixed + length * form.perPayload,
    items: length * form.perItem,
  }
}

function lengthAt(bytes: Uint8Array, position: number, width: number): number {
  let length = 0
  for (let i = 0; i < width; i++) length = length * 0x100 + (bytes[position + i] ?? 0)
  return length
}

interface Form {
  /** Bytes of the length that follows the type byte. */
  readonly width: number
  /** Header bytes after the length: the extension type. */
  readonly extra: number
  readonly fixed: number
  readonly perPayload: number
  readonly perItem: number
}

function fixed(bytes: number, extra = 0): Form {
  return { width: 0, extra, fixed: bytes, perPayload: 0, perItem: 0 }
}

function counted(width: number, extra = 0): Form {
  return { width, extra, fixed: 0, perPayload: 1, perItem: 0 }
}

function container(width: number, valuesPerItem: number): Form {
  return { width, extra: 0, fixed: 0, perPayload: 0, perItem: valuesPerItem }
}

const forms: ReadonlyMap<number, Form> = new Map([
  [code.nil, fixed(0)],
  [code.false, fixed(0)],
  [code.true, fixed(0)],
  [code.bin8, counted(1)],
  [code.bin16, counted(2)],
  [code.bin32, counted(4)],
  [code.ext8, counted(1, 1)],
  [code.ext16, counted(2, 1)],
  [code.float64, fixed(8)],
  [code.uint8, fixed(1)],
  [code.uint16, fixed(2)],
  [code.uint32, fixed(4)],
  [code.uint64, fixed(8)],
  [code.int8, fixed(1)],
  [code.int16, fixed(2)],
  [code.int32, fixed(4)],
  [code.int64, fixed(8)],
  [code.fixExt16, fixed(16, 1)],
  [code.string8, counted(1)],
  [code.string16, counted(2)],
  [code.string32, counted(4)],
  [code.array16, container(2, 1)],
  [code.array32, container(4, 1)],
  [code.map16, container(2, 2)],
  [code.map32, container(4, 2)],
])
