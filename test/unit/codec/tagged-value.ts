/** What `{"$": type, "of": …}` stands for in fixtures/value-vectors.json, where JSON has no form for a value. */
interface Tagged {
  readonly $: string
  readonly of: unknown
}

/** The value that a vector writes down in JSON. */
export function untag(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(untag)
  if (typeof json !== 'object' || json === null) return json
  if ('$' in json) return untagSpecial(json as Tagged)
  // As JSON.parse does, and unlike an assignment, this defines a `__proto__` key.
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, untag(value)]))
}

function untagSpecial({ $: type, of }: Tagged): unknown {
  switch (type) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(of)
    case 'bigint':
      return BigInt(of as string)
    case 'date':
      return new Date((of as number | null) ?? Number.NaN)
    case 'bytes':
      return new Uint8Array(Buffer.from(of as string, 'hex'))
    case 'utf16':
      return String.fromCharCode(...(of as string[]).map((unit) => Number.parseInt(unit, 16)))
    default:
      return untagContainer(type, of as unknown[])
  }
}

function untagContainer(type: string, of: unknown[]): unknown {
  const parts = of.map(untag)
  if (type === 'set') return new Set(parts)
  if (type === 'map') return new Map(parts as [unknown, unknown][])
  if (type === 'bare') return Object.assign(Object.create(null), Object.fromEntries(parts as [string, unknown][]))
  throw new Error(`vector of unknown type ${type}`)
}
