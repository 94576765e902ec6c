import { types } from 'node:util'

/** The path to the value inside the first `depth` of `ancestors`, at its place in each of them: `value.a[3].b`. */
export function pathOf(
  ancestors: readonly (object | undefined)[],
  places: readonly (string | number)[],
  depth: number,
): string {
  let path = 'value'
  for (let i = 0; i < depth; i++) path += step(ancestors[i] as object, places[i] as string | number)
  return path
}

function step(container: object, place: string | number): string {
  if (typeof place === 'string') return /^[A-Za-z_$][\w$]*$/.test(place) ? `.${place}` : `[${JSON.stringify(place)}]`
  // The key of a map's entry has an even place, its value the odd one after it.
  if (types.isMap(container)) return `<${place % 2 === 0 ? 'key' : 'value'} of entry ${Math.floor(place / 2)}>`
  if (types.isSet(container)) return `<item ${place}>`
  return `[${place}]`
}

/** What an object is that is none of those that can be stored. Runs no accessor of it. */
export function describeRefused(object: object): string {
  const name = classNameOf(object)
  if (name === undefined) return 'its prototype is another object'
  return `it is an instance of ${name}; store a plain object of what it holds`
}

function classNameOf(object: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (typeof prototype !== 'object' || prototype === null) return undefined
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function') return undefined
  const name: unknown = Object.getOwnPropertyDescriptor(constructor, 'name')?.value
  return typeof name === 'string' && name !== '' ? name : undefined
}
