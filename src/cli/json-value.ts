import type { Value } from '../content/index.ts'

/**
 * JSON in both directions without loss: bytes are `{"$base64": "…"}`, big integers `{"$bigint": "…"}`, the numbers
 * JSON has no words for `{"$number": "-0"}`. A message that itself has exactly one of these keys and no other is
 * wrapped as `{"$object": …}`, so that reading back never mistakes data for an escape.
 */
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const escapes: ReadonlySet<string> = new Set(['$base64', '$bigint', '$number', '$object'])

/** One line of JSON. Reports and other plain objects may be passed too; their undefined fields are left out. */
export function stringifyValue(value: unknown, indent?: number): string {
  // Characters JSON leaves as they are but a terminal may act upon.
  return JSON.stringify(toJson(value), undefined, indent).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function toJson(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: numberWord(value) }
  if (typeof value === 'bigint') return { $bigint: value.toString() }
  if (value instanceof Uint8Array)
    return { $base64: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value === 'object') return objectToJson(value)
  throw new TypeError(`a ${typeof value} cannot be shown as JSON`)
}

function numberWord(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function objectToJson(value: object): Json {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  const plain = Object.fromEntries(entries.map(([key, item]): [string, Json] => [key, toJson(item)]))
  const [first] = entries
  return entries.length === 1 && first !== undefined && escapes.has(first[0]) ? { $object: plain } : plain
}

/** The inverse of {@link stringifyValue}. SyntaxError for text that is not JSON or holds a malformed escape. */
export function parseValue(text: string): Value {
  return fromJson(JSON.parse(text) as Json)
}

function fromJson(json: Json): Value {
  if (json === null || typeof json !== 'object') return json
  if (isArray(json)) return json.map(fromJson)
  const keys = Object.keys(json)
  const [key] = keys
  if (keys.length === 1 && key !== undefined && escapes.has(key)) return unescape(key, json[key])
  return objectFromJson(json)
}

function isArray(json: Json): json is readonly Json[] {
  return Array.isArray(json)
}

function objectFromJson(json: { readonly [key: string]: Json }): Value {
  return Object.fromEntries(Object.entries(json).map(([key, item]): [string, Value] => [key, fromJson(item)]))
}

function unescape(key: string, content: Json | undefined): Value {
  if (key === '$object' && typeof content === 'object' && content !== null && !isArray(content))
    return objectFromJson(content)
  if (typeof content === 'string') {
    if (key === '$bigint' && /^-?\d+$/.test(content)) return BigInt(content)
    if (key === '$number' && /^(-0|NaN|-?Infinity)$/.test(content)) return Number(content)
    if (key === '$base64' && isBase64(content)) return new Uint8Array(Buffer.from(content, 'base64'))
  }
  throw new SyntaxError(`{"${key}": …} does not hold what it should`)
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
}
