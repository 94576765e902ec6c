/**
 * Which keys are scanned together. A key's domain is everything up to and including its first `/`, or its first
 * character when it has none: `a<process>/<slot>` lies in the domain of its process. Rooms pass the domain when they
 * put; replay derives it.
 */
export function domainOf(key: string): string {
  const slash = key.indexOf('/')
  return slash < 0 ? key.slice(0, 1) : key.slice(0, slash + 1)
}
