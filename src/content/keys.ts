/** Keys of content, pins and paths in the ordered keyspace. Format: docs/format.md, "Keys". Pure. */
export const contentPrefix = 'c'
export const contentDomain = 'c'
export const pinPrefix = 'r'
export const pinDomain = 'r'
export const pathDomain = 'p/'

export function contentKey(id: string): string {
  return contentPrefix + id
}

export function pinKey(id: string): string {
  return pinPrefix + id
}

/** Every entry of a group lies under its parent's path, so that listing a group is one range. */
export function pathKey(parent: readonly string[], name: string): string {
  return `${pathDomain}${bytesOf(parent.join('/'))}\u0000${nameKey(name)}`
}

/** All children of a group: [gte, lt). */
export function childRange(parent: readonly string[]): { gte: string; lt: string } {
  const prefix = pathDomain + bytesOf(parent.join('/'))
  return { gte: `${prefix}\u0000`, lt: `${prefix}\u0001` }
}

/** Everything below a group, its children's children included, its own entry not: [gte, lt) pairs. */
export function subtreeRanges(path: readonly string[]): { gte: string; lt: string }[] {
  if (path.length === 0) return [{ gte: pathDomain, lt: 'p0' }]
  const prefix = `${pathDomain}${bytesOf(path.join('/'))}`
  return [childRange(path), { gte: `${prefix}/`, lt: `${prefix}0` }]
}

export function parsePathKey(key: string): { parent: string[]; name: string } {
  const split = key.indexOf('\u0000')
  const parent = textOf(key.slice(pathDomain.length, split))
  const marked = key.slice(split + 1)
  const name = marked.startsWith('\u0001') ? marked.slice(2) : textOf(marked.slice(1))
  return { parent: parent === '' ? [] : parent.split('/'), name }
}

/** Decimal names sort before others and by value: marker 1, number of digits, digits. Others: marker 2, UTF-8. */
function nameKey(name: string): string {
  if (/^(0|[1-9][0-9]{0,15})$/.test(name)) return `\u0001${String.fromCharCode(name.length)}${name}`
  return `\u0002${bytesOf(name)}`
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
